import type { Repository } from '../git/types.ts';
import { Emitter, type Dispose } from '../platform/emitter.ts';
import { TreelineError, errorText } from '../platform/errors.ts';
import { runFolder, textFile } from '../platform/paths.ts';
import { isAliveNow, isSame } from '../platform/process-id.ts';
import { isHeldBy } from '../store/leadership.ts';
import { lastTurn } from '../store/lifecycle.ts';
import type { ExitRecord, Session, Turn } from '../store/model.ts';
import type { Activity } from '../protocol/rows.ts';
import { say } from '../words/saying.ts';
import { archiveContents } from './archives.ts';
import type { Context } from './context.ts';
import { displayName } from './display-name.ts';
import type { Finding } from './finding.ts';
import { examine } from './health.ts';
import { Intents } from './intents.ts';
import type {
  ActionOptions,
  ArchiveContents,
  OldArchives,
  RepositorySessions,
  Restored,
  ResumeRequest,
  SpawnRequest,
} from './service-types.ts';
import type { TrashAnswer, TrashRecord } from './trash-record.ts';
import { TurnIntents } from './turn-intents.ts';
import { WorktreeIntents } from './worktree-intents.ts';

export interface SessionsOptions {
  readonly context: Context;
  readonly trash: TrashRecord;
  /** Has whoever acts, if it is this process, look at the facts again. */
  readonly nudge: () => void;
}

/**
 * The sessions of one repository, as whoever looks at them sees them, and what may be wanted of them: each wish is a fact, which
 * somebody acts on, perhaps in another process. What became of it is read from the facts that follow.
 */
export class SessionsOfRepository implements RepositorySessions {
  readonly repository: Repository;
  readonly store: string;
  readonly ready: Promise<void>;
  readonly #context: Context;
  readonly #intents: Intents;
  readonly #turns: TurnIntents;
  readonly #worktrees: WorktreeIntents;
  readonly #activities = new Map<string, Activity>();
  readonly #changes: Emitter<ReadonlySet<string>>;
  readonly #disposables: Dispose[] = [];
  #changed = new Set<string>();
  #listed: { readonly all: readonly Session[]; readonly shown: readonly Session[] } | undefined;

  constructor({ context, trash, nudge }: SessionsOptions) {
    this.#context = context;
    this.#intents = new Intents(context, nudge);
    this.#turns = new TurnIntents(this.#intents);
    this.#worktrees = new WorktreeIntents(this.#intents, trash);
    this.repository = context.repository;
    this.store = context.folder;
    this.ready = context.store.ready;
    this.#changes = new Emitter((error) => context.log.error(`A listener failed: ${errorText(error)}`));
    this.#disposables.push(context.store.onDidChange((ids) => this.#note(ids)));
  }

  get onDidChange(): RepositorySessions['onDidChange'] {
    return this.#changes.event;
  }

  list(): readonly Session[] {
    const all = this.#context.store.list();
    if (this.#listed?.all !== all) {
      // A foreign worktree is nothing of ours while it is where it belongs.
      const isShown = ({ foreign, archive }: Session): boolean => foreign !== true || archive !== undefined;
      this.#listed = { all, shown: all.filter(isShown) };
    }
    return this.#listed.shown;
  }

  get(id: string): Session | undefined {
    return this.#context.store.get(id);
  }

  activity(id: string): Activity | undefined {
    return this.#activities.get(id);
  }

  turnFolder(id: string, turn: number): string {
    return runFolder(this.store, id, this.get(id)?.turns[turn - 1]?.claim?.run ?? turn);
  }

  promptFile(id: string, turn: Turn): string {
    return textFile(this.store, id, turn.text);
  }

  speaksFor(session: Session): boolean {
    const { self, store } = this.#context;
    const asker = lastTurn(session)?.requestedBy;
    if (asker !== undefined && isAliveNow(asker)) return isSame(asker, self);
    return isHeldBy(store.leadership.lead, self);
  }

  /** To be told what a session's output came to, by whoever reads it. */
  noteActivity(activity: Activity): void {
    if (this.get(activity.session) === undefined) return;
    this.#activities.set(activity.session, activity);
    this.#note([activity.session]);
  }

  spawn(request: SpawnRequest, options: ActionOptions = {}): Promise<Session> {
    return this.#turns.spawn(request, options);
  }

  resume(id: string, request: ResumeRequest, options: ActionOptions = {}): Promise<Session> {
    return this.#turns.resume(id, request, options);
  }

  send(id: string, text: string): Promise<void> {
    return this.#turns.send(id, text);
  }

  stop(id: string): Promise<ExitRecord | undefined> {
    return this.#turns.stop(id);
  }

  async rename(id: string, name: string): Promise<void> {
    await this.ready;
    this.#intents.need(id);
    const text = name.trim();
    if (text === '') {
      throw new TreelineError('invalid', say('no-name'));
    }
    this.#context.store.append({ type: 'session.renamed', session: id, name: displayName(text) });
  }

  archive(id: string): Promise<Session> {
    return this.#worktrees.archive(id);
  }

  unarchive(id: string, to?: string): Promise<Restored> {
    return this.#worktrees.unarchive(id, to);
  }

  purge(id: string): Promise<Session> {
    return this.#worktrees.purge(id);
  }

  removeWorktree(worktree: string): Promise<Session> {
    return this.#worktrees.remove(worktree);
  }

  oldArchives(signal?: AbortSignal): Promise<OldArchives | undefined> {
    return this.#worktrees.old(signal);
  }

  answerOldArchives(answer: TrashAnswer): Promise<void> {
    return this.#worktrees.answerOld(answer);
  }

  async archiveContents(id: string, signal?: AbortSignal): Promise<ArchiveContents> {
    await this.ready;
    return archiveContents(this.repository, this.#intents.need(id), signal);
  }

  async examine(signal?: AbortSignal): Promise<readonly Finding[]> {
    await this.ready;
    return examine(this.#healthContext(), { ...(signal && { signal }) });
  }

  /** What can be seen without a look beyond the state, for the log. */
  async examineCheaply(): Promise<readonly Finding[]> {
    await this.ready;
    return examine(this.#healthContext(), { cheap: true });
  }

  dispose(): void {
    for (const dispose of this.#disposables.splice(0)) dispose();
  }

  #healthContext(): Parameters<typeof examine>[0] {
    return {
      context: this.#context,
      sessions: this,
      expired: () => this.#worktrees.expired(),
      nudge: this.#intents.nudge,
    };
  }

  /** Several changes of one moment are one event. */
  #note(ids: Iterable<string>): void {
    if (this.#changed.size === 0) {
      setImmediate(() => {
        const changed = this.#changed;
        this.#changed = new Set();
        this.#changes.fire(changed);
      });
    }
    for (const id of ids) this.#changed.add(id);
  }
}
