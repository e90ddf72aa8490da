import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { connectKeeper, readSpec, type KeeperConnection } from '../keeper/client.ts';
import { TURN_FILES } from '../keeper/protocol.ts';
import { rescue } from '../keeper/rescue.ts';
import type { Dispose } from '../platform/emitter.ts';
import { TreelineError, errorText } from '../platform/errors.ts';
import { turnFolder } from '../platform/paths.ts';
import { isAlive, isAliveNow, isSame, type ProcessId } from '../platform/process-id.ts';
import { signalProcesses } from '../platform/process-tree.ts';
import { isLive, isQueued, type Session, type Turn } from '../store/lifecycle.ts';
import { takeUpTurn } from './abandoned-turn.ts';
import type { Context } from './context.ts';
import type { ActionOptions } from './service-types.ts';
import { timelineSource } from './timeline-source.ts';
import { openTurns, type OpenTurn } from './turn-queue.ts';
import { startTurn } from './turn-start.ts';

/** How often to look after turns that wait for another window, while there are any: that window may die without a word. */
const OTHERS_INTERVAL = 1500;

/** A keeper that does not answer within this many ms is looked at as a process. */
const CONNECT_TIMEOUT = 3000;

/** After a connection to a keeper that lives broke: ms. */
const RECONNECT_AFTER = 200;

/** After a failure that must not be the last word: ms. */
const RETRY_INTERVAL = 2000;

const PROMPT_LOST = 'The window closed before the prompt was saved. Resume the session and enter the prompt again.';

/** What did not work for a turn, told once. */
interface Trouble {
  readonly what: string;
  readonly error: string;
  /** The turn as it was then: when it is another, a fact was written, and so the trouble is over. */
  readonly turn: Turn;
}

interface Start {
  readonly promise: Promise<void>;
  readonly abort: AbortController;
}

/**
 * Brings every open turn of a repository forward: claims what is queued, holds a connection to the keeper of what is live,
 * closes what lost its keeper or its window, and has the adapter judge what is over. It acts on the state alone, so that a
 * window that has just opened and one that saw everything happen do the same.
 */
export class TurnSupervisor {
  readonly #context: Context;
  readonly #starts = new Map<string, Start>();
  readonly #options = new Map<string, ActionOptions>();
  readonly #keepers = new Map<string, Promise<KeeperConnection | undefined>>();
  readonly #judging = new Set<string>();
  readonly #timelines = new Map<string, Dispose>();
  readonly #troubles = new Map<string, Trouble>();
  /** The turns whose keeper lives and gives no answer, as was told. */
  readonly #unreachable = new Set<string>();
  /** The turns that are looked at again soon. */
  readonly #retries = new Set<string>();
  #others: NodeJS.Timeout | undefined;
  #disposed = false;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Looks at sessions whose facts changed. */
  look(sessions: Iterable<Session>): void {
    if (this.#disposed) {
      return;
    }
    for (const session of sessions) {
      for (const turn of session.turns) {
        this.#lookAt(session, turn);
      }
      this.#follow(session);
    }
    this.#claimNext();
    this.#watchOthers();
  }

  /** What to tell and how to cancel when this window comes to start the turn. */
  expect(session: string, turn: number, options: ActionOptions): void {
    this.#options.set(key(session, turn), options);
  }

  /** The start of a turn by this window, while it goes on or when it is over; undefined when it is not this window's. */
  starting(session: string, turn: number): Promise<void> | undefined {
    return this.#starts.get(key(session, turn))?.promise;
  }

  /** Cancels the start of a turn by this window; resolves when all that it made is undone. */
  async cancelStart(session: string, turn: number): Promise<void> {
    const start = this.#starts.get(key(session, turn));
    start?.abort.abort();
    await start?.promise.catch(() => undefined);
  }

  /** The connection to the keeper of a live turn, made if need be; undefined when no keeper answers. */
  async keeper(session: string, turn: number): Promise<KeeperConnection | undefined> {
    const now = this.#context.store.get(session);
    if (now !== undefined) {
      this.look([now]);
    }
    return this.#keepers.get(key(session, turn));
  }

