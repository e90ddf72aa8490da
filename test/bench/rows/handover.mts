/** How long nobody acts when the window that leads is closed or killed, when the last one closes, and when one opens again. */
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Figure } from '../figure.mts';
import { leftAt, whenLeads } from '../journal-facts.mts';
import { heardIn, LISTENER } from '../listener.mts';
import { GOES_ON_ALONE, makeRepository, now, plainGit } from '../place.mts';
import { ended } from '../proc.mts';
import { row } from '../row.mts';
import { WindowProcess, type Started } from '../window-process.mts';

/** What a window has to do after its opening is over by then: ms. */
const SETTLED = 1000;

/** What the death of who leads may delay: ms. */
const PROMISED = 2000;

/** How many messages there were: each is another. */
let last = 0;

plainGit();
await row(async ({ scratch, quick }) => {
  const rounds = quick ? 2 : 7;
  const place = path.join(scratch, 'handover');
  const repo = await makeRepository(path.join(place, 'repo'), 10);
  const open = (): Promise<WindowProcess> => WindowProcess.open(repo, path.join(place, 'store'), [LISTENER]);
  let leading = await open();
  const { store } = leading;
  const session = await leading.spawn('listener');
  const leads = (window: WindowProcess): Promise<{ readonly at: number }> =>
    whenLeads(store, ({ by }) => by.process.pid === window.pid);

  const quiet: number[] = [];
  const closed = { gap: [] as number[], message: [] as number[] };
  const killed = { gap: [] as number[], message: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    for (const how of ['close', 'kill'] as const) {
      const next = await open();
      await delay(SETTLED);
      quiet.push(await message(next, session));
      const at = now();
      const over = leading[how]();
      // As soon as nobody acts any more.
      if (how === 'kill') await over;
      const said = message(next, session);
      const lead = await leads(next);
      const times = how === 'close' ? closed : killed;
      times.gap.push(lead.at - (how === 'close' ? leftAt(store) : at));
      times.message.push(await said);
      await over;
      leading = next;
    }
  }

  const alone = { left: [] as number[], back: [] as number[], message: [] as number[] };
  for (let round = 0; GOES_ON_ALONE && round < rounds; round++) {
    await leading.close();
    const detached = await whenLeads(store, ({ host }) => host === 'detached');
    alone.left.push(detached.at - leftAt(store));
    await delay(SETTLED);
    leading = await open();
    alone.message.push(await message(leading, session));
    alone.back.push((await leads(leading)).at - leftAt(store));
    await ended(detached.by.process.pid);
  }
  await leading.stopAll();
  await leading.close();

  const figure = (what: string, values: number[], more: Partial<Figure> = {}): Figure[] =>
    values.length === 0 ? [] : [{ what: `hand-over, ${what}`, unit: 'ms', values, ...more }];
  return [
    ...figure('window closed → another: nobody leads for', closed.gap),
    ...figure('window closed → another: message sent meanwhile → its agent has it', closed.message, {
      baseline: quiet,
      note: 'the baseline: the same message while nothing happens',
    }),
    ...figure('window killed → another: until it leads', killed.gap, { goal: { most: PROMISED } }),
    ...figure('window killed → another: message sent meanwhile → its agent has it', killed.message, {
      baseline: quiet,
      goal: { more: PROMISED },
    }),
    ...figure('last window closed → none: nobody leads for', alone.left),
    ...figure('none → a window opens: nobody leads for', alone.back),
    ...figure('none → a window opens: its first message → its agent has it', alone.message, {
      baseline: quiet,
      goal: { more: PROMISED },
    }),
  ];
});

/** ms from a message in this window to its agent. */
async function message(window: WindowProcess, { id, folder }: Started): Promise<number> {
  const text = `message-${++last}`;
  const { at } = await window.send(id, text);
  return (await heardIn(path.join(folder, 'stdout.log'), text)) - at;
}
