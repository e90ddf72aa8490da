import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { adapters } from '../agents/registry.ts';
import { Detector } from '../agents/detect.ts';
import { agentEnvironment } from '../platform/environment.ts';
import type { AgentAdapter } from '../agents/adapter.ts';
import { findRepository, likelyCommonDir } from '../git/repository.ts';
import type { Repository } from '../git/types.ts';
import { Emitter, type Dispose } from '../platform/emitter.ts';
import { errorText, TreelineError } from '../platform/errors.ts';
import { say } from '../words/saying.ts';
import type { Log } from '../platform/log.ts';
import { selfId, type ProcessId } from '../platform/process-id.ts';
import { claimStore, storeFolder } from '../store/store-folder.ts';
import { Store } from '../store/store.ts';
import { Timelines } from '../timeline/timelines.ts';
import { bySeverity } from '../sessions/health.ts';
import { examinePrograms } from '../sessions/health-programs.ts';
import type { Examined } from '../sessions/health-report.ts';
import type { AgentChoice, RepositorySessions } from '../sessions/service-types.ts';
import type { Settings } from '../sessions/settings.ts';
import type { ProgramCopy, Programs } from './programs.ts';
import { RepositoryHost } from './repository.ts';

export interface TreelineOptions {
  /** A folder that all windows share. */
  readonly globalStorage: string;
  readonly settings: () => Settings;
  readonly log: Log;
  /** This build's version. */
  readonly version: string;
  /** The programs of this build, as they were installed. */
  readonly assets: Programs;
  /** Gives copies of them that outlive an update of the extension; without it, they run from where they were installed. */
  readonly copies?: ProgramCopy;
  /** Whether the user trusts what is open; always, where it is not told. */
  readonly trusted?: () => boolean;
  /** The templates of sayings in the user's language, by the English ones; English, where it is not told. */
  readonly words?: Readonly<Record<string, string>>;
}

/** What changed: the list of repositories, or facts or activity of the sessions with these ids. */
export interface TreelineChange {
  readonly repositories: boolean;
  readonly sessions: ReadonlySet<string>;
}

/** A repository whose open worktree may become another one. */
type Current = { -readonly [K in keyof Repository]: Repository[K] };

interface Opened {
  readonly host: RepositoryHost;
  /** What the sessions and the pool have, too. */
  readonly repository: Current;
  readonly close: Dispose;
}

/** Stores that were opened before git had confirmed their repositories, by common git directory. */
type EarlyStores = Map<string, Store>;

/** For how many ms it is believed that an agent is installed, or not. */
const DETECTION_AGE = 60_000;

/** What a close may take: ms. The editor ends an extension host that takes five seconds. */
const CLOSE_WITHIN = 4000;

const NO_SESSIONS: ReadonlySet<string> = new Set();

/** All repositories that are open in this window. */
export class Treeline {
  readonly timelines: Timelines;
  readonly #options: TreelineOptions;
  readonly #detector = new Detector(() => agentEnvironment(process.env));
  readonly #changes: Emitter<TreelineChange>;
  /** By common git directory: two worktrees of one repository are one. */
  readonly #opened = new Map<string, Opened>();
  #repositories: readonly RepositorySessions[] = [];
  #isSet = false;
  #self: Promise<ProcessId> | undefined;
  /** The folders are set one call after the other. */
  #setting: Promise<void> = Promise.resolve();

  constructor(options: TreelineOptions) {
    this.#options = options;
    this.#changes = new Emitter((error) => options.log.error(`A listener failed: ${errorText(error)}`));
    const { assets, log, words = {} } = options;
    this.timelines = new Timelines({ worker: assets.worker, wasm: assets.wasm, log, words });
  }

  get onDidChange(): (listener: (change: TreelineChange) => void) => Dispose {
    return this.#changes.event;
  }

  get globalStorage(): string {
    return this.#options.globalStorage;
  }

  get repositories(): readonly RepositorySessions[] {
    return this.#repositories;
  }

  of(session: string): RepositorySessions | undefined {
    return this.#repositories.find((repository) => repository.get(session) !== undefined);
  }

  /** Opens the repositories of these folders and closes those that are in none of them any more. */
  setFolders(folders: readonly string[]): Promise<void> {
    this.#setting = this.#setting.then(() => this.#setFolders(folders));
    return this.#setting;
  }

