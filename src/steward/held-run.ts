import { readFile } from 'node:fs/promises';
import type { DriverEvent } from '../drivers/driver.ts';
import { driverFor } from '../drivers/table.ts';
import { readSpec, type KeeperConnection } from '../keeper/client.ts';
import type { Message } from '../keeper/protocol.ts';
import { TreelineError, errorText } from '../platform/errors.ts';
import { say } from '../words/saying.ts';
import { runFolder, textFile } from '../platform/paths.ts';
import { isLive, lastTurn } from '../store/lifecycle.ts';
import type { PromisedMessage, Session, Turn } from '../store/model.ts';
import { isStarting } from './attention.ts';
import type { StewardContext } from './context.ts';
import { DrivenRun } from './driven-run.ts';
import { endKeeper } from './lost-run.ts';
import { refuseMessage, withdraw } from './refusals.ts';
import { isReplaced, underLead } from './under-lead.ts';

/** What a stop may take beyond its grace periods before the keeper itself is taken for dead: ms. */
const STOP_SLACK = 10_000;

export interface HeldRunOptions {
  readonly context: StewardContext;
  readonly session: string;
  readonly run: number;
  readonly connection: KeeperConnection;
  /** A delivery is over: the facts are to be looked at again. */
  readonly onStep: () => void;
  /** Something did not work that has to. */
  readonly onError: (error: unknown) => void;
}

/** A run whose keeper is connected: its agent is heard, given what it was promised, and ended when that is wanted. */
export class HeldRun {
  readonly #options: HeldRunOptions;
  #driven: DrivenRun | undefined;
  /** Over when it is known whether the run is driven. */
  readonly #driving: Promise<void>;
  /** What its keeper was told to remember. */
  #remembered: string | undefined;
  /** Turns that the agent said are over. */
  readonly #over = new Set<number>();
  #stopping = false;
  #delivering = false;
  #disposed = false;

  constructor(options: HeldRunOptions) {
    this.#options = options;
    const { connection, context, session } = options;
    this.remember();
    connection.onGrew(() => context.outputs.hint(session));
    this.#driving = this.#drive().catch((error: unknown) => context.log.error(errorText(error)));
  }

  /** Resolves when the connection is lost. */
  get closed(): Promise<void> {
    return this.#options.connection.closed;
  }

  get number(): number {
    return this.#options.run;
  }

