/** The page: its longest task while it opens, scrolls, filters and follows 100,000 rows, beside the same with 1,000. */
import type { Page } from 'playwright-core';
import { findChromium } from '../../setup/browser.mjs';
import { generated, generatedRows } from '../../webview/generated.ts';
import { StandInHost } from '../../webview/stand-in-host.ts';
import { startPages } from '../../webview/support.ts';
import type { Figure } from '../figure.mts';
import { row } from '../row.mts';

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds of processor time. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** What a reader does. */
const ACTS: readonly { name: string; most: number; run: (page: Page, host: StandInHost) => Promise<void> }[] = [
  {
    name: 'opening',
    // Reading and compiling the script is one task of it, and no frame is waited for meanwhile.
    most: 150,
    run: async (page) => {
      await page.reload();
      await page.locator('.row').first().waitFor();
    },
  },
  {
    name: 'scrolling by the wheel',
    most: 50,
    run: async (page) => {
      for (let step = 0; step < 40; step += 1) await page.mouse.wheel(0, -400);
      await page.waitForTimeout(100);
    },
  },
  {
    name: 'dragging the scroll bar',
    most: 50,
    run: async (page) => {
      for (let step = 0; step < 20; step += 1) {
        await page.locator('.scroller').evaluate((e, share) => {
          e.scrollTop = share * e.scrollHeight;
        }, step / 20);
        await page.waitForTimeout(20);
      }
    },
  },
  {
    name: 'filtering',
    most: 50,
    run: async (page) => {
      await page.locator('vscode-button.group').nth(2).click();
      await page.locator('.count', { hasText: 'of' }).waitFor();
      await page.locator('vscode-button.clear').click();
      await page.locator('.count', { hasText: /^[\d,]+$/ }).waitFor();
    },
  },
  {
    name: 'following',
    most: 50,
    run: async (page, host) => {
      await page.locator('.jump').click();
      for (let step = 0; step < 40; step += 1) {
        host.append(generated(step), generated(step + 1), generated(step + 2));
        await page.waitForTimeout(25);
      }
    },
  },
];

/** Of all figures. */
const NOTE =
  'processor time of the main thread: script, style, layout and paint; the baseline is a page of 1,000 rows. So are those below';

await row(async ({ quick }) => {
  if (findChromium() === undefined) return { skipped: 'There is no Chromium on this machine.' };
  const sizes = { large: quick ? 10_000 : 100_000, small: 1000 };
  const times = { large: ACTS.map((): number[] => []), small: ACTS.map((): number[] => []) };
  const pages = await startPages();
  for (let round = 0; round < (quick ? 1 : 3); round += 1) {
    for (const which of ['large', 'small'] as const) {
      const host = new StandInHost(generatedRows(sizes[which]));
      const { page } = await pages.open(host, { width: 900 });
      await page.locator('.row').first().waitFor();
      await page.mouse.move(300, 500);
      for (const [n, { run }] of ACTS.entries()) {
        times[which][n]?.push(await longestTask(page, () => run(page, host)));
      }
      await page.context().close();
    }
  }
  await pages.close();
  return ACTS.map(({ name, most }, n): Figure => ({
    what: `page of ${sizes.large.toLocaleString('en')} rows: longest task while ${name}`,
    unit: 'ms',
    values: times.large[n] ?? [],
    baseline: times.small[n] ?? [],
    goal: { most },
    ...(n === 0 && { note: NOTE }),
  }));
});

/** The processor time (ms) of the longest task of the page's main thread during `work`. */
async function longestTask(page: Page, work: () => Promise<void>): Promise<number> {
  const browser = page.context().browser();
  if (browser === null) throw new Error('The page has no browser.');
  await browser.startTracing(page, { categories: ['toplevel', '__metadata'] });
  await work();
  const trace = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  const main = new Set(
    trace.traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid}:${tid}`),
  );
  const tasks = trace.traceEvents.filter(
    ({ name, ph, pid, tid }) => name.endsWith('RunTask') && ph === 'X' && main.has(`${pid}:${tid}`),
  );
  if (tasks.length <= 20) throw new Error('The trace does not hold the tasks of the page.');
  return Math.max(...tasks.map(({ tdur }) => tdur ?? 0)) / 1000;
}
