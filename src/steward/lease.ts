import { randomBytes } from 'node:crypto';
import type { Dispose } from '../platform/emitter.ts';
import { errorText } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { ProcessId } from '../platform/process-id.ts';
import { isAtLeast } from '../platform/version.ts';
import { RULES } from '../store/facts.ts';
import { isHeldBy, isVacant, leadsElsewhere } from '../store/leadership.ts';
import type { Lead } from '../store/model.ts';
import type { Store } from '../store/store.ts';

/** How often to look whether who leads still lives, while that is somebody else: ms. The death of a process says nothing by itself. */
const LOOK_INTERVAL = 1000;

/** After the journal refused: ms. */
const RETRY_INTERVAL = 2000;

export interface LeaseOptions {
  readonly store: Store;
  readonly self: ProcessId;
  readonly host: Lead['host'];
  /** This build's version, such as `0.1.0`. */
  readonly version: string;
  /** The address of this process's beacon. */
  readonly socket: string;
  readonly log: Log;
  /** Called when this process has come to lead, and when it leads no longer. */
  readonly onChange: (leads: boolean) => void;
  /** Asked to give way: by a window where this is a process of its own, or by a newer build. The holder calls `leave` when its step is done. */
  readonly onRetire: () => void;
}

/**
 * Who acts for a repository. Each process that could takes part; the journal decides: of several that want to lead at once, the
 * first fact does. Whoever leads is replaced when it left, is gone, or hangs.
 */
export class Lease {
  readonly #options: LeaseOptions;
  readonly #subscriptions: Dispose[] = [];
  readonly token = randomBytes(16).toString('hex');
  #timer: NodeJS.Timeout | undefined;
  #held = false;
  #active = false;
  #asked: string | undefined;
  #told: string | undefined;
  /** The fact of a lead whose process lives and does nothing. */
  #hung: string | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /** Whether this process leads, as far as it has read the journal. */
  get held(): boolean {
    return this.#held;
  }

  /** Who leads now. */
  get lead(): Lead | undefined {
    return this.#options.store.leadership.lead;
  }

  /** Takes part from now on. The store has to be ready. */
  join(): void {
    if (this.#active) return;
    this.#active = true;
    const { store } = this.#options;
    // Also where the journal was replaced, and nobody leads in the new one.
    this.#subscriptions.push(
      store.onFacts(() => this.look()),
      store.onDidChange(() => this.look()),
    );
    this.look();
  }

  /** Leads if nobody does any more; asks who has to give way to do so. To be called when who leads may be gone. */
  look(): void {
    if (!this.#active) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      this.#take();
    } catch (error) {
      this.#tell(`The lead of this repository could not be taken, which is tried again: ${errorText(error)}`);
      this.#lookAgain(RETRY_INTERVAL);
    }
    const { lead } = this;
    const mine = isHeldBy(lead, this.#options.self);
    if (mine !== this.#held) {
      this.#held = mine;
      this.#options.onChange(mine);
    }
    if (mine && lead?.retire !== undefined) this.#options.onRetire();
    if (!mine) this.#lookAgain(LOOK_INTERVAL);
  }

  /** Leads in the place of the process with this lead, which hangs. What that does when it comes to itself counts for nothing. */
  replace(lead: string): void {
    this.#hung = lead;
    this.look();
  }

  /** Gives up the lead, if it has it, and takes part no longer. Throws where the journal cannot be written. */
  leave(): void {
    this.#active = false;
    clearTimeout(this.#timer);
    for (const dispose of this.#subscriptions.splice(0)) dispose();
    const { lead } = this;
    const held = this.#held && isHeldBy(lead, this.#options.self);
    this.#held = false;
    if (held && lead !== undefined) this.#options.store.append({ type: 'steward.left', lead: lead.fact });
  }

  #take(): void {
    const { store, self, host, version, socket } = this.#options;
    const { lead, rules } = store.leadership;
    if (rules > RULES) {
      this.#tell('A newer version of Treeline has worked on this repository; this one only shows its sessions.');
      return;
    }
    if (isHeldBy(lead, self)) return;
    const elsewhere = leadsElsewhere(lead);
    if (isVacant(lead) || (lead?.fact === this.#hung && elsewhere === undefined)) {
      store.append({
        type: 'steward.leads',
        host,
        version,
        rules: RULES,
        socket,
        token: this.token,
        ...(lead !== undefined && { replaces: lead.fact }),
      });
      return;
    }
    if (elsewhere !== undefined) {
      this.#tell(`Agents of this repository are run by ${elsewhere}, which shares these files.`);
      return;
    }
    if (lead === undefined || lead.retire !== undefined || this.#asked === lead.fact) return;
    if ((lead.host === 'detached' && host === 'window') || !isAtLeast(lead.version, version)) {
      this.#asked = lead.fact;
      store.append({ type: 'steward.retiring', lead: lead.fact });
    }
  }

  #lookAgain(after: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#options.store.refresh();
      this.look();
    }, after).unref();
  }

  #tell(what: string): void {
    if (this.#told !== what) this.#options.log.warn(what);
    this.#told = what;
  }
}
