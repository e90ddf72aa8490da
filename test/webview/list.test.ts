import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generated, generatedRows } from './generated.ts';
import { makeRow, StandInHost } from './stand-in-host.ts';
import { story } from './story.ts';
import { withPage } from './support.ts';
import type { Page } from 'playwright-core';

const open = withPage();

/** Two frames later, everything that was asked for is there and drawn. */
async function settled(page: Page): Promise<void> {
  await page.waitForFunction(
    () => document.querySelector('.row') !== null && document.querySelector('.row.placeholder') === null,
  );
  await page.evaluate(
    () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve, 30)))),
  );
}

/** The distance of the view from the list's end, in pixels. */
const toEnd = (page: Page): Promise<number> =>
  page.locator('.scroller').evaluate((e) => e.scrollHeight - e.scrollTop - e.clientHeight);

/** The row under a point of the view, by its label, and where its top edge is. */
const under = (page: Page, y = 450): Promise<{ label: string; top: number }> =>
  page.evaluate((at) => {
    const row = document.elementFromPoint(200, at)?.closest('.row');
    return { label: row?.getAttribute('aria-label') ?? '', top: row?.getBoundingClientRect().top ?? NaN };
  }, y);

/** Resolves when the row under a point of the view is this one, and where it was; fails with what is there instead. */
async function comesBack(page: Page, y: number, row: { label: string; top: number }): Promise<void> {
  const isThere = ({ at, label, top }: { at: number; label: string; top: number }): boolean => {
    const found = document.elementFromPoint(200, at)?.closest('.row');
    return found?.getAttribute('aria-label') === label && Math.abs(found.getBoundingClientRect().top - top) <= 1;
  };
  await page.waitForFunction(isThere, { at: y, ...row }, { timeout: 10_000 }).catch(() => undefined);
  const { label, top } = await under(page, y);
  assert.equal(label, row.label);
  assert.ok(Math.abs(top - row.top) <= 1, `moved by ${top - row.top} px`);
}

const scrollTo = (page: Page, top: number): Promise<void> =>
  page.locator('.scroller').evaluate((e, to) => {
    e.scrollTop = to;
  }, top);

for (const count of [10_000, 100_000]) {
  test(`${count} rows: few elements, anywhere in the list`, async () => {
    const { page, problems } = await open(new StandInHost(generatedRows(count)), { width: 900 });
    await settled(page);
    for (const share of [1, 0.5, 0.01, 0, 0.99]) {
      await page.locator('.scroller').evaluate((e, to) => {
        e.scrollTop = to * e.scrollHeight;
      }, share);
      await settled(page);
      const elements = await page.evaluate(() => document.querySelectorAll('*').length);
      assert.ok(elements <= 400, `${elements} elements at ${share}`);
    }
    assert.equal(await page.locator('[aria-posinset]').first().getAttribute('aria-setsize'), String(count));
    assert.deepEqual(problems, []);
    await page.context().close();
  });
}

test('sticks to the end while there, also when the last row grows, and says how many came when away', async () => {
  const host = new StandInHost(generatedRows(1_000));
  const { page } = await open(host);
  await settled(page);
  assert.ok((await toEnd(page)) <= 1);
  for (let step = 0; step < 20; step += 1) host.append(generated(1001 + step));
  await page.locator('[aria-posinset="1020"]').waitFor();
  await settled(page);
  assert.ok((await toEnd(page)) <= 1);
  host.change(1_020, { text: 'line\n\n'.repeat(20) });
  await settled(page);
  assert.ok((await toEnd(page)) <= 1);
  assert.ok(await page.locator('.jump').isHidden());

  await scrollTo(page, 500);
  await settled(page);
  host.append({ text: 'one' }, { text: 'two' });
  const jump = page.locator('.jump');
  await jump.filter({ hasText: '2 new' }).waitFor();
  await jump.click();
  await settled(page);
  assert.ok((await toEnd(page)) <= 1);
  assert.ok(await jump.isHidden());
  await page.context().close();
});

test('what is read does not move: 50 deltas below, rows that grow above, a list that is loaded again', async () => {
  const host = new StandInHost(generatedRows(3_000));
  const { page } = await open(host);
  await settled(page);
  await scrollTo(page, 40_000);
  await settled(page);
  await page.waitForTimeout(300);
  const before = await under(page);
  const seq = Number(await page.locator('.row').first().getAttribute('aria-posinset'));
  let worst = 0;
  for (let step = 0; step < 50; step += 1) {
    host.append(generated(step));
    // Rows far above, just above the view, and the running tool at the end change their heights.
    host.change(1 + step, { text: `grew\n\n${'more\n\n'.repeat(step % 9)}`, kind: 'text' });
    host.change(seq, { text: 'word '.repeat(20 * (step % 5)), kind: 'text' });
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
    const now = await under(page, before.top + 2);
    assert.equal(now.label, before.label);
    worst = Math.max(worst, Math.abs(now.top - before.top));
  }
  host.reset();
  await settled(page);
  await comesBack(page, before.top + 2, before);
  assert.ok(worst <= 1, `moved by ${worst} px`);
  await page.context().close();
});

