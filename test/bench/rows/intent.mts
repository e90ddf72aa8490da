/** From what somebody wants to what is done: a message from the window that leads, and from another one, to its agent. */
import path from 'node:path';
import { quantile, type Figure } from '../figure.mts';
import { heardIn, LISTENER, pause, throughBareRelay } from '../listener.mts';
import { makeRepository, plainGit } from '../place.mts';
import { row } from '../row.mts';
import { WindowProcess } from '../window-process.mts';

plainGit();
await row(async ({ scratch, quick }) => {
  const count = quick ? 30 : 150;
  const place = path.join(scratch, 'intent');
  const repo = await makeRepository(path.join(place, 'repo'), 10);
  const storage = path.join(place, 'store');
  // Who opens first leads.
  const leading = await WindowProcess.open(repo, storage, [LISTENER]);
  const { id, folder } = await leading.spawn('listener');
  const other = await WindowProcess.open(repo, storage, [LISTENER]);
  let last = 0;
  const messages = async (window: WindowProcess): Promise<{ heard: number[]; known: number[] }> => {
    const [heard, known]: [number[], number[]] = [[], []];
    for (let n = 0; n < count; n++) {
      await pause();
      const text = `message-${++last}`;
      const { at, done } = await window.send(id, text);
      heard.push((await heardIn(path.join(folder, 'stdout.log'), text)) - at);
      known.push(done - at);
    }
    return { heard, known };
  };
  const bare: number[][] = [];
  const fromLeading: Awaited<ReturnType<typeof messages>>[] = [];
  const fromOther: Awaited<ReturnType<typeof messages>>[] = [];
  await messages(leading);
  for (let round = 0; round < (quick ? 1 : 5); round++) {
    bare.push(await throughBareRelay(path.join(place, `bare-${round}`), count));
    fromLeading.push(await messages(leading));
    fromOther.push(await messages(other));
  }
  await leading.stopAll();
  await other.close();
  await leading.close();
  const what = 'intent to act: message sent';
  const at = (share: number, rounds: readonly (readonly number[])[]): number[] =>
    rounds.map((one) => quantile(one, share));
  const both = (name: string, rounds: readonly (readonly number[])[]): Figure[] =>
    [0.5, 0.99].map((share) => ({
      what: `${what} ${name}: p${share * 100}`,
      unit: 'ms',
      values: at(share, rounds),
      baseline: at(share, bare),
    }));
  const heard = (rounds: typeof fromOther): number[][] => rounds.map((one) => one.heard);
  return [
    ...both('in the window that leads → the agent has read it', heard(fromLeading)),
    ...both('in another window → the agent has read it', heard(fromOther)),
    ...both(
      'in another window → that window knows',
      fromOther.map((one) => one.known),
    ),
  ].map((figure, n) => ({
    ...figure,
    ...(n === 0 && {
      note: 'the baseline: a line appended to a file that another process watches and pipes to the agent',
    }),
  }));
});
