import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { AgentAdapter } from '../agents/adapter.ts';
import { branchName } from '../git/branch-name.ts';
import { head, resolveCommit } from '../git/repository.ts';
import type { Repository } from '../git/types.ts';
import { listWorktrees } from '../git/worktree-list.ts';
import { freeWorktreePath, worktreeFolder } from '../git/worktree-path.ts';
import { connectKeeper, readSpec } from '../keeper/client.ts';
import { MESSAGE_LIMIT } from '../keeper/protocol.ts';
import { writeAtomic } from '../platform/atomic-file.ts';
import { Emitter, type Dispose } from '../platform/emitter.ts';
import { TreelineError, errorText } from '../platform/errors.ts';
import { factId, sessionId, shortId } from '../platform/ids.ts';
import { privateFolder, runFolder, sessionFolder, textFile } from '../platform/paths.ts';
import { isAliveNow, isSame } from '../platform/process-id.ts';
import { removeTree } from '../platform/remove-tree.ts';
import { RULES } from '../store/facts.ts';
import { isVacant, leadsElsewhere } from '../store/leadership.ts';
import { isOpen, isQueued, isStoppable, lastTurn, runOf } from '../store/lifecycle.ts';
import type { ExitRecord, MoveTo, Session, Turn } from '../store/model.ts';
import type { Activity } from '../timeline/rows.ts';
import { archiveContents, expiredArchives } from './archives.ts';
import type { Context } from './context.ts';
import { displayName } from './display-name.ts';
import type { Finding } from './finding.ts';
import { examine } from './health.ts';
import { outcome, type Wanted } from './outcome.ts';
import { freshStartPrompt, promptExcerpt } from './prompts.ts';
import type {
  ActionOptions,
  ArchiveContents,
  OldArchives,
  RepositorySessions,
  Restored,
  ResumeRequest,
  SpawnRequest,
} from './service-types.ts';
import { BranchNames } from './surroundings.ts';
import type { TrashAnswer, TrashRecord } from './trash-record.ts';

/** A turn that nobody has taken up after this many ms waits in the queue, whatever the reason. */
const CLAIMED_WITHIN = 10_000;

/** How long another machine may take to do what is asked of it before the user is told that it is another one: ms. */
const ELSEWHERE_WITHIN = 10_000;

/** How long a keeper may take to answer who cannot write down that he wants a stop: ms. */
const CONNECT_TIMEOUT = 3000;

