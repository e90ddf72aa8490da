import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

import type { OldArchives, Restored, ResumeRequest, SpawnRequest } from '../../../src/sessions/service-types.ts';
import type { TrashAnswer } from '../../../src/sessions/trash-record.ts';
import type { ExitRecord, Session } from '../../../src/store/model.ts';
import type { Activity } from '../../../src/timeline/rows.ts';
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

export type Answer = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: string };

export interface WindowProcessOptions {
  /** Options for its node. */
  readonly execArgv?: readonly string[];
  /** Added to its environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A window in a process of its own: as in a real VS Code, where every window has its extension host. */
export class WindowProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #last = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', ({ id, answer }: { id: number; answer: Answer }) => {
      this.#waiting.get(id)?.(answer);
      this.#waiting.delete(id);
    });
    child.on('exit', () => {
      for (const resolve of this.#waiting.values()) {
        resolve({ ok: false, error: 'window-gone' });
      }
    });
  }

  static async open(place: Place, { execArgv = [], env = {} }: WindowProcessOptions = {}): Promise<WindowProcess> {
    const child = fork(path.join(import.meta.dirname, 'window-main.ts'), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: [...execArgv],
      env: { ...process.env, ...env },
    });
    const window = new WindowProcess(child);
    const ready = once(child, 'message');
    const ended = once(child, 'exit').then(() => Promise.reject(new Error('The window ended before it was open.')));
    ended.catch(() => undefined);
    child.send(place);
    await Promise.race([ready, ended]);
    return window;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  spawn(request: SpawnRequest): Promise<Session> {
    return this.#ask({ do: 'spawn', request }) as Promise<Session>;
  }

  resume(session: string, request: ResumeRequest): Promise<Session> {
    return this.#ask({ do: 'resume', session, request }) as Promise<Session>;
  }

  stop(session: string): Promise<ExitRecord | undefined> {
    return this.#ask({ do: 'stop', session }) as Promise<ExitRecord | undefined>;
  }

  async send(session: string, text: string): Promise<void> {
    await this.#ask({ do: 'send', session, text });
  }

  archive(session: string): Promise<Session> {
    return this.#ask({ do: 'archive', session }) as Promise<Session>;
  }

  unarchive(session: string): Promise<Restored> {
    return this.#ask({ do: 'unarchive', session }) as Promise<Restored>;
  }

  purge(session: string): Promise<Session> {
    return this.#ask({ do: 'purge', session }) as Promise<Session>;
  }

  activity(session: string): Promise<Activity | undefined> {
    return this.#ask({ do: 'activity', session }) as Promise<Activity | undefined>;
  }

  oldArchives(): Promise<OldArchives | undefined> {
    return this.#ask({ do: 'oldArchives' }) as Promise<OldArchives | undefined>;
  }

  async answerOldArchives(answer: TrashAnswer): Promise<void> {
    await this.#ask({ do: 'answerOldArchives', answer });
  }

  list(): Promise<readonly Session[]> {
    return this.#ask({ do: 'list' }) as Promise<readonly Session[]>;
  }

  /** Closes it as the editor does, and waits until its process is gone. */
  async close(): Promise<void> {
    const gone = once(this.#child, 'exit');
    await this.#ask({ do: 'close' });
    this.#child.disconnect();
    await gone;
  }

  /** kill -9, and waits until the process is gone. */
  async kill(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const gone = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await gone;
    }
  }

  async #ask(call: Call): Promise<unknown> {
    const id = ++this.#last;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#waiting.set(id, resolve);
    this.#child.send({ id, call });
    const answer = await promise;
    if (!answer.ok) {
      throw Object.assign(new Error(answer.error), { code: answer.error });
    }
    return answer.value;
  }
}
