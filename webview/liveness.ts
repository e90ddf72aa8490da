/** After so long (ms) without a word of the host, it is asked for one. */
const QUIET = 400;
/** And after so long without an answer, it is lost. Together with QUIET below the 2 s in which a page notices. */
const PATIENCE = 1000;

/**
 * Knows whether the host is still there: an extension host may end while its pages stay. Asks only while somebody can see the
 * page, and only when the host has said nothing for a while.
 */
export class Liveness {
  readonly #ask: () => void;
  readonly #changed: (lost: boolean) => void;
  /** Since when the host owes an answer. */
  #askedAt: number | undefined;
  #heardAt = performance.now();
  #lost = false;
  #timer: number | undefined;

  constructor(ask: () => void, changed: (lost: boolean) => void) {
    this.#ask = ask;
    this.#changed = changed;
  }

  /** From now on. The page has just asked for everything, which is a question too. */
  start(): void {
    this.#askedAt = performance.now();
    document.addEventListener('visibilitychange', () => {
      this.#look();
    });
    this.#look();
  }

  /** The host said something. */
  heard(): void {
    this.#heardAt = performance.now();
    this.#askedAt = undefined;
    if (this.#lost) {
      this.#lost = false;
      this.#changed(false);
      this.#look();
    }
  }

  #look(due = performance.now()): void {
    window.clearTimeout(this.#timer);
    if (document.visibilityState !== 'visible') {
      // What was asked before nobody could see the page proves nothing when somebody can again.
      this.#askedAt = undefined;
      return;
    }
    const now = performance.now();
    // A machine that slept, or a page that had no time: the answer may wait behind this look.
    const late = now - due > QUIET;
    if (this.#askedAt === undefined ? now - this.#heardAt >= QUIET : late) {
      this.#askedAt = now;
      this.#ask();
    }
    if (this.#askedAt !== undefined && now - this.#askedAt >= PATIENCE && !this.#lost) {
      this.#lost = true;
      this.#changed(true);
    }
    if (this.#lost) {
      // It may have been slow, and be back.
      return;
    }
    const next = this.#askedAt === undefined ? this.#heardAt + QUIET : this.#askedAt + PATIENCE;
    this.#timer = window.setTimeout(
      () => {
        this.#look(next);
      },
      Math.max(0, next - now),
    );
  }
}
