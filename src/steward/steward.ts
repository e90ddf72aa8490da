import { setTimeout as delay } from 'node:timers/promises';
import type { Dispose } from '../platform/emitter.ts';
import { errorText } from '../platform/errors.ts';
import { expiredArchives } from '../sessions/archives.ts';
import type { TrashRecord } from '../sessions/trash-record.ts';
import { isLive } from '../store/lifecycle.ts';
import type { Lead, Session } from '../store/model.ts';
import type { Activity } from '../protocol/rows.ts';
import { isAnythingOpen, needsAttention } from './attention.ts';
import { Beacon, watchBeacon } from './beacon.ts';
import type { StewardContext } from './context.ts';
import { Lease } from './lease.ts';
import { Moves } from './moves.ts';
import { OpenSession } from './open-session.ts';
import { queue, type QueuedTurn } from './queue.ts';

/** How often to count the day and look through the trash: ms. */
const DAILY_LOOK = 3600 * 1000;

/** How long what is under way may take to come to its end when another one takes over: ms. A host that closes has five seconds. */
const PATIENCE = 2500;

/** What cannot be cut short is left behind after this long: ms. Whoever comes next begins it anew. */
const SLACK = 500;

export interface StewardOptions {
  readonly context: StewardContext;
  readonly trash: TrashRecord;
  readonly host: Lead['host'];
  /** This build's version. */
  readonly version: string;
  /** The address at which this process can be watched while it leads. */
  readonly socket: string;
  /** What the output of a session came to, whoever read it. */
  readonly onActivity: (activity: Activity) => void;
  /** This process has come to act, or acts no longer. */
  readonly onLead?: (leads: boolean) => void;
  /** It was asked to give way, and has. */
  readonly onRetired?: () => void;
  /**
   * Called before this process leaves the lead to nobody while something is still to be done: starts another one that acts, which
   * waits until the lead, whose fact has this id, is given up.
   */
  readonly onAbandon?: (lead: string) => Promise<void>;
}

/**
 * The part that acts for one repository: starts, holds, stops, judges and moves what the facts ask for. Of all processes that have
 * the repository open, one acts at a time; the others take part, and one of them takes over when it leaves or dies.
 */
export class Steward {
  readonly #options: StewardOptions;
  readonly #context: StewardContext;
  readonly #lease: Lease;
  readonly #moves: Moves;
  readonly #open = new Map<string, OpenSession>();
  readonly #subscriptions: Dispose[] = [];
  #beacon: Beacon | undefined;
  #watched: { readonly lead: string; readonly stop: Dispose } | undefined;
  #daily: NodeJS.Timeout | undefined;
  #leaving = false;