test('scrolling up by the wheel through rows never seen moves by what the wheel says', async () => {
  const { page } = await open(new StandInHost(generatedRows(5_000)));
  await settled(page);
  await page.mouse.move(200, 500);
  for (let step = 0; step < 12; step += 1) {
    const before = await under(page, 300);
    await page.mouse.wheel(0, -100);
    await page.waitForTimeout(60);
    await settled(page);
    const row = page
      .locator('.row', { has: page.locator('time') })
      .and(page.locator(`[aria-label=${JSON.stringify(before.label)}]`));
    const { y } = (await row.boundingBox())!;
    assert.ok(Math.abs(y - before.top - 100) <= 1, `moved by ${y - before.top}`);
  }
  // From the first notch of the wheel on, new rows leave the reader alone.
  await page.context().close();
});

test('filters and searches, marks what was found, and keeps the place when the filter goes', async () => {
  const host = new StandInHost(generatedRows(10_000));
  const { page } = await open(host, { width: 900 });
  await settled(page);
  await page.locator('vscode-button.group', { hasText: 'Problems' }).click();
  await page.locator('.count', { hasText: '1,000 of 10,000' }).waitFor();
  await settled(page);
  assert.equal(await page.locator('.row:not(.problem)').count(), 0);
  assert.equal(await page.locator('.groups button').nth(4).getAttribute('aria-pressed'), 'true');

  await page.keyboard.press('Control+f');
  const before = host.asked.length;
  // Letter by letter, and quick whatever else the machine does.
  await page.evaluate((text) => {
    let field = document.activeElement;
    while (field?.shadowRoot?.activeElement) field = field.shadowRoot.activeElement;
    if (!(field instanceof HTMLInputElement)) throw new Error('The search field has not the focus.');
    for (const letter of text) {
      field.value += letter;
      field.dispatchEvent(new InputEvent('input', { bubbles: true, composed: true }));
    }
  }, 'needle-44');
  await page.locator('.count', { hasText: '12 of 10,000' }).waitFor();
  const queries = host.asked
    .slice(before)
    .filter((m) => m.type === 'rows')
    .map((m) => m.filter.query);
  assert.deepEqual([...new Set(queries)], ['needle-44'], 'one question after the last letter');
  await settled(page);
  assert.ok(await page.evaluate(() => (CSS.highlights.get('found')?.size ?? 0) > 0));

  await page.locator('[data-position="3"]').click();
  await page.getByText('npm test -- --grep 4414', { exact: true }).click({ button: 'middle' });
  await page.keyboard.press('Escape');
  await page.locator('.count', { hasText: /^10,000$/ }).waitFor();
  await settled(page);
  await page.getByText('npm test -- --grep 4414', { exact: true }).waitFor();
  await page.keyboard.press('f');
  await page.keyboard.type('nowhere to be found');
  await page.getByText('No events match the filter').waitFor();
  await page.context().close();
});

test('opens a tool call where it is, keeps it open out of sight, and sends its clicks to the host', async () => {
  const host = new StandInHost(story());
  const { page } = await open(host, { height: 500 });
  await settled(page);
  await scrollTo(page, 200);
  await settled(page);
  const row = page.locator('.row', { has: page.locator('.toggle', { hasText: 'Edit' }) });
  const before = (await row.boundingBox())!;
  await row.locator('.toggle').click();
  assert.equal((await row.boundingBox())!.y, before.y);
  assert.equal(await row.locator('.toggle').getAttribute('aria-expanded'), 'true');
  assert.match(await row.locator('.diff-added').innerText(), /^\+ {2}const next/);
  await page.keyboard.press('End');
  await settled(page);
  assert.equal(await row.count(), 0);
  await page.keyboard.press('Home');
  await settled(page);
  await scrollTo(page, 300);
  await row.locator('.details').waitFor();

  host.asked.length = 0;
  await row.locator('.argument').click();
  await row.hover();
  await row.getByRole('button', { name: 'Open log here' }).click();
  assert.deepEqual(host.asked, [
    { type: 'openFile', path: 'src/routes/login.ts', line: 41 },
    { type: 'openLog', seq: 12, part: 'row' },
  ]);
  await page.context().close();
});

test('a cut text offers the whole', async () => {
  const host = new StandInHost([makeRow(1, { kind: 'error', text: 'A long story', cut: 2_000_000 })]);
  const { page } = await open(host);
  await page.getByRole('button', { name: 'Show all (2 MB)' }).click();
  assert.deepEqual(host.asked.at(-1), { type: 'openText', seq: 1, part: 'text' });
  await page.context().close();
});

