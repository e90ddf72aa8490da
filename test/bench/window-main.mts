/** The program of a window in a process of its own, as every window of VS Code has its extension host: see window-process.mts. */
import { once } from 'node:events';
import { now, openWindow, plainGit, spawnClock, stopAll, when } from './place.mts';
import { answerAll } from '../support/asked-process.mts';
import type { Call, Opening, Ready } from './window-process.mts';

plainGit();
const [{ repo, storage, agents }] = (await once(process, 'message')) as [Opening];
const window = await openWindow(repo, storage, agents);
const { sessions, treeline } = window;
// What the views do: the tree reads the list at every change.
treeline.onDidChange(() => {
  for (const { id } of sessions.list()) sessions.activity(id);
});

async function obey(call: Call): Promise<unknown> {
  switch (call.do) {
    case 'spawnClock':
      return spawnClock(window);
    case 'spawn': {
      const { id } = await sessions.spawn({ agent: call.agent, prompt: 'Go on.' });
      const { runs } = await when(sessions, id, ({ runs: [run] }) => run?.agent !== undefined);
      return { id, keeper: runs[0]?.keeper?.process.pid, folder: sessions.turnFolder(id, 1) };
    }
    case 'send': {
      const at = now();
      await sessions.send(call.session, call.text);
      return { at, done: now() };
    }
    case 'stopAll':
      return stopAll(window);
    case 'collect':
      return globalThis.gc?.();
    case 'close':
      return treeline.dispose();
  }
}

answerAll({ store: sessions.store, at: now() } satisfies Ready, obey, String);