  constructor(options: StewardOptions) {
    const { context, host, version, socket, trash } = options;
    this.#options = options;
    this.#context = context;
    this.#moves = new Moves(context, trash);
    this.#lease = new Lease({
      store: context.store,
      self: context.self,
      host,
      version,
      socket,
      log: context.log,
      onChange: (leads) => this.#turn(leads),
      onRetire: () => void this.#retire(),
    });
  }

  /** Whether this process acts. */
  get leads(): boolean {
    return this.#lease.held;
  }

  /** Whether a window watches this process act. */
  get watched(): boolean {
    return this.#beacon?.watched === true;
  }

  /** Whether something goes on or is still to be done, here or elsewhere. */
  get isNeeded(): boolean {
    return isAnythingOpen(this.#context.store.list());
  }

  /** Whether a step is under way that should not be cut short. */
  get isBusy(): boolean {
    return this.#moves.isBusy || [...this.#open.values()].some((open) => open.isBusy);
  }

  /** Takes part from now on. The store has to be ready. */
  join(): void {
    const { store, outputs } = this.#context;
    this.#subscriptions.push(
      store.onDidChange((ids) => {
        // Not at once: whoever appended the facts is to finish what it does with them first.
        setImmediate(() => this.#look([...ids].flatMap((id) => store.get(id) ?? [])));
      }),
      store.onFacts(() => this.#watch()),
      outputs.onActivity((activity) => this.#noteActivity(activity)),
    );
    this.#lease.join();
    this.#watch();
  }

  /** Looks at everything again: settings have changed, or somebody waits. */
  nudge(): void {
    this.#lease.look();
    this.#look(this.#context.store.list());
    for (const open of this.#open.values()) open.remember();
    if (this.leads) void this.#tidyTrash();
  }

  /** Lets others act. Resolves when nothing is in hand any more. */
  dispose(): Promise<void> {
    const { lead } = this.#lease;
    const isLast = this.leads && !this.watched && this.isNeeded;
    // It starts while what is in hand here comes to its end.
    const heir = isLast && lead !== undefined && !this.#leaving ? this.#options.onAbandon?.(lead.fact) : undefined;
    return this.#leave(heir);
  }

  async #leave(heir?: Promise<void>): Promise<void> {
    if (this.#leaving) return;
    this.#leaving = true;
    clearInterval(this.#daily);
    const failed = (error: unknown): void => {
      this.#context.log.error(`Nothing goes on here until a window is opened: ${errorText(error)}`);
    };
    const late = delay(PATIENCE + SLACK, undefined, { ref: false });
    await Promise.race([
      Promise.all([this.#letGo(PATIENCE), this.#moves.dispose(PATIENCE), heir?.catch(failed)]),
      late,
    ]);
    try {
      this.#lease.leave();
    } catch (error) {
      this.#context.log.warn(errorText(error));
    }
    for (const dispose of this.#subscriptions.splice(0)) dispose();
    this.#watched?.stop();
    this.#beacon?.put();
  }

  async #retire(): Promise<void> {
    if (this.#leaving) return;
    this.#context.log.info('Another process takes over the agents of this repository.');
    await this.#leave();
    this.#options.onRetired?.();
  }

  async #letGo(patience: number): Promise<void> {
    const open = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(open.map((one) => one.dispose(patience)));
  }

  /** This process has come to act, or another one does: then everything is let go, at once. */
  #turn(leads: boolean): void {
    if (leads) {
      this.#beacon ??= new Beacon(this.#options.socket, this.#lease.token, this.#context.log);
      void this.#beacon.light();
      this.#daily = setInterval(() => void this.#tidyTrash(), DAILY_LOOK).unref();
      void this.#tidyTrash();
      setImmediate(() => this.#look(this.#context.store.list()));
    } else if (!this.#leaving) {
      this.#beacon?.put();
      this.#beacon = undefined;
      clearInterval(this.#daily);
      void this.#letGo(0);
    }
    this.#watch();
    this.#options.onLead?.(leads);
  }

  /** Watches whoever acts: its end is noticed at once, and what it reads of the agents' output is shown here. */
  #watch(): void {
    const { lead } = this.#lease;
    const other = this.leads || this.#leaving ? undefined : lead;
    if (this.#watched?.lead === other?.fact) return;
    this.#watched?.stop();
    this.#watched = undefined;
    if (other === undefined) return;
    const gone = (): void => {
      this.#watched = undefined;
      this.#context.store.refresh();
      this.#lease.look();
    };
    const silent = (): void => {
      this.#context.log.warn(
        `Process ${other.by.pid} runs the agents of this repository, and does not answer. This one takes over.`,
      );
      this.#lease.replace(other.fact);
    };
    const stop = watchBeacon(other, {
      role: this.#options.host,
      onActivity: this.#options.onActivity,
      onGone: gone,
      onSilent: silent,
    });
    this.#watched = { lead: other.fact, stop };
  }

  #look(sessions: readonly Session[]): void {
    if (!this.leads || this.#leaving) return;
    for (const session of sessions) {
      const known = this.#open.get(session.id);
      if (known === undefined && !needsAttention(session)) continue;
      const open = known ?? new OpenSession(this.#context, session.id, () => this.#stepped());
      this.#open.set(session.id, open);
      open.look();
      if (open.isAtRest) this.#close(open);
    }
    this.#moves.look(sessions);
    this.#claim();
  }

  #stepped(): void {
    if (this.#leaving) return;
    for (const open of this.#open.values()) if (open.isAtRest) this.#close(open);
    this.#claim();
  }

  #close(open: OpenSession): void {
    this.#open.delete(open.id);
    this.#beacon?.forget(open.id);
    void open.dispose(0);
  }

  /** Gives places to those who wait, in their order, as long as there are any. */
  #claim(): void {
    const { store, settings } = this.#context;
    while (this.leads && !this.#leaving && store.live < settings().maxConcurrent) {
      const next = queue(store.list()).find(({ turn }) => turn.stoppingAt === undefined);
      if (next === undefined || !this.#claimOne(next)) return;
    }
  }

  #claimOne({ session, turn }: QueuedTurn): boolean {
    const { store, settings, log } = this.#context;
    try {
      const last = session.runs.at(-1);
      const goesOn = last?.agent !== undefined && last.exit === undefined;
      store.append({
        type: 'turn.claimed',
        session: session.id,
        turn: turn.number,
        run: goesOn ? last.number : session.runs.length + 1,
        limit: settings().maxConcurrent,
      });
      const claimed = store.get(session.id)?.turns[turn.number - 1];
      return claimed !== undefined && claimed.claim !== undefined && isLive(claimed);
    } catch (error) {
      // The journal says that it cannot be written; each look tries again.
      log.error(errorText(error));
      return false;
    }
  }

  #noteActivity(activity: Activity): void {
    this.#options.onActivity(activity);
    // Those of all repositories of this process are told of.
    if (!this.leads || this.#context.store.get(activity.session) === undefined) return;
    this.#open.get(activity.session)?.note(activity);
    this.#beacon?.tell(activity);
  }

  /** Counts the day, and deletes what the trash has kept for long enough, if the user said that it may go. */
  async #tidyTrash(): Promise<void> {
    const { trash } = this.#options;
    const { store, settings, log } = this.#context;
    try {
      await trash.open(Date.now());
      if (expiredArchives(store.list(), trash, settings().trashDays).length > 0) await this.#moves.purgeOld();
    } catch (error) {
      log.warn(errorText(error));
    }
  }
}