test('the keyboard walks the rows, opens them, and reaches what is in them', async () => {
  const { page, host } = await open(new StandInHost(generatedRows(2_000)));
  await settled(page);
  const focused = (): Promise<number> =>
    page.evaluate(() => Number(document.activeElement?.getAttribute('aria-posinset')));
  await page.locator('.row[tabindex="0"]').focus();
  assert.equal(await focused(), 2_000);
  await page.keyboard.press('ArrowUp');
  assert.equal(await focused(), 1_999);
  await page.keyboard.press('PageUp');
  const paged = await focused();
  assert.ok(paged < 1_990 && paged > 1_900, String(paged));
  await page.keyboard.press('Home');
  assert.equal(await focused(), 1);
  await settled(page);
  for (let step = 0; step < 3; step += 1) await page.keyboard.press('ArrowDown');
  assert.equal(await focused(), 4);
  await page.keyboard.press('Enter');
  assert.equal(await page.locator('[data-position="3"] .toggle').getAttribute('aria-expanded'), 'true');
  assert.equal(await focused(), 4, 'the focus stays when its row is drawn anew');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('data-do')), 'log');
  await page.keyboard.press('Enter');
  assert.deepEqual(host.asked.at(-1), { type: 'openLog', seq: 4, part: 'row' });
  // Out of sight, the keyboard still goes on from there.
  await page.keyboard.press('Shift+Tab');
  await scrollTo(page, 20_000);
  await settled(page);
  await page.keyboard.press('ArrowDown');
  assert.equal(await focused(), 5);
  await page.keyboard.press('End');
  assert.equal(await focused(), 2_000);
  await settled(page);
  assert.ok((await toEnd(page)) <= 1);
  await page.context().close();
});

test('a reload opens the page as it was: filter, place, and open rows', async () => {
  const host = new StandInHost(generatedRows(5_000));
  const { page } = await open(host, { width: 900 });
  await settled(page);
  await page.locator('vscode-button.group', { hasText: 'Tools' }).click();
  await page.locator('.count', { hasText: '3,000 of' }).waitFor();
  await scrollTo(page, 30_000);
  await settled(page);
  await page.waitForTimeout(300);
  await page.locator('.toggle').nth(12).click();
  await page.waitForTimeout(400);
  const before = await under(page, 600);
  const expanded = await page.locator('[aria-expanded="true"]').count();
  const { header } = host;
  for (const late of [false, true]) {
    // After a reload of the window, the host may not know the session at once.
    host.header = late ? null : header;
    await page.reload();
    if (late) {
      await page.getByText('No session is selected').waitFor();
      await page.waitForTimeout(300);
      host.setHeader(header);
    }
    await settled(page);
    await comesBack(page, 600, before);
    assert.equal(await page.locator('[aria-expanded="true"]').count(), expanded);
    await page.locator('.count', { hasText: '3,000 of' }).waitFor();
  }
  await page.context().close();
});

test('follows the selection to another session, and says so when there is none', async () => {
  const host = new StandInHost(generatedRows(300));
  const { page } = await open(host);
  await settled(page);
  host.setHeader(null);
  await page.getByText('No session is selected').waitFor();
  assert.equal(await page.locator('.row').count(), 0);
  host.rows.splice(0, host.rows.length, ...story());
  host.epoch = 'other';
  host.setHeader({ session: 'ses_other', name: 'Another', statusLabel: 'Idle', status: 'idle' });
  await page.getByRole('heading', { name: 'Another' }).waitFor();
  await page.getByText('And keep the hash, too.').waitFor();
  await page.context().close();
});

test('the clock ticks once a second while the agent runs, and the buttons are what can be done', async () => {
  const host = new StandInHost(story());
  const { page } = await open(host);
  await settled(page);
  assert.equal(await page.locator('.elapsed').innerText(), '12:40');
  const live: { endedAt?: number } = host.header!;
  delete live.endedAt;
  host.setHeader({ startedAt: Date.now() - 65_000 });
  await page.locator('.elapsed', { hasText: /^1:0[56]$/ }).waitFor();
  await page.locator('.elapsed', { hasText: /^1:0[78]$/ }).waitFor();
  await page.getByRole('button', { name: 'Stop' }).click();
  assert.deepEqual(host.asked.at(-1), { type: 'command', command: 'stop' });
  assert.ok(await page.locator('vscode-button.resume').isHidden());
  host.setHeader({ can: { stop: false, resume: true, send: false, diff: false } });
  await page.getByRole('button', { name: 'Resume' }).waitFor();
  assert.ok(await page.locator('vscode-button.stop').isHidden());
  await page.context().close();
});