  /** Ends a keeper that does not do what it is told; what it leaves behind is then closed like any keeper's that died. */
  async endKeeper(session: string, turn: number): Promise<void> {
    const keeper = this.#context.store.get(session)?.turns[turn - 1]?.keeper;
    if (keeper !== undefined) {
      await signalProcesses([keeper], 'SIGKILL');
    }
  }

  /** Agents outlive the window: only the connections go. A start that is under way is undone, for nobody could finish it. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    clearTimeout(this.#others);
    const starts = [...this.#starts.values()];
    for (const { abort } of starts) {
      abort.abort();
    }
    await Promise.allSettled(starts.map(({ promise }) => promise));
    for (const connection of this.#keepers.values()) {
      void connection.then((open) => open?.dispose());
    }
    for (const close of this.#timelines.values()) {
      close();
    }
  }

  #lookAt(session: Session, turn: Turn): void {
    const at = key(session.id, turn.number);
    this.#noteProgress(session, turn);
    if (isLive(turn)) {
      if (turn.stoppingAt !== undefined) {
        this.#starts.get(at)?.abort.abort();
      }
      if (turn.agent !== undefined && !this.#starts.has(at) && !this.#keepers.has(at)) {
        this.#keepers.set(at, this.#connect(session, turn));
      } else if (turn.agent === undefined && !this.#starts.has(at) && !this.#owned(turn.claim?.by)) {
        void this.#takeUp(session, turn);
      }
    } else if (turn.exit !== undefined && turn.judgement === undefined && turn.exit.startedAt !== null) {
      void this.#judge(session, turn);
    }
  }

  /** The output of what is live is followed, whether or not anybody looks at it: the tree tells of it. */
  #follow(session: Session): void {
    // From the agent's start on: before it there is nothing to read, and the machine has a worktree to make.
    const live = session.turns.some((turn) => isLive(turn) && turn.agent !== undefined);
    // Most sessions are over, and nobody looks at them.
    if (!live && !this.#context.timelines.has(session.id)) {
      return;
    }
    const source = timelineSource(this.#context.folder, session);
    this.#context.timelines.update(source);
    const close = this.#timelines.get(session.id);
    if (live && close === undefined) {
      this.#timelines.set(session.id, this.#context.timelines.open(source));
    } else if (!live && close !== undefined) {
      close();
      this.#timelines.delete(session.id);
    }
  }

  /** Claims queued turns in their order, as long as there is a place and the next one is this window's to start. */
  #claimNext(): void {
    for (;;) {
      const { store, settings } = this.#context;
      const limit = settings().maxConcurrent;
      const next = openTurns(this.#context.store.list()).find(({ turn }) => isQueued(turn));
      if (this.#disposed || next === undefined || store.live >= limit || this.#owned(next.turn.requestedBy)) {
        return;
      }
      // After a loss of power the file may be there and empty; no prompt is.
      const prompt = statSync(join(this.#folder(next.session, next.turn), TURN_FILES.prompt), {
        throwIfNoEntry: false,
      });
      const isStored = prompt !== undefined && prompt.size > 0;
      if (!isStored && isSame(next.turn.requestedBy, this.#context.self)) {
        return; // The prompt is being written; who writes it looks again then.
      }
      try {
        if (!isStored) {
          this.#withdraw(next.session, next.turn, new TreelineError('failed', PROMPT_LOST));
        } else if (!this.#claim(next, limit)) {
          return; // Another window was quicker; its fact will bring us here again.
        }
      } catch (error) {
        this.#failed(next.session, next.turn, 'could not be claimed', error);
        return;
      }
    }
  }

  /** Claims a turn and starts it; whether the claim was granted. */
  #claim({ session, turn }: OpenTurn, limit: number): boolean {
    const { store } = this.#context;
    const [claim] = store.append({ type: 'turn.claimed', session: session.id, turn: turn.number, limit });
    const now = store.get(session.id);
    const claimed = now?.turns[turn.number - 1];
    if (now === undefined || claimed === undefined || claim === undefined || claimed.claim?.fact !== claim.id) {
      return false;
    }
    this.#start(now, claimed);
    return true;
  }