  /** To be called when the settings have changed: a higher limit lets waiting sessions start. */
  settingsChanged(): void {
    for (const { host } of this.#opened.values()) {
      host.settingsChanged();
    }
  }

  /** Has a changed setting `treeline.warmWorktrees` take effect: worktrees that are not to be kept ready any more are removed. */
  tidyPools(): void {
    for (const { host } of this.#opened.values()) {
      host.tidyPool();
    }
  }

  /** The agents that can be chosen, those found on this machine first. */
  async agents(): Promise<readonly AgentChoice[]> {
    const { customAgents } = this.#options.settings();
    const custom = new Set(customAgents.map(({ id }) => id));
    const choices = await Promise.all(
      this.#adapters().map(async ({ id, name, detection }) => {
        const { found, version, hint } = await this.#detector.detect(detection, { maxAge: DETECTION_AGE });
        return { id, name, custom: custom.has(id), found, hint, ...(version !== undefined && { version }) };
      }),
    );
    return [...choices.filter(({ found }) => found), ...choices.filter(({ found }) => !found)];
  }

  /** What people call an agent; its id where no agent has it. */
  agentName(id: string): string {
    return this.#adapters().find((one) => one.id === id)?.name ?? id;
  }

  /** Makes the programs that outlive a window, where they are not there yet. */
  async copyPrograms(): Promise<void> {
    await this.#lasting();
  }

  /** Examines all open repositories, and the programs of this machine. */
  async examine(signal?: AbortSignal): Promise<readonly Examined[]> {
    const examined: Examined[] = [];
    for (const sessions of this.#repositories) {
      examined.push({ where: sessions.repository.root, findings: await sessions.examine(signal) });
    }
    const used = new Set(this.#repositories.flatMap((sessions) => sessions.list().map(({ agent }) => agent.id)));
    const programs = await examinePrograms(this.#detector, this.#adapters(), used);
    return [{ where: 'This machine', findings: bySeverity(programs) }, ...examined];
  }

  /** Closes everything, side by side, as far as that is done within {@link CLOSE_WITHIN}: what is left is taken up by the next one. */
  async dispose(): Promise<void> {
    await Promise.race([this.#close(), delay(CLOSE_WITHIN, undefined, { ref: false })]);
  }

  async #close(): Promise<void> {
    // A judgement that is under way is given up, and made by whoever acts next.
    const closed = this.timelines.dispose();
    await this.#setting;
    const opened = [...this.#opened.values()];
    this.#opened.clear();
    this.#repositories = [];
    await Promise.all([closed, ...opened.map((one) => close(one))]);
  }

  async #setFolders(folders: readonly string[]): Promise<void> {
    /** By common git directory: once for each of its worktrees that is open. */
    const found = new Map<string, [Repository, ...Repository[]]>();
    const early: EarlyStores = new Map();
    const [repositories] = await Promise.all([
      Promise.all(folders.map((folder) => this.#find(folder))),
      ...folders.map((folder) => this.#openEarly(folder, early)),
    ]);
    for (const repository of repositories) {
      if (repository !== undefined) {
        const same = found.get(repository.commonDir);
        if (same === undefined) {
          found.set(repository.commonDir, [repository]);
        } else {
          same.push(repository);
        }
      }
    }
    const gone = [...this.#opened].filter(([commonDir]) => !found.has(commonDir));
    for (const [commonDir] of gone) {
      this.#opened.delete(commonDir);
    }
    let isElsewhere = false;
    for (const [commonDir, worktrees] of found) {
      const [repository] = worktrees;
      const opened = this.#opened.get(commonDir);
      if (opened !== undefined) {
        // What is spawned starts from the worktree that is open: it must be one that still is.
        if (!worktrees.some(({ root }) => root === opened.repository.root)) {
          Object.assign(opened.repository, repository);
          isElsewhere = true;
        }
      } else {
        try {
          this.#opened.set(commonDir, await this.#open(repository, early));
        } catch (error) {
          this.#options.log.error(`The sessions of ${repository.root} could not be opened: ${errorText(error)}`);
        }
      }
    }
    // git knew better.
    await Promise.all([...early.values()].map((store) => store.dispose()));
    const now = [...found.keys()].flatMap((commonDir) => this.#opened.get(commonDir)?.host.sessions ?? []);
    const isSame = now.length === this.#repositories.length && now.every((one, n) => one === this.#repositories[n]);
    // The first time also when there are none: now that is known.
    if (!isSame || isElsewhere || !this.#isSet) {
      this.#repositories = now;
      this.#isSet = true;
      this.#changes.fire({ repositories: true, sessions: NO_SESSIONS });
    }
    await Promise.all(gone.map(([, opened]) => close(opened)));
  }

  async #find(folder: string): Promise<Repository | undefined> {
    try {
      return await findRepository(folder);
    } catch (error) {
      this.#options.log.warn(`${folder} could not be read as a git repository: ${errorText(error)}`);
      return undefined;
    }
  }

  /** Has a store read while git is being asked about its repository: the one takes as long as the other. */
  async #openEarly(folder: string, early: EarlyStores): Promise<void> {
    try {
      const [commonDir, self] = await Promise.all([likelyCommonDir(folder), this.#who()]);
      if (commonDir === undefined || this.#opened.has(commonDir) || early.has(commonDir)) return;
      const store = storeFolder(this.#options.globalStorage, commonDir);
      if (existsSync(store)) early.set(commonDir, this.#openStore(store, self));
    } catch (error) {
      this.#options.log.debug(`The store of ${folder} was not opened early: ${errorText(error)}`);
    }
  }

  #who(): Promise<ProcessId> {
    this.#self ??= selfId();
    return this.#self;
  }

  #openStore(folder: string, self: ProcessId): Store {
    return Store.open(folder, { role: 'window', process: self }, this.#options.log);
  }

  /** Ties the store to its repository as soon as there is a session. Where none is, nothing is written to the repository. */
  #claim(store: Store, commonDir: string): Dispose {
    let unsubscribe: Dispose = () => undefined;
    const claim = (): void => {
      if (store.list().length === 0) return;
      unsubscribe();
      try {
        claimStore(store.folder, commonDir);
      } catch (error) {
        this.#options.log.warn(`${commonDir} will not be recognized after it was moved: ${errorText(error)}`);
      }
    };
    unsubscribe = store.onDidChange(claim);
    void store.ready.then(claim);
    return () => unsubscribe();
  }

  async #open(found: Repository, early: EarlyStores): Promise<Opened> {
    const { globalStorage, settings, log, version } = this.#options;
    const self = await this.#who();
    const { commonDir } = found;
    const store = early.get(commonDir) ?? this.#openStore(storeFolder(globalStorage, commonDir), self);
    early.delete(commonDir);
    const repository: Current = { ...found };
    const unclaim = this.#claim(store, commonDir);
    const host = new RepositoryHost({
      repository,
      folder: store.folder,
      store,
      outputs: this.timelines,
      settings,
      adapter: (id) => this.#adapter(id),
      detector: this.#detector,
      keeper: async () => (await this.#lasting()).keeper,
      self,
      log,
      host: 'window',
      version,
      succession: {
        program: async () => (await this.#lasting()).steward,
        handover: () =>
          this.#options.trusted?.() === false ? undefined : { repository, settings: settings(), version },
      },
    });
    const unsubscribe = host.sessions.onDidChange((ids) => this.#changes.fire({ repositories: false, sessions: ids }));
    const close = (): void => {
      unsubscribe();
      unclaim();
    };
    return { host, repository, close };
  }

  /** The programs that outlive this window. */
  async #lasting(): Promise<Programs> {
    return this.#options.copies?.programs() ?? this.#options.assets;
  }

  #adapters(): readonly AgentAdapter[] {
    const { programs, customAgents } = this.#options.settings();
    return adapters(customAgents, programs);
  }

  #adapter(id: string): AgentAdapter {
    const all = this.#adapters();
    const adapter = all.find((one) => one.id === id);
    if (adapter === undefined) {
      throw new TreelineError(say('unknown-agent', { agent: id, agents: all.map((one) => one.id) }));
    }
    return adapter;
  }
}

async function close(opened: Opened): Promise<void> {
  opened.close();
  await opened.host.dispose();
}
