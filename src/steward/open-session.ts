import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { DriverEvent, Refusal } from '../drivers/driver.ts';
import { driverFor } from '../drivers/table.ts';
import { connectKeeper, readSpec, type KeeperConnection } from '../keeper/client.ts';
import { RUN_FILES, type Message } from '../keeper/protocol.ts';
import { rescue } from '../keeper/rescue.ts';
import type { Dispose } from '../platform/emitter.ts';
import { TreelineError, errorText } from '../platform/errors.ts';
import { runFolder, textFile } from '../platform/paths.ts';
import { isAlive, isSame, type ProcessId } from '../platform/process-id.ts';
import { signalProcesses } from '../platform/process-tree.ts';
import { timelineSource } from '../sessions/timeline-source.ts';
import { isLive, isOpen, isOpenRun, isQueued, lastTurn } from '../store/lifecycle.ts';
import type { PromisedMessage, Run, Session, Turn } from '../store/model.ts';
import type { Activity } from '../timeline/rows.ts';
import type { StewardContext } from './context.ts';
import { DrivenRun } from './driven-run.ts';
import { inheritStart } from './inherit.ts';
import { HOLD, startTurn } from './start.ts';

/** A keeper that does not answer within this many ms is looked at as a process. */
const CONNECT_TIMEOUT = 3000;

/** After a connection to a keeper that lives broke: ms. */
const RECONNECT_AFTER = 200;

/** After a failure that must not be the last word: ms. */
const RETRY_INTERVAL = 2000;

/** What a stop may take beyond its grace periods before the keeper itself is taken for dead: ms. */
const STOP_SLACK = 10_000;

/** Why a message does not go to the agent, as the user is told. */
const REFUSALS: Readonly<Record<Refusal, string>> = {
  'no-turn': 'The agent is not working on anything. Resume the session with your message instead.',
  'turn-under-way': 'The agent is still working on the previous prompt. Send your message when it has finished.',
  'turn-over': 'The agent has finished that turn. Resume the session with your message instead.',
  'one-turn': 'This agent takes one prompt each time it runs. Stop the session, then resume it.',
  'reserved-text': 'The message contains a line that the agent would take for a command. Change that line.',
  'unknown-request': 'The agent is no longer waiting for this answer.',
  'already-answered': 'This was already answered.',
  'unknown-choice': 'The agent does not offer this choice.',
  'cannot-interrupt': 'This agent cannot be interrupted. Stop the session instead.',
};

/**
 * What is being done for a session. `resting`: nothing; the facts decide what comes next. `held`: its run's keeper is connected.
 * All others end by themselves, and the facts are looked at again.
 */
type State = 'resting' | 'starting' | 'connecting' | 'held' | 'closing' | 'judging';

/**
 * A session in the hands of who leads: brings its open turn forward from the claim to the judgement, and its open run to its end.
 * It acts on facts alone, so that another one can take its place at any instant.
 */
export class OpenSession {
  readonly id: string;
  readonly #context: StewardContext;
  /** Called when something was finished that others may wait for. */
  readonly #onStep: () => void;
  #state: State = 'resting';
  #connection: KeeperConnection | undefined;
  #driven: DrivenRun | undefined;
  /** Over when it is known whether the run is driven. */
  #driving: Promise<void> = Promise.resolve();
  /** What its keeper was told to remember. */
  #remembered: string | undefined;
  #abort: AbortController | undefined;
  #work: Promise<void> = Promise.resolve();
  /** Why the turn of this claim could not be started, until the journal has taken it. */
  #failure: { readonly claim: string; readonly error: unknown } | undefined;
  #stopping = false;
  #delivering = false;
  #isJudging = false;
  #timeline: Dispose | undefined;
  #retry: NodeJS.Timeout | undefined;
  /** What did not work, told once; over when the turn is another. */
  #trouble: { readonly what: string; readonly turn: Turn | undefined } | undefined;
  #isUnreachableTold = false;
  #disposed = false;

  constructor(context: StewardContext, id: string, onStep: () => void) {
    this.#context = context;
    this.id = id;
    this.#onStep = onStep;
  }

  /** Whether there is nothing to do, and nothing in hand. */
  get isAtRest(): boolean {
    return this.#state === 'resting' && this.#retry === undefined && !needsAttention(this.#session());
  }

  /** Whether a step is under way that should not be cut short. */
  get isBusy(): boolean {
    return this.#state !== 'resting' && this.#state !== 'held';
  }

