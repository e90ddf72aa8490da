import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generated, generatedRows } from './generated.ts';
import { StandInHost } from './stand-in-host.ts';
import { withPage } from './support.ts';

const open = withPage();

/** The length (ms) of the page's tasks over 50 ms, since the last question. */
const LONG_TASKS = `(() => {
  const found = (window.longTasks ?? []).splice(0);
  return found;
})()`;

test('no task over 50 ms while scrolling, filtering and following 100,000 rows', async () => {
  const host = new StandInHost(generatedRows(100_000));
  const { page } = await open(host, { width: 900 });
  await page.locator('.row').first().waitFor();
  await page.waitForTimeout(500);
  await page.evaluate(() => {
    const tasks: number[] = [];
    (window as unknown as { longTasks: number[] }).longTasks = tasks;
    new PerformanceObserver((list) => {
      tasks.push(...list.getEntries().map((entry) => entry.duration));
    }).observe({ type: 'longtask' });
  });
  await page.mouse.move(300, 500);
  const work = {
    scroll: async () => {
      for (let step = 0; step < 40; step += 1) await page.mouse.wheel(0, -400);
    },
    drag: async () => {
      for (let step = 0; step < 20; step += 1) {
        await page.locator('.scroller').evaluate((e, share) => {
          e.scrollTop = share * e.scrollHeight;
        }, step / 20);
        await page.waitForTimeout(20);
      }
    },
    filter: async () => {
      await page.locator('vscode-button.group').nth(2).click();
      await page.locator('.count', { hasText: 'of' }).waitFor();
      await page.locator('vscode-button.clear').click();
      await page.locator('.count', { hasText: /^100,/ }).waitFor();
    },
    follow: async () => {
      await page.keyboard.press('End');
      for (let step = 0; step < 40; step += 1) {
        host.append(generated(step), generated(step + 1), generated(step + 2));
        await page.waitForTimeout(25);
      }
    },
  };
  for (const [name, run] of Object.entries(work)) {
    // The machine may be busy with other tests: what counts is the quickest of three.
    let worst = Infinity;
    for (let attempt = 0; attempt < 3 && worst > 50; attempt += 1) {
      await page.evaluate(LONG_TASKS);
      await run();
      await page.waitForTimeout(100);
      worst = Math.max(0, ...(await page.evaluate<number[]>(LONG_TASKS)));
    }
    assert.ok(worst <= 50, `${name}: a task of ${worst} ms`);
  }
  await page.context().close();
});