/** What the user is told while a turn comes to its start, by status. */
const STEPS: Readonly<Partial<Record<Session['status'], string>>> = {
  queued: 'Waiting for its turn',
  preparing: 'Making the worktree',
  starting: 'Starting the agent',
};

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
  readonly #trash: TrashRecord;
  readonly #nudge: () => void;
  readonly #branchNames: BranchNames;
  readonly #activities = new Map<string, Activity>();
  readonly #changes: Emitter<ReadonlySet<string>>;
  readonly #disposables: Dispose[] = [];
  #changed = new Set<string>();
  #listed: { readonly all: readonly Session[]; readonly shown: readonly Session[] } | undefined;

  constructor({ context, trash, nudge }: SessionsOptions) {
    this.#context = context;
    this.#trash = trash;
    this.#nudge = nudge;
    this.repository = context.repository;
    this.store = context.folder;
    this.ready = context.store.ready;
    this.#changes = new Emitter((error) => context.log.error(`A listener failed: ${errorText(error)}`));
    this.#branchNames = new BranchNames(context.repository);
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
    const { lead } = store.leadership;
    return lead !== undefined && isSame(lead.by, self);
  }

  /** To be told what a session's output came to, by whoever reads it. */
  noteActivity(activity: Activity): void {
    if (this.get(activity.session) === undefined) return;
    this.#activities.set(activity.session, activity);
    this.#note([activity.session]);
  }

  async spawn(request: SpawnRequest, options: ActionOptions = {}): Promise<Session> {
    await this.ready;
    this.#requireSomebody();
    const prompt = checkedPrompt(request.prompt);
    const adapter = this.#context.adapter(request.agent);
    options.progress?.('checking the agent and the repository');
    const id = sessionId();
    const name = displayName(request.name?.trim() || prompt);
    const settings = this.#context.settings();
    const wanted = branchName(settings.branchName, { name, id: shortId(id), agent: adapter.id });
    const folder = worktreeFolder(settings.worktreeFolder, this.repository);
    const [surroundings, base] = await Promise.all([
      this.#branchNames.surroundings({ isUnique: wanted.includes(shortId(id)) }),
      this.#base(request.base),
      this.#requireFound(adapter),
    ]);
    const branch = surroundings.branch(wanted);
    const worktree = await freeWorktreePath(this.repository, surroundings.worktrees, folder, branch);
    options.signal?.throwIfAborted();
    const agentSession = adapter.newAgentSession?.();
    const text = factId();
    // Whatever the agent's argv cannot express is refused here, before anything is made.
    const promptFile = textFile(this.store, id, text);
    adapter.start({ prompt, promptFile, worktree, session: id, ...(agentSession && { agentSession }) });

    try {
      await this.#storeText(id, text, prompt);
      this.#context.store.append(
        {
          type: 'session.created',
          session: id,
          name,
          agent: { id: adapter.id, name: adapter.name, format: adapter.format },
          base,
          worktree,
          branch,
          expects: request.expects ?? [],
        },
        {
          type: 'turn.requested',
          session: id,
          turn: 1,
          prompt: promptExcerpt(prompt),
          text,
          resumes: false,
          ...(agentSession !== undefined && { agentSession }),
        },
      );
    } catch (error) {
      // What went wrong first is what is told.
      await removeTree(sessionFolder(this.store, id)).catch(() => undefined);
      throw error;
    }
    return this.#begun(id, 1, options).catch((error: unknown) => {
      this.#branchNames.forget();
      throw error;
    });
  }

  async resume(id: string, request: ResumeRequest, options: ActionOptions = {}): Promise<Session> {
    await this.ready;
    this.#requireSomebody();
    const session = this.#need(id);
    const prompt = checkedPrompt(request.prompt);
    if (session.archive !== undefined) {
      throw new TreelineError('archived', `“${session.name}” is archived. Restore it, then resume it.`);
    }
    const last = lastTurn(session);
    if (last !== undefined && isOpen(last)) throw turnRuns(session);
    const adapter = this.#context.adapter(session.agent.id);
    await this.#requireFound(adapter);

    // An agent that never ran has nothing to remember, and one without a resume of its own starts anew each time.
    const ran = session.turns.some(({ begunAt }) => begunAt !== undefined);
    const resumes = ran && request.fresh !== true && adapter.resume !== undefined;
    const agentSession = resumes ? resumable(session, adapter) : adapter.newAgentSession?.();
    const whole =
      ran && request.fresh === true ? freshStartPrompt(session, await this.#earlierPrompts(session), prompt) : prompt;
    const number = session.turns.length + 1;
    const text = factId();
    const launch = {
      prompt: whole,
      promptFile: textFile(this.store, id, text),
      worktree: session.worktree,
      session: id,
    };
    if (resumes && agentSession !== undefined) adapter.resume?.({ ...launch, agentSession });
    else adapter.start({ ...launch, ...(agentSession !== undefined && { agentSession }) });

    await this.#storeText(id, text, whole);
    const [fact] = this.#context.store.append({
      type: 'turn.requested',
      session: id,
      turn: number,
      prompt: promptExcerpt(whole),
      text,
      resumes,
      ...(agentSession !== undefined && { agentSession }),
    });
    // The journal is the arbiter: of two that ask at once, the first one's fact has made the turn.
    if (this.get(id)?.turns[number - 1]?.request !== fact?.id) throw turnRuns(session);
    return this.#begun(id, number, options);
  }

  async send(id: string, text: string): Promise<void> {
    await this.ready;
    this.#requireSomebody();
    const session = this.#need(id);
    const message = checkedPrompt(text);
    if (Buffer.byteLength(JSON.stringify(message)) > MESSAGE_LIMIT) {
      throw new TreelineError(
        'message-too-long',
        'The message is longer than 1 MiB. Put it in a file, and send the path of the file.',
      );
    }
    const turn = lastTurn(session);
    if (turn === undefined || !isStoppable(session, turn)) {
      throw new TreelineError('not-running', `“${session.name}” is not running; resume it with your message instead.`);
    }
    const key = factId();
    await this.#storeText(id, key, message);
    this.#context.store.append({ type: 'message.promised', session: id, message: key, text: promptExcerpt(message) });
    await this.#outcome(id, {
      of: ({ messages }) => (messages.some((one) => one.id === key) ? undefined : true),
      onFact: (fact) => {
        if (fact.type === 'message.refused' && fact.message === key) throw new TreelineError(fact.code, fact.why);
      },
    });
  }

  async stop(id: string): Promise<ExitRecord | undefined> {
    await this.ready;
    const session = this.#need(id);
    const turn = lastTurn(session);
    if (turn === undefined || !isStoppable(session, turn)) return turn && runOf(session, turn)?.exit;
    this.#requireSomebody();
    if (turn.stoppingAt === undefined) {
      try {
        this.#context.store.append({ type: 'turn.stopping', session: id, turn: turn.number });
      } catch (error) {
        throw await this.#stopUnrecorded(session, turn, error);
      }
    }
    const { exit } = await this.#outcome(id, {
      of: (now) => {
        const last = now.turns[turn.number - 1];
        if (last === undefined || isStoppable(now, last)) return undefined;
        return { exit: runOf(now, last)?.exit };
      },
    });
    return exit;
  }

  async rename(id: string, name: string): Promise<void> {
    await this.ready;
    this.#need(id);
    const text = name.trim();
    if (text === '') {
      throw new TreelineError('invalid', 'A session needs a name. Enter at least one character.');
    }
    this.#context.store.append({ type: 'session.renamed', session: id, name: displayName(text) });
  }

  async archive(id: string): Promise<Session> {
    await this.ready;
    const session = this.#need(id);
    if (session.archive !== undefined && session.move === undefined) return session;
    return this.#move(id, 'trash');
  }

  async unarchive(id: string, to?: string): Promise<Restored> {
    await this.ready;
    const session = this.#need(id);
    if (session.archive === undefined && session.move === undefined) return { session };
    let note: string | undefined;
    const stop = this.#context.store.onFacts((facts) => {
      for (const fact of facts) {
        if (fact.type === 'session.restored' && fact.session === id) note = fact.note;
      }
    });
    try {
      const restored = await this.#move(id, 'worktree', to === undefined ? undefined : path.resolve(to));
      return { session: restored, ...(note !== undefined && { note }) };
    } finally {
      stop();
    }
  }

  async purge(id: string): Promise<Session> {
    await this.ready;
    const { archive } = this.#need(id);
    return archive === undefined || archive.purgedAt !== undefined ? this.#need(id) : this.#move(id, 'nowhere');
  }

  async archiveContents(id: string, signal?: AbortSignal): Promise<ArchiveContents> {
    await this.ready;
    return archiveContents(this.repository, this.#need(id), signal);
  }

  async oldArchives(signal?: AbortSignal): Promise<OldArchives | undefined> {
    await this.ready;
    await this.#trash.open(Date.now());
    const due = this.#trash.answer === undefined ? this.#expired() : [];
    if (due.length === 0) return undefined;
    let bytes = 0;
    for (const session of due) bytes += (await archiveContents(this.repository, session, signal)).bytes;
    return { sessions: due, bytes };
  }

  async answerOldArchives(answer: TrashAnswer): Promise<void> {
    await this.#trash.setAnswer(answer);
    if (answer === 'keep') return;
    // Wanted one by one: who acts may be another process, which looks into the trash once an hour.
    const purged = await Promise.allSettled(this.#expired().map(({ id }) => this.purge(id)));
    const failed = purged.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  async removeWorktree(worktree: string): Promise<Session> {
    await this.ready;
    const { store } = this.#context;
    const own = store.list().find((each) => each.worktree === worktree && each.archive === undefined && !each.foreign);
    if (own !== undefined) return this.archive(own.id);
    const found = (await listWorktrees(this.repository)).find((each) => each.path === worktree);
    if (found === undefined) {
      throw new TreelineError(
        'no-worktree',
        `${worktree} is not a worktree of ${this.repository.name}; refresh the view.`,
      );
    }
    const id = sessionId();
    const branch = found.branch ?? 'HEAD';
    store.append({
      type: 'session.created',
      session: id,
      name: path.basename(worktree),
      agent: { id: 'none', name: 'No agent', format: 'text' },
      base: { ref: branch, commit: found.head ?? '' },
      worktree,
      branch,
      expects: [],
      foreign: true,
    });
    return this.#move(id, 'trash');
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
    return { context: this.#context, sessions: this, expired: () => this.#expired(), nudge: this.#nudge };
  }

  #expired(): readonly Session[] {
    return expiredArchives(this.#context.store.list(), this.#trash, this.#context.settings().trashDays);
  }

  /** Resolves when the agent of a turn has its prompt, or when the turn waits behind others. */
  async #begun(id: string, number: number, { signal, progress }: ActionOptions): Promise<Session> {
    const { store } = this.#context;
    let told: string | undefined;
    const cancel = (): void => {
      try {
        store.append({ type: 'turn.stopping', session: id, turn: number });
      } catch (error) {
        this.#context.log.warn(errorText(error));
      }
    };
    signal?.addEventListener('abort', cancel, { once: true });
    if (signal?.aborted === true) cancel();
    this.#nudge();
    try {
      return await outcome(store, id, {
        of: (session) => {
          const turn = session.turns[number - 1];
          const step = STEPS[session.status];
          if (step !== undefined && step !== told) progress?.((told = step));
          if (turn === undefined) return session;
          if (turn.withdrawn !== undefined) throw new TreelineError(turn.withdrawn.code, turn.withdrawn.message);
          const waits = isQueued(turn) && signal?.aborted !== true && this.#isBehindOthers(turn);
          return turn.begunAt !== undefined || waits ? session : undefined;
        },
        lookAfter: CLAIMED_WITHIN + 1,
      });
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  /** Whether a turn has to wait until others are over. */
  #isBehindOthers(turn: Turn): boolean {
    const { store, settings } = this.#context;
    if (store.live >= settings().maxConcurrent) return true;
    return Date.now() - turn.requestedAt > CLAIMED_WITHIN;
  }

  /** Has the session's worktree moved, and waits for how that ended. */
  async #move(id: string, to: MoveTo, worktree?: string): Promise<Session> {
    this.#requireSomebody();
    const { store } = this.#context;
    store.refresh();
    const before = this.#need(id);
    const [fact] = store.append({
      type: 'move.wanted',
      session: id,
      to,
      ...(worktree !== undefined && { worktree }),
    });
    const wish = fact?.id;
    const after = this.#need(id);
    // Whoever acts may have taken it up by now: only a void wish leaves no trace.
    if (after.wish?.fact !== wish && after.move?.to !== to && !isDone(after, to)) throw notNow(before, to);
    this.#nudge();
    return this.#outcome(id, {
      of: (now) => (now.wish === undefined && now.move === undefined && isDone(now, to) ? now : undefined),
      onFact: (seen) => {
        if (seen.type === 'intent.refused' && seen.intent === wish) throw new TreelineError(seen.code, seen.why);
      },
    });
  }

  /** As the function of this name; where another machine acts, and does not, the user is told so. */
  #outcome<T>(id: string, wanted: Wanted<T>): Promise<T> {
    const { store } = this.#context;
    const over = (): TreelineError | undefined => {
      const host = leadsElsewhere(store.leadership.lead);
      if (host === undefined) return undefined;
      const said = `Agents of this repository are run by ${host}, which has not answered yet; open the repository in Treeline there, and it will do this.`;
      return new TreelineError('elsewhere', said);
    };
    return outcome(store, id, { ...wanted, patience: { ms: ELSEWHERE_WITHIN, over } });
  }

  /** Refuses what nobody would act on. */
  #requireSomebody(): void {
    const { lead, rules } = this.#context.store.leadership;
    if (rules > RULES && isVacant(lead)) {
      throw new TreelineError(
        'newer-version',
        'A newer version of Treeline has worked on this repository; update Treeline in this window, and try again.',
      );
    }
  }

  /** Looks for the agent's program, without running it. */
  async #requireFound({ name, detection }: AgentAdapter): Promise<void> {
    const program = { ...detection, argv: detection.argv.slice(0, 1) };
    const { found, hint } = await this.#context.detector.detect(program, { maxAge: 0 });
    if (!found) {
      throw new TreelineError('agent-missing', `${name} cannot be started: ${hint}`);
    }
  }

  /** What to branch from: the ref that was asked for, else what is checked out where the repository is open. */
  async #base(ref: string | undefined): Promise<Session['base']> {
    if (ref === undefined) {
      const { branch, commit } = await head(this.repository);
      if (commit !== undefined) return { ref: branch ?? commit, commit };
    }
    const wanted = ref ?? 'HEAD';
    return { ref: wanted, commit: await resolveCommit(this.repository, wanted) };
  }

  /** Before the fact that names it, so that who reads of a prompt finds it. */
  async #storeText(id: string, key: string, text: string): Promise<void> {
    const file = textFile(this.store, id, key);
    try {
      privateFolder(path.dirname(file));
      // No fsync, which a disk busy with a checkout answers late: the journal that asks for the turn has none here either.
      await writeAtomic(file, text, { sync: false });
    } catch (cause) {
      throw new TreelineError(
        'prompt-write',
        `The prompt could not be stored in ${file} (${errorText(cause)}): make space or access on that disk, and try again.`,
        { cause },
      );
    }
  }

  /** The prompts that an agent has seen: not those of turns that never ran, nor that found the conversation unknown. */
  async #earlierPrompts(session: Session): Promise<string[]> {
    const seen = session.turns.filter((turn) => turn.begunAt !== undefined && turn.judgement?.unknownSession !== true);
    return Promise.all(
      seen.map((turn) => readFile(textFile(this.store, session.id, turn.text), 'utf8').catch(() => turn.prompt)),
    );
  }

  /** An agent may be what fills the disk: its end does not wait for the journal. Returns what the user is to hear. */
  async #stopUnrecorded(session: Session, turn: Turn, error: unknown): Promise<unknown> {
    const run = runOf(session, turn);
    if (run?.keeper === undefined || run.agent === undefined) return error;
    try {
      const spec = await readSpec(runFolder(this.store, session.id, run.number));
      const keeper = await connectKeeper(spec, { timeoutMs: CONNECT_TIMEOUT, keeper: run.keeper.process });
      // It answers when the end is written, which its keeper tries until it is.
      keeper
        .stop()
        .catch((why: unknown) => this.#context.log.warn(`Stopping ${session.id}: ${errorText(why)}`))
        .finally(() => keeper.dispose())
        .catch(() => undefined);
    } catch {
      return error;
    }
    const said = `The agent of “${session.name}” is being stopped; its status will be updated later. ${errorText(error)}`;
    return new TreelineError('journal-write', said, { cause: error });
  }

  #need(id: string): Session {
    const session = this.get(id);
    if (session === undefined) {
      throw new TreelineError('no-session', `${this.repository.name} has no session ${id}.`);
    }
    return session;
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

