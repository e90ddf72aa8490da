/** Windows in processes of their own: only so do they share nothing but the store. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { BenchAgent } from './place.mts';

export interface Opening {
  readonly repo: string;
  readonly storage: string;
  readonly agents: readonly BenchAgent[];
}

/** What a window can be asked. */
export type Call =
  | { readonly do: 'spawnClock' | 'stopAll' | 'collect' | 'close' }
  | { readonly do: 'spawn'; readonly agent: string }
  | { readonly do: 'send'; readonly session: string; readonly text: string };

export interface Answer {
  readonly value?: unknown;
  readonly error?: string;
}

/** A session whose agent runs. */
export interface Started {
  readonly id: string;
  /** The process that keeps it. */
  readonly keeper: number;
  /** The folder of its run. */
  readonly folder: string;
}

/** When a message was handed over, and when its sender knew that it was delivered: ms since the epoch. */
export interface Sent {
  readonly at: number;
  readonly done: number;
}

export class WindowProcess {
  /** The folder of the repository's store. */
  readonly store: string;
  /** When it was open: ms since the epoch. */
  readonly openedAt: number;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #last = 0;

  private constructor(child: ChildProcess, { store, at }: { store: string; at: number }) {
    this.#child = child;
    this.store = store;
    this.openedAt = at;
    child.on('message', ({ id, answer }: { id: number; answer: Answer }) => {
      this.#waiting.get(id)?.(answer);
      this.#waiting.delete(id);
    });
    child.on('exit', () => {
      for (const resolve of this.#waiting.values()) resolve({ error: 'The window is gone.' });
    });
  }

  static async open(
    repo: string,
    storage: string,
    agents: readonly BenchAgent[] = [],
    env: NodeJS.ProcessEnv = process.env,
  ): Promise<WindowProcess> {
    const child = fork(path.join(import.meta.dirname, 'window-main.mts'), { execArgv: ['--expose-gc'], env });
    const opened = once(child, 'message');
    const gone = once(child, 'exit').then(() => Promise.reject(new Error('The window ended before it was open.')));
    gone.catch(() => undefined);
    child.send({ repo, storage, agents } satisfies Opening);
    const [{ answer }] = (await Promise.race([opened, gone])) as [{ answer: Answer }];
    return new WindowProcess(child, answer.value as { store: string; at: number });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** ms from the command to the clock agent's first instruction. */
  spawnClock(): Promise<number> {
    return this.#ask({ do: 'spawnClock' }) as Promise<number>;
  }

  spawn(agent: string): Promise<Started> {
    return this.#ask({ do: 'spawn', agent }) as Promise<Started>;
  }

  send(session: string, text: string): Promise<Sent> {
    return this.#ask({ do: 'send', session, text }) as Promise<Sent>;
  }

  async stopAll(): Promise<void> {
    await this.#ask({ do: 'stopAll' });
  }

  /** Has it give back what it does not need. */
  async collect(): Promise<void> {
    await this.#ask({ do: 'collect' });
  }

  /** Closes it as VS Code does, and waits until its process is gone. */
  async close(): Promise<void> {
    const gone = once(this.#child, 'exit');
    await this.#ask({ do: 'close' });
    this.#child.disconnect();
    await gone;
  }

  /** kill -9, and waits until its process is gone. */
  async kill(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }

  async #ask(call: Call): Promise<unknown> {
    const id = ++this.#last;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#waiting.set(id, resolve);
    this.#child.send({ id, call });
    const { value, error } = await promise;
    if (error !== undefined) throw new Error(error);
    return value;
  }
}
