/** Windows in processes of their own: only so do they share nothing but the store. */
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { AskedProcess } from '../support/asked-process.mts';
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

/** What a window says when it is open. */
export interface Ready {
  /** The folder of the repository's store. */
  readonly store: string;
  /** ms since the epoch. */
  readonly at: number;
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

export class WindowProcess extends AskedProcess<Call> {
  /** The folder of the repository's store. */
  readonly store: string;
  /** When it was open: ms since the epoch. */
  readonly openedAt: number;

  private constructor(child: ChildProcess, { store, at }: Ready) {
    super(child);
    this.store = store;
    this.openedAt = at;
  }

  static async open(
    repo: string,
    storage: string,
    agents: readonly BenchAgent[] = [],
    env: NodeJS.ProcessEnv = {},
  ): Promise<WindowProcess> {
    const program = path.join(import.meta.dirname, 'window-main.mts');
    const opening: Opening = { repo, storage, agents };
    const { child, ready } = await this.start(program, opening, { execArgv: ['--expose-gc'], env });
    return new WindowProcess(child, ready as Ready);
  }

  /** ms from the command to the clock agent's first instruction. */
  spawnClock(): Promise<number> {
    return this.ask({ do: 'spawnClock' }) as Promise<number>;
  }

  spawn(agent: string): Promise<Started> {
    return this.ask({ do: 'spawn', agent }) as Promise<Started>;
  }

  send(session: string, text: string): Promise<Sent> {
    return this.ask({ do: 'send', session, text }) as Promise<Sent>;
  }

  async stopAll(): Promise<void> {
    await this.ask({ do: 'stopAll' });
  }

  /** Has it give back what it does not need. */
  async collect(): Promise<void> {
    await this.ask({ do: 'collect' });
  }

  /** Closes it as VS Code does, and waits until its process is gone. */
  close(): Promise<void> {
    return this.leave({ do: 'close' });
  }
}
