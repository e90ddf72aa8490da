/** How long the host's event loop keeps its work waiting while 50 agents print 100 lines a second each, beside an idle window. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { timelineSource } from '../../../src/sessions/timeline-source.ts';
import { ALL_ROWS } from '../../../src/protocol/rows.ts';
import type { Figure } from '../figure.mts';
import { watchLoop, type LoopDelay } from '../loop-delay.mts';
import { makeRepository, openWindow, plainGit } from '../place.mts';
import { row } from '../row.mts';

plainGit();
await row(async ({ scratch, quick }) => {
  const agents = quick ? 10 : 50;
  const seconds = quick ? 2 : 5;
  const rounds = quick ? 1 : 3;
  const place = path.join(scratch, 'event-loop');
  const repo = await makeRepository(path.join(place, 'repo'), 10);
  const printer = path.join(import.meta.dirname, '../printer.mjs');
  const window = await openWindow(repo, path.join(place, 'store'), [
    { id: 'printer', command: [process.execPath, printer, '100', '20', '${promptFile}'], format: 'claude' },
  ]);
  const { sessions, treeline } = window;
  // A process beside this one: what the machine itself keeps waiting is not the host's doing.
  const other = fork(path.join(import.meta.dirname, '../loop-watcher.mts'));
  const watch = async (): Promise<{ own: LoopDelay; other: LoopDelay }> => {
    other.send('start');
    const stop = watchLoop();
    await delay(seconds * 1000);
    const own = stop();
    other.send('stop');
    const [told] = (await once(other, 'message')) as [LoopDelay];
    return { own, other: told };
  };
  await delay(500);
  const idle: LoopDelay[] = [];
  for (let round = 0; round < rounds; round++) idle.push((await watch()).own);

  const ids: string[] = [];
  for (let n = 0; n < agents; n++) {
    ids.push((await sessions.spawn({ agent: 'printer', prompt: `Print, number ${n}.` })).id);
  }
  // What the views do: the tree reads the list at every change, and one timeline is open.
  let changes = 0;
  treeline.onDidChange(() => {
    for (const { id } of sessions.list()) if (sessions.activity(id)?.retrying === true) return;
    changes++;
  });
  const [first = ''] = ids;
  const session = sessions.get(first);
  if (session === undefined) throw new Error('The first session is gone.');
  const close = treeline.timelines.open(timelineSource(sessions.store, session));
  let { rev, total } = await treeline.timelines.page(first, ALL_ROWS, -50, 50);
  const before = total;
  let asking = false;
  treeline.timelines.onActivity((activity) => {
    if (activity.session !== first || asking) return;
    asking = true;
    void treeline.timelines.delta(first, rev, ALL_ROWS).then((delta) => {
      ({ rev, total } = delta);
      asking = false;
    });
  });
  await delay(2000);
  const busy: { own: LoopDelay; other: LoopDelay }[] = [];
  for (let round = 0; round < rounds; round++) busy.push(await watch());
  if (changes === 0 || total - before < 50 * seconds) throw new Error('The agents printed less than they should.');
  other.disconnect();
  close();
  await Promise.all(ids.map((id) => sessions.stop(id)));
  await treeline.dispose();

  const of = (key: keyof LoopDelay): Pick<Figure, 'unit' | 'values' | 'baseline' | 'note'> => ({
    unit: 'ms',
    values: busy.map(({ own }) => own[key]),
    baseline: idle.map((one) => one[key]),
    note: `real keepers and agents; a process that does nothing waited ${busy.map(({ other }) => other[key].toFixed(1)).join(', ')} ms beside them`,
  });
  const what = `host's event loop, ${agents} agents × 100 lines/s`;
  return [
    { what: `${what}: p99 delay`, ...of('p99'), goal: { most: 15 } },
    { what: `${what}: longest delay`, ...of('max'), goal: { most: 50 } },
  ];
});