/** Whether a session's worktree is where it was wanted. */
function isDone({ archive }: Session, to: MoveTo): boolean {
  if (to === 'trash') return archive !== undefined;
  return to === 'worktree' ? archive === undefined : archive?.purgedAt !== undefined;
}

function notNow(session: Session, to: MoveTo): TreelineError {
  const turn = lastTurn(session);
  if (turn !== undefined && isStoppable(session, turn)) {
    const then = to === 'trash' ? 'archive the session' : 'try again';
    return new TreelineError('turn-runs', `“${session.name}” is running; stop it or wait for its end, then ${then}.`);
  }
  return new TreelineError(
    'archive-busy',
    `The worktree of “${session.name}” is being moved just now; try again in a moment.`,
  );
}

function checkedPrompt(prompt: string): string {
  if (prompt.trim() === '') {
    throw new TreelineError('invalid', 'The prompt is empty. Describe what the agent should do.');
  }
  return prompt;
}

/** The agent session id to resume, checked for form: an agent may take a malformed one for a new conversation. */
function resumable(session: Session, adapter: AgentAdapter): string {
  const id = adapter.resumesBySession === true ? session.id : (session.agentSession ?? '');
  if (!adapter.isAgentSession(id)) {
    throw new TreelineError(
      'no-agent-session',
      `${adapter.name} never reported a session ID for “${session.name}”, so it cannot be resumed. Start it fresh.`,
    );
  }
  return id;
}

function turnRuns(session: Session): TreelineError {
  return new TreelineError(
    'turn-runs',
    `“${session.name}” is running, perhaps started from another window; stop it or wait for its end, then resume.`,
  );
}
