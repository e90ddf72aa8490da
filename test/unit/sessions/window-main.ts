// The program of a window process: opens Treeline on the place it is told, and does what it is asked.
import { once } from 'node:events';

import { TreelineError, errorText } from '../../../src/platform/errors.ts';
import { openWindow, type Place } from './support.ts';
import type { Answer, Call } from './window-process.ts';

const [place] = (await once(process, 'message')) as [Place];
const { sessions, treeline } = await openWindow(place);

function obey(call: Call): Promise<unknown> {
  switch (call.do) {
    case 'spawn':
      return sessions.spawn(call.request);
    case 'resume':
      return sessions.resume(call.session, call.request);
    case 'stop':
      return sessions.stop(call.session);
    case 'send':
      return sessions.send(call.session, call.text);
    case 'archive':
      return sessions.archive(call.session);
    case 'unarchive':
      return sessions.unarchive(call.session);
    case 'purge':
      return sessions.purge(call.session);
    case 'activity':
      return Promise.resolve(sessions.activity(call.session));
    case 'oldArchives':
      return sessions.oldArchives();
    case 'answerOldArchives':
      return sessions.answerOldArchives(call.answer);
    case 'list':
      return Promise.resolve(sessions.list());
    case 'close':
      return treeline.dispose();
  }
}

process.on('message', ({ id, call }: { id: number; call: Call }) => {
  obey(call).then(
    (value) => reply(id, { ok: true, value }),
    (error: unknown) => reply(id, { ok: false, error: error instanceof TreelineError ? error.code : errorText(error) }),
  );
});
process.on('disconnect', () => process.exit());
reply(0, { ok: true, value: undefined });

function reply(id: number, answer: Answer): void {
  process.send?.({ id, answer });
}
