import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { AgentAdapter } from '../agents/adapter.ts';
import { branchName } from '../git/branch-name.ts';
import { head, resolveCommit } from '../git/repository.ts';
import type { Repository } from '../git/types.ts';
import { freeWorktreePath, worktreeFolder } from '../git/worktree-path.ts';
import { MESSAGE_LIMIT, TURN_FILES } from '../keeper/protocol.ts';
import { writeAtomic } from '../platform/atomic-file.ts';
import { Emitter, type Dispose } from '../platform/emitter.ts';
import { TreelineError, errorText } from '../platform/errors.ts';
import { sessionId, shortId } from '../platform/ids.ts';
import { privateFolder, sessionFolder, turnFolder } from '../platform/paths.ts';
import type { ExitRecord } from '../store/facts.ts';
import { isLive, isOpen, isQueued, lastTurn, type Session, type Turn } from '../store/lifecycle.ts';
import type { Activity } from '../timeline/rows.ts';
import { Archives } from './archive.ts';
import type { Context } from './context.ts';
import { displayName } from './display-name.ts';
import { examine, type Finding, type Patient } from './health.ts';
import { freshStartPrompt, promptExcerpt } from './prompts.ts';
import type {
  ActionOptions,
  ArchiveContents,
  RepositorySessions,
  Restored,
  ResumeRequest,
  SpawnRequest,
} from './service-types.ts';
import { Surveyor } from './surroundings.ts';
import { TurnSupervisor } from './turn-supervisor.ts';

/** What a stop may take beyond its grace periods before the keeper itself is taken for dead: ms. */
const STOP_SLACK = 10_000;

/** When a withdrawal that the disk refused is tried again: ms. */
const WITHDRAW_RETRY = 2000;

/** The sessions of one repository: what the user may ask for, turned into facts; the supervisor does the rest. */
export class SessionsOfRepository implements RepositorySessions {
  readonly repository: Repository;
  readonly store: string;
  readonly ready: Promise<void>;
  readonly #context: Context;
  readonly #supervisor: TurnSupervisor;
  readonly #surveyor: Surveyor;
  readonly #archives: Archives;
  readonly #activities = new Map<string, Activity>();
  readonly #changes: Emitter<ReadonlySet<string>>;
  readonly #disposables: Dispose[] = [];
  #changed = new Set<string>();
  #listed: { readonly all: readonly Session[]; readonly shown: readonly Session[] } | undefined;

  constructor(context: Context) {
    this.#context = context;
    this.repository = context.repository;
    this.store = context.folder;
    this.#changes = new Emitter((error) => context.log.error(`A listener failed: ${errorText(error)}`));
    this.#supervisor = new TurnSupervisor(context);
    this.#surveyor = new Surveyor(context.repository);
    this.#archives = new Archives(context);
    this.#disposables.push(
      context.store.onDidChange((ids) => this.#noteFacts(ids)),
      context.timelines.onActivity((activity) => this.#noteActivity(activity)),
    );
    this.ready = context.store.ready.then(() => {
      this.#supervisor.look(context.store.list());
      // In the background: nothing that the user does waits for it.
      void this.#archives.settle().then(() => this.#logFindings());
    });
  }

  get onDidChange(): RepositorySessions['onDidChange'] {
    return this.#changes.event;
  }

  list(): readonly Session[] {
    const all = this.#context.store.list();
    if (this.#listed?.all !== all) {
      // A foreign worktree is nothing of ours once it is back.
      this.#listed = { all, shown: all.filter(({ foreign, archive }) => foreign !== true || archive !== undefined) };
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
    return turnFolder(this.store, id, turn);
  }

  async spawn(request: SpawnRequest, options: ActionOptions = {}): Promise<Session> {
    await this.ready;
    const prompt = checkedPrompt(request.prompt);
    const adapter = this.#context.adapter(request.agent);
    options.progress?.('checking the agent and the repository');
    const id = sessionId();
    const name = displayName(request.name?.trim() || prompt);
    const settings = this.#context.settings();
    const wanted = branchName(settings.branchName, { name, id: shortId(id), agent: adapter.id });
    const folder = worktreeFolder(settings.worktreeFolder, this.repository);
    const [surroundings, base] = await Promise.all([
      this.#surveyor.look({ isUnique: wanted.includes(shortId(id)) }),
      this.#base(request.base),
      this.#requireFound(adapter),
    ]);
    const branch = surroundings.branch(wanted);
    const worktree = await freeWorktreePath(this.repository, surroundings.worktrees, folder, branch);
    options.signal?.throwIfAborted();
    const agentSession = adapter.newAgentSession?.();
    // Whatever the agent's argv cannot express is refused here, before anything is made.
    const promptFile = join(turnFolder(this.store, id, 1), TURN_FILES.prompt);
    adapter.start({ prompt, promptFile, worktree, session: id, ...(agentSession && { agentSession }) });

    try {
      await this.#storePrompt(id, 1, prompt);
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
          resumes: false,
          ...(agentSession !== undefined && { agentSession }),
        },
      );
    } catch (error) {
      // What went wrong first is what is told.
      await rm(sessionFolder(this.store, id), { recursive: true, force: true }).catch(() => undefined);
      throw error;
    }
    return this.#begin(id, 1, options);
  }