  /** Looks at the facts, and does what is to be done next. */
  look(): void {
    const session = this.#session();
    if (this.#disposed || session === undefined) return;
    this.#noteProgress(session);
    this.#follow(session);
    const turn = lastTurn(session);
    const run = session.runs.at(-1);
    switch (this.#state) {
      case 'resting':
        this.#next(session, turn, run);
        return;
      case 'starting':
        if (turn?.stoppingAt !== undefined || turn?.withdrawn !== undefined) this.#abort?.abort();
        return;
      case 'held':
        this.#drive(session, turn, run);
        return;
      case 'connecting':
      case 'closing':
      case 'judging':
    }
  }

  /** Has the keeper know what to give to whoever acts next, should it have to start that. */
  remember(): void {
    const text = this.#context.successor?.text();
    if (text === undefined || text === this.#remembered || this.#connection === undefined) return;
    this.#remembered = text;
    this.#connection
      .remember(text)
      .catch((error: unknown) => this.#context.log.debug(`${this.id} remembers nothing: ${errorText(error)}`));
  }

  /** Lets go. A start that is under way gets `patience` ms to come to its end, else it is undone for the next one to begin anew. */
  async dispose(patience: number): Promise<void> {
    this.#disposed = true;
    clearTimeout(this.#retry);
    const late = setTimeout(() => this.#abort?.abort(), patience);
    await this.#work.catch(() => undefined);
    clearTimeout(late);
    this.#connection?.dispose();
    await this.#driven?.dispose();
    this.#timeline?.();
  }

  #session(): Session | undefined {
    return this.#context.store.get(this.id);
  }

  /** Nothing is in hand: what do the facts ask for? */
  #next(session: Session, turn: Turn | undefined, run: Run | undefined): void {
    if (this.#retry !== undefined) return;
    if (turn !== undefined && isQueued(turn)) {
      if (turn.stoppingAt !== undefined) this.#withdraw(turn, cancelled());
      return;
    }
    if (turn?.claim !== undefined && isLive(turn) && turn.begunAt === undefined) {
      if (this.#failure?.claim === turn.claim.fact) this.#withdraw(turn, this.#failure.error);
      else if (run?.agent !== undefined) this.#do('connecting', () => this.#connect(session, run));
      else if (!isSame(turn.claim.by, this.#context.self)) this.#do('starting', () => this.#inherit(session, turn));
      else if (this.#failure === undefined) this.#do('starting', () => this.#start(session, turn));
      return;
    }
    if (turn !== undefined && isStillborn(turn)) {
      const why = turn.exit?.problem ?? 'The agent never started.';
      this.#withdraw(turn, this.#failure?.error ?? new TreelineError('start-failed', why));
      return;
    }
    if (run !== undefined && isOpenRun(session, run)) {
      this.#do('connecting', () => this.#connect(session, run));
      return;
    }
    const unjudged = session.turns.find(isUnjudged);
    if (unjudged !== undefined) this.#do('judging', () => this.#judge(session, unjudged));
    else if (turn === undefined || !isOpen(turn)) this.#refuseMessages(session);
  }

  /** Nothing runs that could take them. */
  #refuseMessages({ id: session, name, messages }: Session): void {
    const why = `“${name}” has ended; resume it with your message instead.`;
    try {
      for (const { id } of messages) {
        this.#context.store.append({ type: 'message.refused', session, message: id, code: 'not-running', why });
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Does one thing; then the facts are looked at again. */
  #do(state: State, work: () => Promise<State>): void {
    this.#state = state;
    this.#work = work().then(
      (next) => {
        this.#state = next;
      },
      (error: unknown) => {
        this.#state = 'resting';
        this.#failed(error);
      },
    );
    void this.#work.then(() => {
      this.look();
      this.#onStep();
    });
  }

  async #start(session: Session, turn: Turn): Promise<State> {
    const { claim } = turn;
    if (claim === undefined) return 'resting';
    const abort = new AbortController();
    this.#abort = abort;
    if (turn.stoppingAt !== undefined) abort.abort();
    try {
      const connection = await startTurn(this.#context, session, turn, claim.run, abort.signal);
      this.#hold(connection);
      // The keeper has written that the agent runs: who asked for it is to see that.
      this.#context.store.refresh();
      return 'held';
    } catch (error) {
      this.#context.log.warn(errorText(error));
      // Where another one acts by now, this one lets go here.
      this.#context.store.refresh();
      // Who lets go leaves the turn to the next one.
      if (!this.#disposed || this.#isStopWanted()) {
        this.#failure = { claim: claim.fact, error };
        this.#withdraw(turn, error);
      }
      return 'resting';
    } finally {
      this.#abort = undefined;
    }
  }

  #isStopWanted(): boolean {
    const session = this.#session();
    return session !== undefined && lastTurn(session)?.stoppingAt !== undefined;
  }

  /** Whoever led before has claimed the turn, and is gone. */
  async #inherit(session: Session, turn: Turn): Promise<State> {
    const connection = await inheritStart(this.#context, session, turn);
    if (connection !== undefined) {
      this.#hold(connection);
      this.#context.store.refresh();
      return 'held';
    }
    if (this.#disposed) return 'resting';
    this.#context.store.append({
      type: 'turn.claimed',
      session: session.id,
      turn: turn.number,
      run: session.runs.length + 1,
      limit: this.#context.settings().maxConcurrent,
    });
    return 'resting';
  }

  #withdraw(turn: Turn, error: unknown): void {
    const reason = error instanceof TreelineError && error.code === 'cancelled' ? 'cancelled' : 'failed';
    const code = error instanceof TreelineError ? error.code : 'failed';
    const { id: session } = this;
    try {
      this.#context.store.append({
        type: 'turn.withdrawn',
        session,
        turn: turn.number,
        reason,
        code,
        message: errorText(error),
      });
    } catch (unwritten) {
      this.#failed(unwritten);
    }
  }

  /** Takes up the connection to a keeper that somebody else, or this process before, has started. */
  async #connect(session: Session, run: Run): Promise<State> {
    const folder = runFolder(this.#context.folder, session.id, run.number);
    try {
      // With its process known, the death of a keeper is noticed at once, and not by waiting in vain.
      const known = run.keeper !== undefined && { keeper: run.keeper.process };
      this.#hold(await connectKeeper(await readSpec(folder), { timeoutMs: CONNECT_TIMEOUT, ...known, ...HOLD }));
      return 'held';
    } catch (error) {
      return this.#close(session.id, run.number, error);
    }
  }

  #hold(connection: KeeperConnection): void {
    this.#isUnreachableTold = false;
    this.#stopping = false;
    this.#connection = connection;
    if (this.#disposed) {
      connection.dispose();
      return;
    }
    this.#remembered = undefined;
    this.remember();
    connection.onGrew(() => this.#context.timelines.hint(this.id));
    this.#driving = this.#drivenBy(connection).catch((error: unknown) => this.#context.log.error(errorText(error)));
    void connection.closed.then(() => {
      if (this.#disposed || this.#connection !== connection) return;
      this.#connection = undefined;
      void this.#driven?.dispose();
      this.#driven = undefined;
      const number = this.#session()?.runs.length ?? 0;
      this.#do('closing', () => this.#close(this.id, number));
    });
  }

  /** Follows what an agent that reads lines says of its turns and of its messages. */
  async #drivenBy(connection: KeeperConnection): Promise<void> {
    const number = this.#session()?.runs.length ?? 0;
    const folder = runFolder(this.#context.folder, this.id, number);
    const { stdin } = await readSpec(folder);
    const driver = stdin === 'lines' ? driverFor('lines') : undefined;
    if (driver === undefined || this.#connection !== connection || this.#disposed) return;
    const driven = new DrivenRun({
      folder,
      driver,
      // Its first prompt comes as a message, too.
      spec: {},
      onEvents: (events) => this.#heard(events),
      onError: (error) => this.#failed(error),
    });
    this.#driven = driven;
    connection.onGrew(({ stream }) => {
      if (stream !== 'k') driven.hint();
    });
    driven.hint();
  }

  #heard(events: readonly DriverEvent[]): void {
    for (const event of events) {
      if (event.type !== 'turn-ended') continue;
      const turn = this.#session()?.turns[event.turn - 1];
      if (turn === undefined || !isLive(turn) || turn.begunAt === undefined) continue;
      try {
        this.#context.store.append({ type: 'turn.ended', session: this.id, turn: turn.number });
      } catch (error) {
        this.#failed(error);
      }
    }
  }

  /** Gives the agent a message, in the form that it understands, once however often this is asked. */
  async #say(message: Message): Promise<void> {
    await this.#driving;
    const wish = await this.#driven?.wish((driver, state) => driver.message(state, message));
    if (wish !== undefined && 'refused' in wish) throw new TreelineError(wish.refused, REFUSALS[wish.refused]);
    for (const one of wish?.send ?? [message]) {
      if (this.#connection === undefined) {
        throw new TreelineError('keeper-gone', 'The connection to the agent is lost.');
      }
      await this.#connection.send(one);
    }
  }

  /**
   * The keeper is gone, or does not answer: what the journal does not say by now, nobody but us will write.
   * @param unreachable why there is no connection to it; absent where there was one, which broke.
   */
  async #close(id: string, number: number, unreachable?: unknown): Promise<State> {
    const { store } = this.#context;
    store.refresh();
    const session = store.get(id);
    const run = session?.runs[number - 1];
    if (this.#disposed || session === undefined || run === undefined || !isOpenRun(session, run)) return 'resting';
    if (run.keeper !== undefined && (await isAlive(run.keeper.process))) {
      // It lives: come back to it.
      if (unreachable !== undefined) this.#tellUnreachable(run.keeper.process, unreachable);
      this.#lookAfter(unreachable === undefined ? RECONNECT_AFTER : RETRY_INTERVAL);
      return 'resting';
    }
    const folder = runFolder(this.#context.folder, id, number);
    const turn = lastTurn(session);
    if (
      turn !== undefined &&
      isLive(turn) &&
      run.agent === undefined &&
      !existsSync(path.join(folder, RUN_FILES.exit))
    ) {
      return this.#inherit(session, turn);
    }
    const exit = await rescue({
      folder,
      ...(run.keeper !== undefined && { keeper: { ...run.keeper.process, socket: run.keeper.socket } }),
      ...(run.agent !== undefined && { agent: { ...run.agent.process, at: run.agent.at } }),
      session: id,
      run: number,
      expects: session.expects,
      worktree: session.worktree,
      ...(turn?.stoppingAt !== undefined && { stoppingAt: turn.stoppingAt }),
    });
    store.append({ type: 'run.exited', session: id, run: number, exit });
    return 'resting';
  }

  #tellUnreachable({ pid }: ProcessId, why: unknown): void {
    if (this.#isStopWanted()) void this.#endKeeper();
    if (this.#isUnreachableTold) return;
    this.#isUnreachableTold = true;
    this.#context.log.error(
      `The process that records ${this.id} (${pid}) runs and does not answer, which is tried again; stop the session to end it: ${errorText(why)}`,
    );
  }

  /** The keeper is there: what is wanted of it is done. */
  #drive(session: Session, turn: Turn | undefined, run: Run | undefined): void {
    if (turn === undefined || run === undefined) return;
    const unjudged = session.turns.find(isUnjudged);
    if (unjudged !== undefined && !this.#isJudging) void this.#judgeMeanwhile(session, unjudged);
    if (turn.stoppingAt !== undefined && run.exit === undefined && !this.#stopping) {
      this.#stopping = true;
      void this.#stop();
      return;
    }
    if (this.#delivering || turn.stoppingAt !== undefined || run.exit !== undefined) return;
    const promised = session.messages[0];
    if (isLive(turn) && turn.begunAt === undefined && run.agent !== undefined) this.#deliver(() => this.#begin(turn));
    else if (promised !== undefined && turn.begunAt !== undefined) {
      this.#deliver(() => this.#send(promised, run.number));
    }
  }

  /** Ends the agent. A keeper that does not do as it is told is ended itself; its run is then closed like any whose keeper died. */
  async #stop(): Promise<void> {
    const { grace } = this.#context.settings();
    try {
      await this.#connection?.stop(AbortSignal.timeout(grace.interrupt + grace.terminate + STOP_SLACK));
    } catch (error) {
      this.#context.log.warn(`Stopping ${this.id}: ${errorText(error)}`);
      await this.#endKeeper();
    }
  }

  async #endKeeper(): Promise<void> {
    const keeper = this.#session()?.runs.at(-1)?.keeper;
    if (keeper !== undefined) await signalProcesses([keeper.process], 'SIGKILL');
  }

  #deliver(work: () => Promise<void>): void {
    this.#delivering = true;
    void work()
      .catch((error: unknown) => {
        // A connection that broke says nothing about what it was to deliver: the next one does.
        if (!(error instanceof TreelineError && error.code === 'keeper-gone')) this.#failed(error);
      })
      .then(() => {
        this.#delivering = false;
        this.look();
      });
  }