  /** Does what the facts want of the run. */
  look(session: Session): void {
    const turn = lastTurn(session);
    const run = session.runs[this.number - 1];
    if (turn === undefined || run === undefined || run.exit !== undefined || this.#disposed) return;
    this.#tellEnds(session);
    if (turn.stoppingAt !== undefined) {
      if (this.#stopping) return;
      this.#stopping = true;
      void this.#stop();
      return;
    }
    if (this.#delivering) return;
    const promised = session.messages[0];
    if (isStarting(turn) && run.agent !== undefined) this.#deliver(() => this.#begin(turn));
    else if (promised !== undefined && turn.begunAt !== undefined) this.#deliver(() => this.#send(promised));
  }

  /** Has the keeper know what to give to whoever acts next, should it have to start that. */
  remember(): void {
    const { context, connection, session } = this.#options;
    const text = context.successor?.text();
    if (text === undefined || text === this.#remembered) return;
    this.#remembered = text;
    connection
      .remember(text)
      .catch((error: unknown) => context.log.debug(`${session} remembers nothing: ${errorText(error)}`));
  }

  /** Lets go of it; it goes on. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    this.#options.connection.dispose();
    await this.#driven?.dispose();
  }

  /** Follows what an agent that reads lines says of its turns and of its messages. */
  async #drive(): Promise<void> {
    const { context, connection, session, onError } = this.#options;
    const folder = runFolder(context.folder, session, this.number);
    const { stdin, protocol } = await readSpec(folder);
    const driver = stdin === 'lines' ? driverFor(protocol) : undefined;
    if (driver === undefined || this.#disposed) return;
    const driven = new DrivenRun({
      folder,
      driver,
      // Its first prompt comes as a message, too.
      spec: {},
      onEvents: (events) => this.#heard(events),
      onError,
    });
    this.#driven = driven;
    connection.onGrew(({ stream }) => {
      if (stream !== 'k') driven.hint();
    });
    driven.hint();
  }

  #heard(events: readonly DriverEvent[]): void {
    for (const event of events) if (event.type === 'turn-ended') this.#over.add(event.turn);
    const session = this.#options.context.store.get(this.#options.session);
    if (session !== undefined) this.#tellEnds(session);
  }

  /** Until the journal has taken it: an agent may be done before it is written that it has its prompt, and a disk may be full. */
  #tellEnds({ id, turns }: Session): void {
    const { context, onError } = this.#options;
    for (const turn of turns) {
      if (!this.#over.has(turn.number) || !isLive(turn) || turn.begunAt === undefined) continue;
      try {
        context.store.append({ type: 'turn.ended', session: id, turn: turn.number });
      } catch (error) {
        onError(error);
      }
    }
  }

  /** Ends the agent. A keeper that does not do as it is told is ended itself; its run is then closed like any whose keeper died. */
  async #stop(): Promise<void> {
    const { context, connection, session } = this.#options;
    const { grace } = context.settings();
    const guard = underLead(context);
    try {
      await connection.stop(AbortSignal.timeout(grace.interrupt + grace.terminate + STOP_SLACK));
    } catch (error) {
      context.log.warn(`Stopping ${session}: ${errorText(error)}`);
      try {
        guard();
        await endKeeper(context, session, this.number);
      } catch (failed) {
        if (isReplaced(failed)) return;
        this.#stopping = false;
        this.#options.onError(failed);
      }
    }
  }

  #deliver(work: () => Promise<void>): void {
    this.#delivering = true;
    void work()
      .catch((error: unknown) => {
        if (!isGone(error)) this.#options.onError(error);
      })
      .then(() => {
        this.#delivering = false;
        this.#options.onStep();
      });
  }

  /** Gives a run that goes on the prompt of its next turn. */
  async #begin(turn: Turn): Promise<void> {
    const { context, session } = this.#options;
    try {
      const text = await readFile(textFile(context.folder, session, turn.text), 'utf8');
      await this.#say({ key: turn.text, text, turn: turn.number });
    } catch (error) {
      if (!isGone(error)) withdraw(context, session, turn, error);
      return;
    }
    context.store.append({ type: 'turn.begun', session, turn: turn.number });
  }

  async #send(message: PromisedMessage): Promise<void> {
    const { context, session } = this.#options;
    try {
      const text = await readFile(textFile(context.folder, session, message.id), 'utf8');
      await this.#say({ key: message.id, text });
    } catch (error) {
      if (isGone(error)) return;
      refuseMessage(context, session, message.id, error);
      return;
    }
    context.store.append({ type: 'message.delivered', session, message: message.id, run: this.number });
  }

  /** Gives the agent a message, in the form that it understands, once however often this is asked. */
  async #say(message: Message): Promise<void> {
    // For each message: the connection outlives a journal that is lost, and with it the lead under which it was made.
    const guard = underLead(this.#options.context);
    await this.#driving;
    const wish = await this.#driven?.wish((driver, state) => driver.message(state, message));
    if (wish !== undefined && 'refused' in wish) throw new TreelineError(say(wish.refused));
    for (const one of wish?.send ?? [message]) {
      guard();
      if (this.#disposed) throw new TreelineError(say('keeper-gone.lost'));
      await this.#options.connection.send(one);
    }
  }
}

/** A connection that broke, or a lead that was lost, says nothing about a message: it is delivered when there is another one. */
function isGone(error: unknown): boolean {
  return isReplaced(error) || (error instanceof TreelineError && error.code === 'keeper-gone');
}
