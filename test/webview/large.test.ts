import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generated, generatedRows } from './generated.ts';
import { StandInHost } from './stand-in-host.ts';
import { withPage } from './support.ts';

const open = withPage();

/** So many rows fit into the view and the margins above and below it; each is at least 24 px high. */
const MOST_DRAWN = Math.ceil((900 + 2 * 120) / 24) + 2;

test('a page of 100,000 rows draws and asks for no more of them than one of 1,000', async () => {
  const asked: Record<number, number> = {};
  for (const count of [1000, 100_000]) {
    const host = new StandInHost(generatedRows(count));
    const { page } = await open(host, { width: 900 });
    const drawn = async (): Promise<void> => {
      await page.waitForFunction(
        () => document.querySelector('.row') !== null && document.querySelector('.row.placeholder') === null,
      );
      const there = await page.locator('.row').count();
      assert.ok(there <= MOST_DRAWN, `${there} rows are drawn`);
    };
    await drawn();
    for (const share of [0, 0.3, 0.7]) {
      await page.locator('.scroller').evaluate((e, to) => {
        e.scrollTop = to * e.scrollHeight;
      }, share);
      await drawn();
    }
    await page.locator('vscode-button.group').nth(2).click();
    await page.locator('.count', { hasText: 'of' }).waitFor();
    await drawn();
    await page.locator('vscode-button.clear').click();
    await page.locator('.count', { hasText: /^[\d,]+$/ }).waitFor();
    await page.locator('.jump').click();
    await drawn();
    const before = host.asked.length;
    host.append(...Array.from({ length: 40 }, (_, step) => generated(step)));
    await page.locator(`.row[aria-posinset="${count + 40}"]`).waitFor();
    await drawn();
    // What comes at the end comes in the host's own words.
    assert.deepEqual(host.asked.slice(before), []);
    asked[count] = host.asked.filter(({ type }) => type === 'rows' || type === 'ready').length;
    await page.context().close();
  }
  const { 1000: small = 0, 100_000: large = Infinity } = asked;
  // The small one has its neighbours already where the large one jumps.
  assert.ok(large <= small + 8, JSON.stringify(asked));
});
