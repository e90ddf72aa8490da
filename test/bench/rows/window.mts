/** A window opens on a store of a thousand sessions, beside one on an empty store: each in a fresh process. */
import { fork } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { row } from '../row.mts';
import { thousand } from '../thousand.mts';

interface Opened {
  readonly ms: number;
  readonly memory: number;
  readonly sessions: number;
}

await row(async (context) => {
  const full = await thousand(context);
  const empty = path.join(full.repo, '../empty-store');
  mkdirSync(empty, { recursive: true });
  const opened: Record<'full' | 'empty', Opened[]> = { full: [], empty: [] };
  for (let round = 0; round < (context.quick ? 3 : 9); round++) {
    for (const which of round % 2 === 0 ? (['full', 'empty'] as const) : (['empty', 'full'] as const)) {
      const one = await open(full.repo, which === 'full' ? full.storage : empty);
      if (one.sessions !== (which === 'full' ? full.sessions.length : 0)) throw new Error('It shows other sessions.');
      // The first of each warms up the file system's cache.
      if (round > 0) opened[which].push(one);
    }
  }
  const size = `${full.sessions.length.toLocaleString('en')} sessions, ${full.events.toLocaleString('en')} events`;
  const of = (which: 'full' | 'empty', key: 'ms' | 'memory'): number[] => opened[which].map((one) => one[key]);
  return [
    {
      what: `window opens: first list, ${size}`,
      unit: 'ms',
      values: of('full', 'ms'),
      baseline: of('empty', 'ms'),
      goal: { ratio: 1.5, most: 200 },
      note: 'from the start of Treeline, its code loaded, to the list of sessions; the baseline is an empty store',
    },
    {
      what: 'window opens: resident memory',
      unit: 'MB',
      values: of('full', 'memory'),
      baseline: of('empty', 'memory'),
      goal: { more: 20 },
    },
  ];
});

function open(repo: string, storage: string): Promise<Opened> {
  return new Promise((resolve, reject) => {
    const child = fork(path.join(import.meta.dirname, '../open-window.mts'), [repo, storage], {
      execArgv: ['--expose-gc'],
    });
    child.once('message', (message) => resolve(message as Opened));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`The window ended with code ${String(code)}.`)));
  });
}
