import { branchName } from '../git/branch-name.ts';
import { freeWorktreePath, worktreeFolder } from '../git/worktree-path.ts';
import { MESSAGE_LIMIT } from '../keeper/protocol.ts';
import { TreelineError, errorText } from '../platform/errors.ts';
import { factId, sessionId, shortId } from '../platform/ids.ts';
import { sessionFolder, textFile } from '../platform/paths.ts';
import { removeTree } from '../platform/remove-tree.ts';
import { isOpen, isQueued, isStoppable, lastTurn, runOf } from '../store/lifecycle.ts';
import type { ExitRecord, Session, Turn } from '../store/model.ts';
import { say } from '../words/saying.ts';
import type { Context } from './context.ts';
import { displayName } from './display-name.ts';
import type { Intents } from './intents.ts';
import { outcome } from './outcome.ts';
import { checkedPrompt, earlierPrompts, freshStartPrompt, promptExcerpt, storeText } from './prompts.ts';
import { requireFound, resumable } from './requirements.ts';
import type { ActionOptions, ResumeRequest, SpawnRequest } from './service-types.ts';
import { BranchNames, startingPoint } from './surroundings.ts';
import { stopUnrecorded } from './unrecorded-stop.ts';

/** A turn that nobody has taken up after this many ms waits in the queue, whatever the reason. */
const CLAIMED_WITHIN = 10_000;

/** What the user is told while a turn comes to its start, by status. */
const STEPS: Readonly<Partial<Record<Session['status'], string>>> = {
  queued: 'Waiting for its turn',
  preparing: 'Making the worktree',
  starting: 'Starting the agent',
};

/** What may be wanted of a session's turns: a first one, a further one, a message, an end. Their docstrings are those of SessionActions. */
export class TurnIntents {
  readonly #intents: Intents;
  readonly #context: Context;
  readonly #branchNames: BranchNames;

  constructor(intents: Intents) {
    this.#intents = intents;
    this.#context = intents.context;
    this.#branchNames = new BranchNames(intents.context.repository);
  }

  async spawn(request: SpawnRequest, options: ActionOptions = {}): Promise<Session> {
    const { store, repository, folder } = this.#context;
    await store.ready;
    this.#intents.requireSomebody();
    const prompt = checkedPrompt(request.prompt);
    const adapter = this.#context.adapter(request.agent);
    options.progress?.('checking the agent and the repository');
    const id = sessionId();
    const name = displayName(request.name?.trim() || prompt);
    const settings = this.#context.settings();
    const wanted = branchName(settings.branchName, { name, id: shortId(id), agent: adapter.id });
    const trees = worktreeFolder(settings.worktreeFolder, repository);
    const [surroundings, base] = await Promise.all([
      this.#branchNames.surroundings({ isUnique: wanted.includes(shortId(id)) }),
      startingPoint(repository, request.base),
      requireFound(this.#context, adapter),
    ]);
    const branch = surroundings.branch(wanted);
    const worktree = await freeWorktreePath(repository, surroundings.worktrees, trees, branch);
    options.signal?.throwIfAborted();
    const agentSession = adapter.newAgentSession?.();
    const text = factId();
    // Whatever the agent's argv cannot express is refused here, before anything is made.
    const promptFile = textFile(folder, id, text);
    adapter.start({ prompt, promptFile, worktree, session: id, ...(agentSession && { agentSession }) });

    try {
      await storeText(folder, id, text, prompt);
      store.append(
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
      await removeTree(sessionFolder(folder, id)).catch(() => undefined);
      throw error;
    }
    return this.#begun(id, 1, options).catch((error: unknown) => {
      this.#branchNames.forget();
      throw error;
    });
  }

