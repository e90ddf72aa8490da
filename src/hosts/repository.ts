import { errorText } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { stewardSocketPath } from '../platform/paths.ts';
import type { Context } from '../sessions/context.ts';
import { SessionsOfRepository } from '../sessions/repository-sessions.ts';
import { timelineSource } from '../sessions/timeline-source.ts';
import { TrashRecord } from '../sessions/trash-record.ts';
import { WorktreePool } from '../sessions/worktree-pool.ts';
import type { StewardContext } from '../steward/context.ts';
import { Steward } from '../steward/steward.ts';
import type { Lead } from '../store/model.ts';
import type { Store } from '../store/store.ts';
import type { Handover } from './handover.ts';
import { Succession } from './succession.ts';

/** Its store is closed with the rest. */
export interface OpenRepository extends Context, Pick<StewardContext, 'outputs' | 'keeper'> {
  readonly host: Lead['host'];
  readonly version: string;
  readonly onLead?: (leads: boolean) => void;
  readonly onRetired?: () => void;
  /** What goes on when no window is open any more. */
  readonly succession: SuccessionOptions;
}

export interface SuccessionOptions {
  /** Path of the bundle that acts without a window. */
  readonly program: () => Promise<string>;
  /** What that needs to know; undefined while the user does not trust what is open. */
  readonly handover: () => Handover | undefined;
}

/** A repository that this process has open: its sessions, and the part that acts for them while it is this process's turn. */
export class RepositoryHost {
  readonly sessions: SessionsOfRepository;
  readonly steward: Steward;
  readonly #store: Store;
  readonly #pool: WorktreePool;
  readonly #succession: Succession;
  readonly #isWindow: boolean;
  #disposed = false;

  constructor(options: OpenRepository) {
    const { repository, folder, store, settings, adapter, detector, self, log } = options;
    const context: Context = { repository, folder, store, settings, adapter, detector, self, log };
    const trash = new TrashRecord(folder);
    this.#store = store;
    this.#isWindow = options.host === 'window';
    this.#pool = new WorktreePool({ repository, settings, log });
    this.#succession = new Succession({ ...options.succession, store: folder, leads: () => this.steward.leads, log });
    this.sessions = new SessionsOfRepository({ context, trash, nudge: () => this.steward.nudge() });
    this.steward = new Steward({
      context: {
        ...context,
        outputs: options.outputs,
        pool: this.#pool,
        keeper: options.keeper,
        successor: this.#succession,
      },
      trash,
      host: options.host,
      version: options.version,
      socket: stewardSocketPath(folder),
      onActivity: (activity) => this.sessions.noteActivity(activity),
      onLead: (leads) => {
        if (this.#isWindow) void this.#succession.note();
        options.onLead?.(leads);
      },
      ...(options.onRetired && { onRetired: options.onRetired }),
      ...(this.#isWindow && { onAbandon: (lead: string) => this.#succession.begin(lead) }),
    });
    // A timeline that is open here learns of turns that came and ended, whoever acts.
    store.onDidChange((ids) => {
      for (const id of ids) {
        const session = store.get(id);
        if (session !== undefined && options.outputs.has(id)) {
          options.outputs.update(timelineSource(folder, session));
        }
      }
    });
    void store.ready.then(() => {
      if (this.#disposed) return;
      this.steward.join();
      void this.#logFindings(log);
    });
  }

  /** To be called when the settings have changed: a higher limit lets waiting sessions start. */
  settingsChanged(): void {
    if (this.#isWindow) void this.#succession.note();
    this.steward.nudge();
  }

  /** Has a changed setting `treeline.warmWorktrees` take effect: worktrees that are not to be kept ready any more are removed. */
  tidyPool(): void {
    if (this.steward.leads) this.#pool.tidy();
  }

  /** Agents outlive this: only what acts for them goes, for another process to take over. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    this.sessions.dispose();
    await Promise.all([this.steward.dispose(), this.#pool.dispose()]);
    await this.#store.dispose();
  }

  /** At the start, what can be seen without a look beyond the state goes to the log. */
  async #logFindings(log: Log): Promise<void> {
    try {
      for (const { sentence, evidence } of await this.sessions.examineCheaply()) {
        log.info(`${sentence} ${evidence.join('; ')}`);
      }
    } catch (error) {
      log.warn(errorText(error));
    }
  }
}
