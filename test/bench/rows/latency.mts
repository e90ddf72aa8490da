/** From an agent's print to its row in the hands of the host, while 20 others print, beside a bare fs.watch and JSON.parse. */
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { timelineSource } from '../../../src/sessions/timeline-source.ts';
import { ALL_ROWS } from '../../../src/protocol/rows.ts';
import { quantile } from '../figure.mts';
import { makeRepository, now, openWindow, plainGit, type Window } from '../place.mts';
import { enough, OTHERS, printedAt, PRINTER, throughBareWatch } from '../printing.mts';
import { row } from '../row.mts';

plainGit();
await row(async ({ scratch, quick }) => {
  const seconds = quick ? 2 : 8;
  const place = path.join(scratch, 'latency');
  const repo = await makeRepository(path.join(place, 'repo'), 10);
  const window = await openWindow(repo, path.join(place, 'store'), [PRINTER]);
  const { sessions } = window;
  const others: string[] = [];
  for (let n = 0; n < OTHERS; n++) others.push((await sessions.spawn({ agent: 'printer', prompt: 'Print.' })).id);
  await delay(1000);
  const own: (readonly number[])[] = [];
  const bare: number[][] = [];
  for (let round = 0; round < (quick ? 1 : 3); round++) {
    bare.push(await throughBareWatch(path.join(place, `bare-${round}.log`), seconds));
    own.push(await throughTreeline(window, seconds));
  }
  await Promise.all(others.map((id) => sessions.stop(id)));
  await window.treeline.dispose();
  const at = (share: number) => (rounds: readonly (readonly number[])[]) => rounds.map((one) => quantile(one, share));
  const what = 'line printed → row in the host, 20 others print';
  const note = 'the way on to the screen is the row vscode-latency';
  return [
    { what: `${what}: p50`, unit: 'ms', values: at(0.5)(own), baseline: at(0.5)(bare), goal: { most: 40 }, note },
    { what: `${what}: p99`, unit: 'ms', values: at(0.99)(own), baseline: at(0.99)(bare), goal: { most: 120 } },
  ];
});

/** ms of each line, through keeper, worker, activity and delta, as a timeline panel asks for them. */
async function throughTreeline({ sessions, treeline }: Window, seconds: number): Promise<readonly number[]> {
  const { id } = await sessions.spawn({ agent: 'printer', prompt: 'Print.' });
  const session = sessions.get(id);
  if (session === undefined) throw new Error('The session is gone.');
  const close = treeline.timelines.open(timelineSource(sessions.store, session));
  let { rev } = await treeline.timelines.page(id, ALL_ROWS, -50, 50);
  await delay(1000);
  const late: number[] = [];
  let busy = false;
  let again = false;
  const ask = async (): Promise<void> => {
    again = true;
    if (busy) return;
    busy = true;
    while (again) {
      again = false;
      const delta = await treeline.timelines.delta(id, rev, ALL_ROWS);
      const seen = now();
      rev = delta.rev;
      for (const { text } of delta.appended) {
        const at = printedAt(text.text);
        if (at !== undefined) late.push(seen - at);
      }
    }
    busy = false;
  };
  // What came before is not new.
  ({ rev } = await treeline.timelines.page(id, ALL_ROWS, -1, 1));
  const stop = treeline.timelines.onActivity((activity) => {
    if (activity.session === id) void ask();
  });
  await delay(seconds * 1000);
  stop();
  close();
  await sessions.stop(id);
  return enough(late, seconds);
}
