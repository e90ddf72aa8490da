import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { test } from 'node:test';
import { patience } from '../support/patience.mts';
import { generatedRows } from './generated.ts';
import { StandInHost } from './stand-in-host.ts';
import { withPage } from './support.ts';
import type { PageMessage } from '../../src/protocol/timeline.ts';

const open = withPage();

/** A host that tells when it has answered, which may take so long (ms) as on a busy machine. */
class TellingHost extends StandInHost {
  readonly answers = new EventEmitter();
  takes = 0;

  override receive(message: unknown): void {
    if ((message as PageMessage).type !== 'ping') {
      super.receive(message);
      return;
    }
    setTimeout(() => {
      super.receive(message);
      this.answers.emit('pong');
    }, this.takes);
  }
}

test('a page whose host is gone says so within 2 s, stands still, and goes on when the host answers again', async () => {
  const telling = new TellingHost(generatedRows(300), { startedAt: Date.now() - 5000 });
  const { page, host, problems } = await open(telling);
  host.setHeader({ endedAt: undefined! });
  const elapsed = page.locator('.header .elapsed');
  const live = page.locator('[aria-live=polite]');
  await page.locator('.header .status').getByText('Working').waitFor();
  const ticked = (): Promise<unknown> => {
    const before = document.querySelector('.elapsed')?.textContent;
    return new Promise((resolve) => {
      new MutationObserver(() => {
        const now = document.querySelector('.elapsed')?.textContent;
        if (now !== before) resolve(now);
      }).observe(document.body, { subtree: true, childList: true, characterData: true });
    });
  };
  await page.evaluate(ticked);

  const said = page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        new MutationObserver(() => {
          if (document.querySelector('.status b')?.textContent === 'Reconnecting…') resolve(Date.now());
        }).observe(document.body, { subtree: true, childList: true, characterData: true });
      }),
  );
  // The worst moment: it was heard just now.
  await once(telling.answers, 'pong');
  host.dead = true;
  const died = Date.now();
  const noticed = (await said) - died;
  assert.ok(noticed < patience(2000), `noticed after ${noticed} ms`);
  assert.equal(await live.textContent(), 'Reconnecting…');
  assert.ok(await page.locator('.header vscode-button.stop').evaluate((button) => button.hasAttribute('disabled')));
  assert.equal(await page.locator('.header .spins').count(), 0, 'nothing turns');
  const stood = await elapsed.textContent();
  await page.waitForTimeout(1500);
  assert.equal(await elapsed.textContent(), stood, 'the clock stands still');
  assert.ok((await page.locator('.row').count()) > 0, 'what was known stays');

  host.dead = false;
  host.say({ type: 'pong' });
  await page.locator('.header .status').getByText('Working').waitFor();
  assert.equal(await live.textContent(), 'Connected again');
  assert.ok(!(await page.locator('.header vscode-button.stop').evaluate((button) => button.hasAttribute('disabled'))));
  await page.evaluate(ticked);
  assert.deepEqual(problems, []);
});

test('a page that never hears of a host says so', async () => {
  const host = new StandInHost([]);
  host.dead = true;
  const { page } = await open(host);
  await page
    .getByRole('status')
    .getByText('Reconnecting…')
    .waitFor({ timeout: patience(2000) });
});

test('a host that is slow time and again is not taken for dead each time', async () => {
  const host = new TellingHost(generatedRows(30), { startedAt: Date.now() - 5000 });
  host.takes = 1200;
  const { page } = await open(host);
  await page.locator('.header .status').getByText('Working').waitFor();
  await page.evaluate(() => {
    const told: string[] = [];
    Object.assign(window, { told });
    new MutationObserver(() => {
      const now = document.querySelector('.status b')?.textContent ?? '';
      if (now !== told.at(-1)) told.push(now);
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  for (let answer = 0; answer < 5; answer += 1) await once(host.answers, 'pong');
  await page.locator('.header .status').getByText('Working').waitFor();
  const told = await page.evaluate(() => (window as unknown as { told: string[] }).told);
  assert.ok(told.filter((text) => text === 'Reconnecting…').length <= 1, told.join(', '));
});

/** A host that learns of the session in the moment before the page asks: the header overtakes the greeting. */
class HastyHost extends StandInHost {
  override receive(message: unknown): void {
    if ((message as PageMessage).type === 'ready') {
      this.say({ type: 'header', header: this.header });
    }
    super.receive(message);
  }
}

for (const Host of [StandInHost, HastyHost]) {
  test(`a page that remembers nothing begins where its host (${Host.name}) says that the reader was`, async () => {
    const rows = generatedRows(1000);
    const first = await open(new StandInHost(rows));
    await first.page.waitForFunction(
      () => document.querySelector('.row') !== null && document.querySelector('.row.placeholder') === null,
    );
    await first.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 100))));
    await first.page.locator('.scroller').evaluate((e) => {
      e.scrollTop = 0.4 * e.scrollHeight;
    });
    await first.page.waitForFunction(() => (sessionStorage.getItem('state') ?? '').includes('"anchor"'));
    const told = first.host.places.at(-1);
    assert.ok(told?.anchor !== undefined);
    const other = new Host(rows);
    other.place = told;
    const { page } = await open(other);
    // What the host was told, and no later state of the first page, which may still be measuring its rows.
    await page.waitForFunction(
      ({ seq, y }) => {
        const row = document.querySelector(`.row[aria-posinset="${seq}"]`);
        const view = document.querySelector('.scroller')?.getBoundingClientRect().top ?? NaN;
        return row !== null && Math.abs(row.getBoundingClientRect().top - view - y) <= 1;
      },
      told.anchor,
      { timeout: 30_000 },
    );
  });
}