  async resume(id: string, request: ResumeRequest, options: ActionOptions = {}): Promise<Session> {
    await this.ready;
    const session = this.#need(id);
    const prompt = checkedPrompt(request.prompt);
    if (session.archive !== undefined) {
      throw new TreelineError('archived', `“${session.name}” is archived. Restore it, then resume it.`);
    }
    const last = lastTurn(session);
    if (last !== undefined && isOpen(last)) {
      throw turnRuns(session);
    }
    const adapter = this.#context.adapter(session.agent.id);
    await this.#requireFound(adapter);

    // An agent that never ran has nothing to remember, and one without a resume of its own starts anew each time.
    const ran = session.turns.some((turn) => turn.agent !== undefined);
    const resumes = ran && request.fresh !== true && adapter.resume !== undefined;
    const agentSession = resumes ? resumable(session, adapter) : adapter.newAgentSession?.();
    const text =
      ran && request.fresh === true ? freshStartPrompt(session, await this.#earlierPrompts(session), prompt) : prompt;
    const number = session.turns.length + 1;
    const promptFile = join(turnFolder(this.store, id, number), TURN_FILES.prompt);
    const launch = { prompt: text, promptFile, worktree: session.worktree, session: id };
    if (resumes && agentSession !== undefined) {
      adapter.resume?.({ ...launch, agentSession });
    } else {
      adapter.start({ ...launch, ...(agentSession !== undefined && { agentSession }) });
    }

    const [fact] = this.#context.store.append({
      type: 'turn.requested',
      session: id,
      turn: number,
      prompt: promptExcerpt(text),
      resumes,
      ...(agentSession !== undefined && { agentSession }),
    });
    // The journal is the arbiter: of two windows that ask at once, the first one's fact has made the turn.
    if (this.get(id)?.turns[number - 1]?.request !== fact?.id) {
      throw turnRuns(session);
    }
    try {
      await this.#storePrompt(id, number, text);
    } catch (error) {
      this.#withdrawAtLast(id, number, errorText(error));
      throw error;
    }
    return this.#begin(id, number, options);
  }

  async send(id: string, text: string): Promise<void> {
    await this.ready;
    const session = this.#need(id);
    const message = checkedPrompt(text);
    if (Buffer.byteLength(JSON.stringify(message)) > MESSAGE_LIMIT) {
      throw new TreelineError(
        'message-too-long',
        'The message is longer than 1 MiB. Put it in a file, and send the path of the file.',
      );
    }
    const turn = lastTurn(session);
    if (turn === undefined || !isLive(turn)) {
      throw new TreelineError('not-running', `“${session.name}” is not running. Resume it with your message instead.`);
    }
    await this.#supervisor.starting(id, turn.number);
    const keeper = await this.#supervisor.keeper(id, turn.number);
    if (keeper === undefined) {
      throw new TreelineError('not-running', `“${session.name}” has just ended. Resume it with your message instead.`);
    }
    await keeper.send(message);
  }

  async stop(id: string): Promise<ExitRecord | undefined> {
    await this.ready;
    const session = this.#need(id);
    const turn = lastTurn(session);
    if (turn === undefined || !isOpen(turn)) {
      return turn?.exit;
    }
    if (isQueued(turn)) {
      this.#withdraw(id, turn.number, 'cancelled', 'Canceled before it started.');
    } else if (turn.stoppingAt === undefined) {
      try {
        this.#context.store.append({ type: 'turn.stopping', session: id, turn: turn.number });
      } catch (error) {
        throw await this.#stopUnrecorded(session, turn, error);
      }
    }
    await this.#supervisor.cancelStart(id, turn.number);
    await this.#stopKeeper(id, turn.number);
    return this.#over(id, turn.number);
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
    return this.#archives.archive(this.#need(id));
  }

  async unarchive(id: string, to?: string): Promise<Restored> {
    await this.ready;
    return this.#archives.restore(this.#need(id), to);
  }

  async purge(id: string): Promise<Session> {
    await this.ready;
    return this.#archives.purge(this.#need(id));
  }

  async archiveContents(id: string, signal?: AbortSignal): Promise<ArchiveContents> {
    await this.ready;
    return this.#archives.contents(this.#need(id), signal);
  }

  async removeWorktree(worktree: string): Promise<Session> {
    await this.ready;
    return this.#archives.remove(worktree);
  }

  async examine(signal?: AbortSignal): Promise<readonly Finding[]> {
    await this.ready;
    return examine(this.#patient(), { ...(signal && { signal }) });
  }

  settingsChanged(): void {
    this.#supervisor.look([]);
  }

  async dispose(): Promise<void> {
    this.#archives.dispose();
    for (const dispose of this.#disposables.splice(0)) {
      dispose();
    }
    await this.#supervisor.dispose();
    await this.#context.store.dispose();
  }

  #patient(): Patient {
    return { context: this.#context, archives: this.#archives, look: (sessions) => this.#supervisor.look(sessions) };
  }

  /** At the start, what can be seen without a look beyond the state goes to the log. */
  async #logFindings(): Promise<void> {
    for (const { sentence, evidence } of await examine(this.#patient(), { cheap: true })) {
      this.#context.log.info(`${sentence} ${evidence.join('; ')}`);
    }
  }

  /** Lets the supervisor start the turn, now or when there is a place. */
  async #begin(id: string, number: number, options: ActionOptions): Promise<Session> {
    this.#supervisor.expect(id, number, options);
    this.#supervisor.look([this.#need(id)]);
    try {
      await this.#supervisor.starting(id, number);
    } catch (error) {
      this.#surveyor.forget();
      throw error;
    }
    return this.#need(id);
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
      if (commit !== undefined) {
        return { ref: branch ?? commit, commit };
      }
    }
    const wanted = ref ?? 'HEAD';
    return { ref: wanted, commit: await resolveCommit(this.repository, wanted) };
  }

  async #storePrompt(id: string, turn: number, prompt: string): Promise<void> {
    const folder = turnFolder(this.store, id, turn);
    try {
      privateFolder(folder);
      // No fsync, which a disk busy with a checkout answers late: the journal that asks for the turn has none here either.
      await writeAtomic(join(folder, TURN_FILES.prompt), prompt, { sync: false });
    } catch (cause) {
      const words = `The prompt could not be saved in ${folder} (${errorText(cause)}). Check disk space and permissions, then try again.`;
      throw new TreelineError('prompt-write', words, { cause });
    }
  }

  /** The prompts that an agent has seen: not those of turns that never ran, nor that found the conversation unknown. */
  async #earlierPrompts(session: Session): Promise<string[]> {
    const seen = session.turns.filter((turn) => turn.agent !== undefined && turn.judgement?.unknownSession !== true);
    const whole = seen.map((turn) =>
      readFile(join(turnFolder(this.store, session.id, turn.number), TURN_FILES.prompt), 'utf8').catch(
        () => turn.prompt,
      ),
    );
    return Promise.all(whole);
  }

  #withdraw(session: string, turn: number, reason: 'cancelled' | 'failed', message: string): void {
    this.#context.store.append({ type: 'turn.withdrawn', session, turn, reason, message });
  }

  /** Withdraws a turn without a prompt, again until the journal takes it: while it is queued, nothing behind it can start. */
  #withdrawAtLast(session: string, turn: number, message: string): void {
    try {
      this.#withdraw(session, turn, 'failed', message);
    } catch (error) {
      if (error instanceof TreelineError && error.code === 'journal-write') {
        setTimeout(() => this.#withdrawAtLast(session, turn, message), WITHDRAW_RETRY).unref();
      }
    }
  }

  /** An agent may be what fills the disk: its end does not wait for the journal. Returns what the user is to hear. */
  async #stopUnrecorded(session: Session, { number, agent }: Turn, error: unknown): Promise<unknown> {
    const keeper = agent && (await this.#supervisor.keeper(session.id, number).catch(() => undefined));
    if (keeper === undefined) return error;
    // It answers when the end is written, which its keeper tries until it is.
    keeper.stop().catch((why: unknown) => this.#context.log.warn(`Stopping ${session.id}: ${errorText(why)}`));
    const said = `The agent of “${session.name}” is being stopped; its status will be updated later. ${errorText(error)}`;
    return new TreelineError('journal-write', said, { cause: error });
  }

  /** A keeper that cannot be reached, or does not do as it is told, is ended itself; the supervisor then closes its turn. */
  async #stopKeeper(id: string, number: number): Promise<void> {
    const { grace } = this.#context.settings();
    const limit = AbortSignal.timeout(grace.interrupt + grace.terminate + STOP_SLACK);
    try {
      const keeper = await this.#supervisor.keeper(id, number);
      if (keeper !== undefined) {
        await keeper.stop(limit);
        return;
      }
    } catch (error) {
      this.#context.log.warn(`The keeper of ${id} did not stop: ${errorText(error)}`);
    }
    await this.#supervisor.endKeeper(id, number);
  }

  /** Resolves when the journal says that the turn is over. */
  #over(id: string, number: number): Promise<ExitRecord | undefined> {
    const { promise, resolve } = Promise.withResolvers<ExitRecord | undefined>();
    const look = (): void => {
      const turn = this.get(id)?.turns[number - 1];
      if (turn === undefined || !isOpen(turn)) {
        dispose();
        resolve(turn?.exit);
      }
    };
    const dispose = this.#changes.event(look);
    this.#context.store.refresh();
    look();
    return promise;
  }

  #need(id: string): Session {
    const session = this.get(id);
    if (session === undefined) {
      throw new TreelineError('no-session', `${this.repository.name} has no session ${id}.`);
    }
    return session;
  }

  #noteFacts(ids: ReadonlySet<string>): void {
    // Not at once: whoever appended the facts is to finish what it does with them first.
    setImmediate(() => {
      const sessions = [...ids].flatMap((id) => this.get(id) ?? []);
      this.#supervisor.look(sessions);
      this.#archives.look(sessions);
    });
    this.#note(ids);
  }

  #noteActivity(activity: Activity): void {
    const session = this.get(activity.session);
    if (session === undefined) {
      return;
    }
    this.#activities.set(session.id, activity);
    const named = activity.agentSession;
    const isNew = named !== undefined && named.turn === session.turns.length && named.id !== session.agentSession;
    if (isNew && this.#isAgentSession(session, named.id)) {
      this.#context.store.append({
        type: 'agent.identified',
        session: session.id,
        turn: named.turn,
        agentSession: named.id,
      });
    }
    this.#note([session.id]);
  }

  /** Whether an id that the output names has the form of one: any other must not take the place of a good one. */
  #isAgentSession(session: Session, id: string): boolean {
    try {
      return this.#context.adapter(session.agent.id).isAgentSession(id);
    } catch {
      // The agent is in no setting any more. Should it come back, a resume asks again.
      return true;
    }
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
    for (const id of ids) {
      this.#changed.add(id);
    }
  }
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
    `A turn of “${session.name}” is in progress, perhaps started in another window. Stop it or wait for it to end, then resume.`,
  );
}