  async resume(id: string, request: ResumeRequest, options: ActionOptions = {}): Promise<Session> {
    const { store, folder } = this.#context;
    await store.ready;
    this.#intents.requireSomebody();
    const session = this.#intents.need(id);
    const prompt = checkedPrompt(request.prompt);
    if (session.archive !== undefined) {
      throw new TreelineError(say('archived', { name: session.name }));
    }
    const last = lastTurn(session);
    if (last !== undefined && isOpen(last)) throw turnRuns(session);
    const adapter = this.#context.adapter(session.agent.id);
    await requireFound(this.#context, adapter);

    // An agent that never ran has nothing to remember, and one without a resume of its own starts anew each time.
    const ran = session.turns.some(({ begunAt }) => begunAt !== undefined);
    const resumes = ran && request.fresh !== true && adapter.resume !== undefined;
    const agentSession = resumes ? resumable(session, adapter) : adapter.newAgentSession?.();
    const whole =
      ran && request.fresh === true ? freshStartPrompt(session, await earlierPrompts(folder, session), prompt) : prompt;
    const number = session.turns.length + 1;
    const text = factId();
    const launch = {
      prompt: whole,
      promptFile: textFile(folder, id, text),
      worktree: session.worktree,
      session: id,
    };
    if (resumes && agentSession !== undefined) adapter.resume?.({ ...launch, agentSession });
    else adapter.start({ ...launch, ...(agentSession !== undefined && { agentSession }) });

    await storeText(folder, id, text, whole);
    const [fact] = store.append({
      type: 'turn.requested',
      session: id,
      turn: number,
      prompt: promptExcerpt(whole),
      text,
      resumes,
      ...(agentSession !== undefined && { agentSession }),
    });
    // The journal is the arbiter: of two that ask at once, the first one's fact has made the turn.
    if (store.get(id)?.turns[number - 1]?.request !== fact?.id) throw turnRuns(session);
    return this.#begun(id, number, options);
  }

  async send(id: string, text: string): Promise<void> {
    await this.#context.store.ready;
    this.#intents.requireSomebody();
    const session = this.#intents.need(id);
    const message = checkedPrompt(text);
    if (Buffer.byteLength(JSON.stringify(message)) > MESSAGE_LIMIT) {
      throw new TreelineError(say('message-too-long'));
    }
    const turn = lastTurn(session);
    if (turn === undefined || !isStoppable(session, turn)) {
      throw new TreelineError(say('not-running', { name: session.name }));
    }
    const key = factId();
    await storeText(this.#context.folder, id, key, message);
    const promised = { type: 'message.promised', session: id, message: key, text: promptExcerpt(message) } as const;
    await this.#intents.outcome(id, {
      ask: () => void this.#context.store.append(promised),
      of: ({ messages }) => (messages.some((one) => one.id === key) ? undefined : true),
      onFact: (fact) => {
        if (fact.type === 'message.refused' && fact.message === key) throw new TreelineError(fact.code, fact.why);
      },
    });
  }

  async stop(id: string): Promise<ExitRecord | undefined> {
    await this.#context.store.ready;
    const session = this.#intents.need(id);
    const turn = lastTurn(session);
    if (turn === undefined || !isStoppable(session, turn)) return turn && runOf(session, turn)?.exit;
    this.#intents.requireSomebody();
    if (turn.stoppingAt === undefined) {
      try {
        this.#context.store.append({ type: 'turn.stopping', session: id, turn: turn.number });
      } catch (error) {
        throw await stopUnrecorded(this.#context, session, turn, error);
      }
    }
    const { exit } = await this.#intents.outcome(id, {
      of: (now) => {
        const last = now.turns[turn.number - 1];
        if (last === undefined || isStoppable(now, last)) return undefined;
        return { exit: runOf(now, last)?.exit };
      },
    });
    return exit;
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
    this.#intents.nudge();
    try {
      return await outcome(store, id, {
        of: (session) => {
          const turn = session.turns[number - 1];
          const step = STEPS[session.status];
          if (step !== undefined && step !== told) progress?.((told = step));
          if (turn === undefined) return session;
          if (turn.withdrawn !== undefined) throw new TreelineError(turn.withdrawn.code, turn.withdrawn.why);
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
}

function turnRuns(session: Session): TreelineError {
  return new TreelineError(say('turn-runs', { name: session.name }));
}
