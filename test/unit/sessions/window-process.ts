import path from 'node:path';

import type { OldArchives, Restored, ResumeRequest, SpawnRequest } from '../../../src/sessions/service-types.ts';
import type { TrashAnswer } from '../../../src/sessions/trash-record.ts';
import type { ExitRecord, Session } from '../../../src/store/model.ts';
import type { Activity } from '../../../src/protocol/rows.ts';
import { AskedProcess, type ProcessOptions } from '../../support/asked-process.mts';
import type { Place } from './support.ts';

/** What a window in another process can be asked. */
export type Call =
  | { readonly do: 'spawn'; readonly request: SpawnRequest }
  | { readonly do: 'resume'; readonly session: string; readonly request: ResumeRequest }
  | { readonly do: 'stop'; readonly session: string }
  | { readonly do: 'send'; readonly session: string; readonly text: string }
  | { readonly do: 'archive'; readonly session: string }
  | { readonly do: 'unarchive'; readonly session: string }
  | { readonly do: 'purge'; readonly session: string }
  | { readonly do: 'activity'; readonly session: string }
  | { readonly do: 'oldArchives' }
  | { readonly do: 'answerOldArchives'; readonly answer: TrashAnswer }
  | { readonly do: 'list' }
  | { readonly do: 'close' };

/** A window in a process of its own: as in a real VS Code, where every window has its extension host. */
export class WindowProcess extends AskedProcess<Call> {
  static async open(place: Place, options: ProcessOptions = {}): Promise<WindowProcess> {
    const { child } = await this.start(path.join(import.meta.dirname, 'window-main.ts'), place, options);
    return new WindowProcess(child);
  }

  spawn(request: SpawnRequest): Promise<Session> {
    return this.ask({ do: 'spawn', request }) as Promise<Session>;
  }

  resume(session: string, request: ResumeRequest): Promise<Session> {
    return this.ask({ do: 'resume', session, request }) as Promise<Session>;
  }

  stop(session: string): Promise<ExitRecord | undefined> {
    return this.ask({ do: 'stop', session }) as Promise<ExitRecord | undefined>;
  }

  async send(session: string, text: string): Promise<void> {
    await this.ask({ do: 'send', session, text });
  }

  archive(session: string): Promise<Session> {
    return this.ask({ do: 'archive', session }) as Promise<Session>;
  }

  unarchive(session: string): Promise<Restored> {
    return this.ask({ do: 'unarchive', session }) as Promise<Restored>;
  }

  purge(session: string): Promise<Session> {
    return this.ask({ do: 'purge', session }) as Promise<Session>;
  }

  activity(session: string): Promise<Activity | undefined> {
    return this.ask({ do: 'activity', session }) as Promise<Activity | undefined>;
  }

  oldArchives(): Promise<OldArchives | undefined> {
    return this.ask({ do: 'oldArchives' }) as Promise<OldArchives | undefined>;
  }

  async answerOldArchives(answer: TrashAnswer): Promise<void> {
    await this.ask({ do: 'answerOldArchives', answer });
  }

  list(): Promise<readonly Session[]> {
    return this.ask({ do: 'list' }) as Promise<readonly Session[]>;
  }

  /** Closes it as the editor does, and waits until its process is gone. */
  close(): Promise<void> {
    return this.leave({ do: 'close' });
  }
}
