/** From an agent's print to its row on the screen of a real VS Code, while 20 others print, beside a bare fs.watch and JSON.parse. */
import path from 'node:path';
import { showTimeline } from '../../e2e/support.mts';
import { Workbench } from '../../support/workbench.mts';
import { quantile } from '../figure.mts';
import { makeRepository, openWindow, plainGit } from '../place.mts';
import { enough, OTHERS, PRINTER, throughBareWatch } from '../printing.mts';
import { row } from '../row.mts';
import { globalStorage, inVscode } from '../vscode.mts';

const FOLLOWED = 'Followed';

plainGit();
await row(async (context) => {
  const { scratch, quick } = context;
  const seconds = quick ? 3 : 10;
  const place = path.join(scratch, 'vscode-latency');
  const repo = await makeRepository(path.join(place, 'repo'), 10);
  return inVscode(context, async ({ server, browser }) => {
    const storage = globalStorage(server.userData);
    const workbench = await Workbench.open(browser, server, repo);
    await workbench.showContainer('Treeline');
    // Another window spawns them and closes: to spawn is not what is measured.
    const spawner = await openWindow(repo, storage, [PRINTER]);
    const ids: string[] = [];
    for (let n = 0; n <= OTHERS; n++) {
      const name = n < OTHERS ? `Other ${n + 1}` : FOLLOWED;
      ids.push((await spawner.sessions.spawn({ agent: 'printer', prompt: 'Print.', name })).id);
    }
    await spawner.treeline.dispose();
    const own: (readonly number[])[] = [];
    const bare: (readonly number[])[] = [];
    try {
      await showTimeline(workbench, FOLLOWED);
      const feed = workbench.webview().locator('[role=feed]');
      await feed.locator('.row').nth(5).waitFor();
      for (let round = 0; round < (quick ? 1 : 3); round++) {
        bare.push(enough(await throughBareWatch(path.join(place, `bare-${round}.log`), seconds), seconds));
        own.push(enough(await feed.evaluate(drawn, seconds * 1000), seconds));
      }
    } finally {
      const stopper = await openWindow(repo, storage);
      await Promise.all(ids.map((id) => stopper.sessions.stop(id)));
      await stopper.treeline.dispose();
    }
    const at = (share: number) => (rounds: readonly (readonly number[])[]) => rounds.map((one) => quantile(one, share));
    const what = 'line printed → row on the screen of VS Code, 20 others print';
    const note = 'until the frame after the one that drew it, with the row in view';
    return [
      { what: `${what}: p50`, unit: 'ms', values: at(0.5)(own), baseline: at(0.5)(bare), goal: { most: 40 }, note },
      { what: `${what}: p99`, unit: 'ms', values: at(0.99)(own), baseline: at(0.99)(bare), goal: { most: 120 } },
    ];
  });
});

/** In the page: ms from the print of each line that comes in the time to the frame after its row was drawn in view. */
function drawn(feed: Element, ms: number): Promise<number[]> {
  const now = (): number => performance.timeOrigin + performance.now();
  const began = now();
  const late: number[] = [];
  const seen = new Set<number>();
  const observer = new MutationObserver((records) => {
    const fresh: { element: Element; at: number }[] = [];
    for (const element of records.flatMap(({ addedNodes }) => [...addedNodes])) {
      const at = Number(/@(\d+)@/.exec(element.textContent ?? '')?.[1]) / 1e6;
      if (!(element instanceof Element) || !(at > began) || seen.has(at)) continue;
      seen.add(at);
      fresh.push({ element, at });
    }
    const look = (): void => {
      const frame = now();
      const hidden = fresh.filter(({ element }) => element.getBoundingClientRect().bottom > innerHeight + 1);
      for (const one of fresh) if (!hidden.includes(one)) late.push(frame - one.at);
      fresh.splice(0, Infinity, ...hidden);
      if (fresh.length > 0) requestAnimationFrame(look);
    };
    if (fresh.length > 0) requestAnimationFrame(look);
  });
  observer.observe(feed, { childList: true });
  return new Promise((resolve) => {
    setTimeout(() => {
      observer.disconnect();
      resolve(late);
    }, ms);
  });
}