  /** Gives a run that goes on the prompt of its next turn. */
  async #begin(turn: Turn): Promise<void> {
    const { store, folder } = this.#context;
    const text = await readFile(textFile(folder, this.id, turn.text), 'utf8');
    await this.#say({ key: turn.text, text, turn: turn.number });
    store.append({ type: 'turn.begun', session: this.id, turn: turn.number });
  }

  async #send(message: PromisedMessage, run: number): Promise<void> {
    const { store, folder } = this.#context;
    try {
      const text = await readFile(textFile(folder, this.id, message.id), 'utf8');
      await this.#say({ key: message.id, text });
    } catch (error) {
      const code = error instanceof TreelineError ? error.code : 'failed';
      // A connection that broke says nothing about the message: it is delivered when there is another one.
      if (code === 'keeper-gone') return;
      store.append({ type: 'message.refused', session: this.id, message: message.id, code, why: errorText(error) });
      return;
    }
    store.append({ type: 'message.delivered', session: this.id, message: message.id, run });
  }

  async #judge(session: Session, turn: Turn): Promise<State> {
    const { timelines, store, folder } = this.#context;
    const close = timelines.open(timelineSource(folder, session));
    try {
      const judgement = await timelines.judge(session.id, turn.number);
      if (!this.#disposed && store.get(session.id)?.turns[turn.number - 1]?.judgement === undefined) {
        store.append({ type: 'turn.judged', session: session.id, turn: turn.number, judgement });
      }
      return 'resting';
    } finally {
      close();
    }
  }

  /** A turn is over while its run goes on. */
  async #judgeMeanwhile(session: Session, turn: Turn): Promise<void> {
    this.#isJudging = true;
    try {
      await this.#judge(session, turn);
    } catch (error) {
      this.#failed(error);
    }
    this.#isJudging = false;
  }

  /** What the agent's output came to: the id of its conversation, once. */
  note({ agentSession: named }: Activity): void {
    const session = this.#session();
    if (session === undefined || named === undefined || named.id === session.agentSession) return;
    const run = session.turns[named.turn - 1]?.claim?.run;
    if (run === undefined || run !== session.runs.length || !this.#isAgentSession(session, named.id)) return;
    if (this.#retry !== undefined) return;
    try {
      this.#context.store.append({ type: 'agent.identified', session: session.id, run, agentSession: named.id });
    } catch (error) {
      this.#failed(error);
    }
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

  /** The output of what is live is followed, whether or not anybody looks at it: status comes from it. */
  #follow(session: Session): void {
    // From the agent's start on: before it there is nothing to read, and the machine has a worktree to make.
    const live = session.runs.some((run) => run.agent !== undefined && run.exit === undefined);
    if (!live || !this.#context.follows) {
      this.#timeline?.();
      this.#timeline = undefined;
    } else {
      this.#timeline ??= this.#context.timelines.open(timelineSource(this.#context.folder, session));
    }
  }

  /** Something did not work that has to: a full disk, most likely. It is tried again until it does, and told once. */
  #failed(thrown: unknown): void {
    if (this.#disposed) return;
    const what = errorText(thrown);
    const session = this.#session();
    if (this.#trouble?.what !== what) {
      this.#context.log.error(`${this.id} could not go on, which is tried again: ${what}`);
    }
    this.#trouble = { what, turn: session && lastTurn(session) };
    this.#lookAfter(RETRY_INTERVAL);
  }

  #lookAfter(ms: number): void {
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      this.look();
    }, ms).unref();
  }

  #noteProgress(session: Session): void {
    if (this.#trouble === undefined || this.#trouble.turn === lastTurn(session)) return;
    this.#trouble = undefined;
    this.#context.log.info(`${this.id} goes on.`);
  }
}

/** Whether something of the session goes on or is still to be done. */
export function needsAttention(session: Session | undefined): boolean {
  if (session === undefined) return false;
  const { turns, runs, messages } = session;
  return (
    turns.some((turn) => isOpen(turn) || isUnjudged(turn) || isStillborn(turn)) ||
    runs.some((run) => isOpenRun(session, run)) ||
    messages.length > 0
  );
}

/** A turn whose run ended before the agent had the prompt: it is withdrawn. */
function isStillborn({ begunAt, endedAt, withdrawn }: Turn): boolean {
  return endedAt !== undefined && begunAt === undefined && withdrawn === undefined;
}

/** A turn that is over, and of which nobody has said what it came to. */
function isUnjudged(turn: Turn): boolean {
  return turn.begunAt !== undefined && turn.endedAt !== undefined && turn.judgement === undefined;
}

function cancelled(): TreelineError {
  return new TreelineError('cancelled', 'Cancelled before it started.');
}