  #start(session: Session, turn: Turn): void {
    const at = key(session.id, turn.number);
    const { signal: given, progress } = this.#options.get(at) ?? {};
    this.#options.delete(at);
    const abort = new AbortController();
    const signal = given === undefined ? abort.signal : AbortSignal.any([abort.signal, given]);
    const promise = startTurn(this.#context, session, turn, { signal, ...(progress && { progress }) }).then(
      (connection) => {
        this.#keepers.set(at, Promise.resolve(this.#hold(session, turn, connection)));
        this.#starts.delete(at);
        // The keeper has written that the agent runs: who asked for it is to see that.
        this.#context.store.refresh();
      },
      (error: unknown) => {
        this.#starts.delete(at);
        try {
          this.#withdraw(session, turn, error);
        } catch (unwritten) {
          this.#failed(session, turn, 'could not be withdrawn', unwritten);
        }
        throw error;
      },
    );
    // Who asked for the turn hears of a failure; a turn that waited in the queue has only its facts to tell.
    promise.catch((error: unknown) => this.#context.log.warn(errorText(error)));
    this.#starts.set(at, { promise, abort });
  }

  #withdraw(session: Session, turn: Turn, error: unknown): void {
    const cancelled = error instanceof TreelineError && error.code === 'cancelled';
    this.#context.store.append({
      type: 'turn.withdrawn',
      session: session.id,
      turn: turn.number,
      reason: cancelled ? 'cancelled' : 'failed',
      message: errorText(error),
    });
  }

  /** Takes up the connection to a keeper that another window, or this one before a reload, has started. */
  async #connect(session: Session, turn: Turn): Promise<KeeperConnection | undefined> {
    const folder = turnFolder(this.#context.folder, session.id, turn.number);
    try {
      // With its process known, the death of a keeper is noticed at once, and not by waiting in vain.
      const known = turn.keeper !== undefined && { keeper: turn.keeper };
      const connection = await connectKeeper(await readSpec(folder), { timeoutMs: CONNECT_TIMEOUT, ...known });
      return this.#hold(session, turn, connection);
    } catch (error) {
      await this.#lost(session, turn, error);
      return undefined;
    }
  }

  #hold(session: Session, turn: Turn, connection: KeeperConnection): KeeperConnection {
    this.#unreachable.delete(key(session.id, turn.number));
    void connection.closed.then(() => this.#lost(session, turn));
    return connection;
  }

  /**
   * The keeper is gone, or does not answer: what the journal does not say by now, nobody but us will write.
   * @param unreachable why there is no connection to it; absent where there was one, which broke.
   */
  async #lost(session: Session, turn: Turn, unreachable?: unknown): Promise<void> {
    const { store } = this.#context;
    const at = key(session.id, turn.number);
    try {
      store.refresh();
      const now = store.get(session.id)?.turns[turn.number - 1];
      if (this.#disposed || now === undefined || !isLive(now) || this.#starts.has(at)) {
        this.#keepers.delete(at);
        return;
      }
      if (now.keeper !== undefined && (await isAlive(now.keeper))) {
        // It lives: come back to it. Deleting first lets the next look connect again.
        this.#keepers.delete(at);
        if (unreachable !== undefined) this.#tellUnreachable(at, now.keeper, unreachable);
        const rest = unreachable === undefined ? RECONNECT_AFTER : RETRY_INTERVAL;
        setTimeout(() => this.look([store.get(session.id) ?? session]), rest).unref();
        return;
      }
      this.#keepers.delete(at);
      if (now.agent === undefined && !existsSync(join(this.#folder(session, turn), TURN_FILES.exit))) {
        await this.#takeUp(session, now);
        return;
      }
      const exit = await rescue({
        folder: this.#folder(session, turn),
        ...(now.keeper !== undefined && { keeper: now.keeper }),
        ...(now.agent !== undefined && { agent: now.agent }),
        session: session.id,
        turn: turn.number,
        expects: session.expects,
        worktree: session.worktree,
        ...(now.stoppingAt !== undefined && { stoppingAt: now.stoppingAt }),
      });
      store.append({ type: 'turn.exited', session: session.id, turn: turn.number, exit });
    } catch (error) {
      this.#failed(session, turn, 'lost its keeper and could not be closed', error);
    }
  }

  #tellUnreachable(at: string, { pid }: ProcessId, why: unknown): void {
    if (this.#unreachable.has(at)) return;
    this.#unreachable.add(at);
    this.#context.log.error(
      `The keeper of ${at} (process ${pid}) runs and cannot be reached, which is tried again; stop the session to end it: ${errorText(why)}`,
    );
  }

  async #takeUp(session: Session, turn: Turn): Promise<void> {
    const at = key(session.id, turn.number);
    const promise = takeUpTurn(this.#context, session, turn)
      .then((connection) => {
        if (connection !== undefined) {
          this.#keepers.set(at, Promise.resolve(this.#hold(session, turn, connection)));
        }
      })
      .finally(() => this.#starts.delete(at));
    this.#starts.set(at, { promise, abort: new AbortController() });
    await promise.catch((error: unknown) => this.#failed(session, turn, 'could not be taken up', error));
  }

  async #judge(session: Session, turn: Turn): Promise<void> {
    const at = key(session.id, turn.number);
    if (this.#judging.has(at)) {
      return;
    }
    this.#judging.add(at);
    const { timelines, store, folder } = this.#context;
    const close = timelines.open(timelineSource(folder, session));
    try {
      const judgement = await timelines.judge(session.id, turn.number);
      if (!this.#disposed && store.get(session.id)?.turns[turn.number - 1]?.judgement === undefined) {
        store.append({ type: 'turn.judged', session: session.id, turn: turn.number, judgement });
      }
    } catch (error) {
      this.#failed(session, turn, 'could not be judged', error);
    } finally {
      close();
      this.#judging.delete(at);
    }
  }

  /** Something did not work that has to: a full disk, most likely. It is tried again until it does, and told once. */
  #failed(session: Session, turn: Turn, what: string, thrown: unknown): void {
    if (this.#disposed) {
      return;
    }
    const now = this.#context.store.get(session.id) ?? session;
    const at = key(session.id, turn.number);
    const error = errorText(thrown);
    const before = this.#troubles.get(at);
    this.#troubles.set(at, { what, error, turn: now.turns[turn.number - 1] ?? turn });
    if (before?.what !== what || before.error !== error) {
      this.#context.log.error(`Turn ${turn.number} of ${session.id} ${what}, and is tried again: ${error}`);
    }
    if (this.#retries.has(at)) {
      return;
    }
    this.#retries.add(at);
    setTimeout(() => {
      this.#retries.delete(at);
      this.look([this.#context.store.get(session.id) ?? session]);
    }, RETRY_INTERVAL).unref();
  }

  #noteProgress(session: Session, turn: Turn): void {
    const at = key(session.id, turn.number);
    const trouble = this.#troubles.get(at);
    if (trouble !== undefined && trouble.turn !== turn) {
      this.#troubles.delete(at);
      this.#context.log.info(`Turn ${turn.number} of ${session.id}, which ${trouble.what}, goes on.`);
    }
  }

  /** Whether another window that lives has this in hand. */
  #owned(by: Turn['requestedBy'] | undefined): boolean {
    const { self } = this.#context;
    return by !== undefined && !isSame(by, self) && isAliveNow(by);
  }

  /** While a turn waits for another window, that window's death must not be missed: it says nothing when it goes. */
  #watchOthers(): void {
    const waiting = openTurns(this.#context.store.list()).filter(({ turn }) =>
      this.#owned(isQueued(turn) ? turn.requestedBy : turn.agent ? undefined : turn.claim?.by),
    );
    if (waiting.length === 0) {
      clearTimeout(this.#others);
      this.#others = undefined;
    } else {
      this.#others ??= setTimeout(() => {
        this.#others = undefined;
        this.look(waiting.flatMap(({ session }) => this.#context.store.get(session.id) ?? []));
      }, OTHERS_INTERVAL).unref();
    }
  }

  #folder(session: Session, turn: Turn): string {
    return turnFolder(this.#context.folder, session.id, turn.number);
  }
}

function key(session: string, turn: number): string {
  return `${session}/${turn}`;
}
