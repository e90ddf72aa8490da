import { connectKeeper, readSpec, type KeeperConnection } from '../keeper/client.ts';
import { errorText, TreelineError } from '../platform/errors.ts';
import { say } from '../words/saying.ts';
import { runFolder } from '../platform/paths.ts';
import { isOpen, isOpenRun, isQueued, lastTurn } from '../store/lifecycle.ts';
import type { Run, Session, Turn } from '../store/model.ts';
import type { Activity } from '../protocol/rows.ts';
import { isStarting, isStillborn, isUnjudged, needsAttention } from './attention.ts';
import type { StewardContext } from './context.ts';
import { HeldRun } from './held-run.ts';
import { inheritStart } from './inherit.ts';
import { closeLostRun, endKeeper } from './lost-run.ts';
import { Reading } from './reading.ts';
import { refuseMessages, withdraw } from './refusals.ts';
import { Retry, RETRY_INTERVAL } from './retry.ts';
import { HOLD, startTurn } from './start.ts';
import { isReplaced, underLead } from './under-lead.ts';

/** After a connection to a keeper that lives broke: ms. */
const RECONNECT_AFTER = 200;

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
  readonly #reading: Reading;
  readonly #retry: Retry;
  #state: State = 'resting';
  #held: HeldRun | undefined;
  #abort: AbortController | undefined;
  #work: Promise<void> = Promise.resolve();
  /** Why the turn of this claim could not be started, until the journal has taken it. */
  #failure: { readonly claim: string; readonly error: unknown } | undefined;
  #isJudging = false;
  #isUnreachableTold = false;
  #disposed = false;

  constructor(context: StewardContext, id: string, onStep: () => void) {
    this.#context = context;
    this.id = id;
    this.#onStep = onStep;
    this.#reading = new Reading(context);
    this.#retry = new Retry(context.log, id, () => this.look());
  }

  /** Whether there is nothing to do, and nothing in hand. */
  get isAtRest(): boolean {
    return this.#state === 'resting' && !this.#retry.isPending && !needsAttention(this.#session());
  }

  /** Whether a step is under way that should not be cut short. */
  get isBusy(): boolean {
    return this.#state !== 'resting' && this.#state !== 'held';
  }

  /** Looks at the facts, and does what is to be done next. */
  look(): void {
    const session = this.#session();
    if (this.#disposed || session === undefined) return;
    const turn = lastTurn(session);
    this.#retry.note(turn);
    this.#reading.follow(session);
    switch (this.#state) {
      case 'resting':
        this.#next(session, turn, session.runs.at(-1));
        return;
      case 'starting':
        if (turn?.stoppingAt !== undefined || turn?.withdrawn !== undefined) this.#abort?.abort();
        return;
      case 'held':
        this.#judgeMeanwhile(session);
        this.#held?.look(session);
        return;
      case 'connecting':
      case 'closing':
      case 'judging':
    }
  }

  /** Has the keeper know what to give to whoever acts next, should it have to start that. */
  remember(): void {
    this.#held?.remember();
  }

  /** What the agent's output came to. */
  note(activity: Activity): void {
    const session = this.#session();
    if (session === undefined || this.#retry.isPending) return;
    this.#attempt(() => this.#reading.note(session, activity));
  }

  /** Lets go. A start that is under way gets `patience` ms to come to its end, else it is undone for the next one to begin anew. */
  async dispose(patience: number): Promise<void> {
    this.#disposed = true;
    this.#retry.dispose();
    const late = setTimeout(() => this.#abort?.abort(), patience);
    await this.#work.catch(() => undefined);
    clearTimeout(late);
    await this.#held?.dispose();
    this.#reading.dispose();
  }

  #session(): Session | undefined {
    return this.#context.store.get(this.id);
  }

  /** Nothing is in hand: what do the facts ask for? */
  #next(session: Session, turn: Turn | undefined, run: Run | undefined): void {
    if (this.#retry.isPending) return;
    if (turn !== undefined && isQueued(turn)) {
      if (turn.stoppingAt !== undefined) this.#withdraw(turn, cancelled());
      return;
    }
    if (turn?.claim !== undefined && isStarting(turn)) {
      if (this.#failure?.claim === turn.claim.fact) this.#withdraw(turn, this.#failure.error);
      else if (run?.agent !== undefined) this.#do('connecting', () => this.#connect(run));
      else if (turn.claim.lead !== this.#context.store.leadership.lead?.fact) {
        this.#do('starting', () => this.#inherit(session, turn));
      } else if (this.#failure === undefined) this.#do('starting', () => this.#start(session, turn));
      return;
    }
    if (turn !== undefined && isStillborn(turn)) {
      const why = turn.exit?.problem ?? say('start-failed.never');
      this.#withdraw(turn, this.#failure?.error ?? new TreelineError('start-failed', why));
      return;
    }
    if (run !== undefined && isOpenRun(session, run)) {
      this.#do('connecting', () => this.#connect(run));
      return;
    }
    const unjudged = session.turns.find(isUnjudged);
    if (unjudged !== undefined) this.#do('judging', () => this.#judge(session, unjudged));
    else if (turn === undefined || !isOpen(turn)) this.#attempt(() => refuseMessages(this.#context, session));
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
        // Where another one acts by now, this one lets go; what it had begun is looked at anew.
        if (isReplaced(error)) this.#retry.after(RECONNECT_AFTER);
        else this.#failed(error);
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
      return this.#hold(await startTurn(this.#context, session, turn, claim.run, abort.signal), claim.run);
    } catch (error) {
      this.#context.log.warn(errorText(error));
      this.#context.store.refresh();
      if (isReplaced(error)) throw error;
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

  /** The turn was claimed under another lead, and who did is gone. */
  async #inherit(session: Session, turn: Turn): Promise<State> {
    const connection = await inheritStart(this.#context, session, turn);
    if (connection !== undefined) return this.#hold(connection, session.runs.length);
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

  /** Takes up the connection to a keeper that somebody else, or this process before, has started. */
  async #connect({ number, keeper }: Run): Promise<State> {
    const folder = runFolder(this.#context.folder, this.id, number);
    try {
      // With its process known, the death of a keeper is noticed at once, and not by waiting in vain.
      const known = keeper !== undefined && { keeper: keeper.process };
      const connection = await connectKeeper(await readSpec(folder), {
        ...known,
        ...HOLD,
      });
      return this.#hold(connection, number);
    } catch (error) {
      return this.#close(number, error);
    }
  }

  #hold(connection: KeeperConnection, run: number): State {
    if (this.#disposed) {
      connection.dispose();
      return 'resting';
    }
    this.#isUnreachableTold = false;
    const held = new HeldRun({
      context: this.#context,
      session: this.id,
      run,
      connection,
      onStep: () => {
        // What did not work is not tried again at once.
        if (!this.#retry.isPending) this.look();
      },
      onError: (error) => this.#failed(error),
    });
    this.#held = held;
    void held.closed.then(() => {
      if (this.#disposed || this.#held !== held) return;
      this.#held = undefined;
      void held.dispose();
      this.#do('closing', () => this.#close(run));
    });
    // What its keeper has written by now, whoever asked for it is to see.
    this.#attempt(() => this.#context.store.refresh());
    return 'held';
  }

  /**
   * The keeper of a run is gone, or does not answer.
   * @param unreachable why there is no connection to it; absent where there was one, which broke.
   */
  async #close(number: number, unreachable?: unknown): Promise<State> {
    const guard = underLead(this.#context);
    const found = await closeLostRun(this.#context, this.id, number, { acts: () => !this.#disposed, guard });
    const session = this.#session();
    const turn = session && lastTurn(session);
    if (found === 'keeper-lives') {
      // Come back to it.
      guard();
      if (unreachable !== undefined) this.#tellUnreachable(number, unreachable);
      this.#retry.after(unreachable === undefined ? RECONNECT_AFTER : RETRY_INTERVAL);
    } else if (found === 'never-begun' && session !== undefined && turn !== undefined) {
      return this.#inherit(session, turn);
    }
    return 'resting';
  }

  #tellUnreachable(run: number, why: unknown): void {
    if (this.#isStopWanted()) {
      endKeeper(this.#context, this.id, run).catch((error: unknown) => this.#failed(error));
    }
    // Nobody hints at what it records: that is looked for at each attempt.
    this.#context.outputs.hint(this.id);
    if (this.#isUnreachableTold) return;
    this.#isUnreachableTold = true;
    const pid = this.#session()?.runs[run - 1]?.keeper?.process.pid;
    this.#context.log.error(
      `The process that records ${this.id} (${pid}) runs and does not answer, which is tried again; stop the session to end it: ${errorText(why)}`,
    );
  }

  async #judge(session: Session, turn: Turn): Promise<State> {
    await this.#reading.judge(session, turn, () => !this.#disposed);
    return 'resting';
  }

  /** A turn is over while its run goes on. */
  #judgeMeanwhile(session: Session): void {
    const unjudged = session.turns.find(isUnjudged);
    if (unjudged === undefined || this.#isJudging) return;
    this.#isJudging = true;
    void this.#judge(session, unjudged)
      .catch((error: unknown) => this.#failed(error))
      .then(() => {
        this.#isJudging = false;
      });
  }

  #withdraw(turn: Turn, error: unknown): void {
    this.#attempt(() => withdraw(this.#context, this.id, turn, error));
  }

  #attempt(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Something did not work that has to. */
  #failed(thrown: unknown): void {
    if (this.#disposed) return;
    const session = this.#session();
    this.#retry.failed(thrown, session && lastTurn(session));
  }
}

function cancelled(): TreelineError {
  return new TreelineError(say('cancelled'));
}
