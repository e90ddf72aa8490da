// The program of a window process: opens Treeline on the place it is told, and does what it is asked.
import { once } from 'node:events';

import { TreelineError, errorText } from '../../../src/platform/errors.ts';
import { openWindow, type Place } from './support.ts';
import { answerAll } from '../../support/asked-process.mts';
import type { Call } from './window-process.ts';

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

answerAll(undefined, obey, (error) => (error instanceof TreelineError ? error.code : errorText(error)));
