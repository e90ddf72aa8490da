/** After so long (ms) without a word of the host, it is asked for one. */
const QUIET = 400;
/** And after so long without an answer, it is lost. */
const PATIENCE = 800;
/** On a busy machine answers may take this many times as long as the last ones, */
const SLOWER = 3;
/** up to this (ms): together with QUIET below the 2 s in which a page notices; */
const MOST = 1500;
/** and up to this after the answer of a host that was taken for lost and was only slow: one slower still is lost each time. */
const MOST_AFTER_ERROR = 5000;
/** What remains of more patience at the next answer: after some seconds it is as it was. */
const REMAINS = 0.8;
/** A page that had no time for so long (ms), on a machine that slept, say, gives an answer that may wait behind its look as long. */
const LATE = 300;

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
  /** How long an answer may take: ms. */
  #patience = PATIENCE;
  /** The first answer takes the making of what is shown, and says nothing about the next ones. */
  #greeted = false;
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
    const now = performance.now();
    const took = this.#askedAt === undefined || !this.#greeted ? 0 : now - this.#askedAt;
    const most = this.#lost ? MOST_AFTER_ERROR : MOST;
    this.#patience = Math.max(PATIENCE, Math.min(took * SLOWER, most), this.#patience * REMAINS);
    this.#greeted = true;
    const isAnswer = this.#askedAt !== undefined;
    this.#heardAt = now;
    this.#askedAt = undefined;
    if (this.#lost) {
      this.#lost = false;
      this.#changed(false);
    }
    if (isAnswer) {
      // The next question is due sooner than the look for this answer was.
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
    if (this.#askedAt === undefined && now - this.#heardAt >= QUIET) {
      this.#askedAt = now;
      this.#ask();
    } else if (this.#askedAt !== undefined && now - due > LATE) {
      // The answer may wait behind this look.
      this.#askedAt = Math.max(this.#askedAt, now - this.#patience + LATE);
    }
    if (this.#askedAt !== undefined && now - this.#askedAt >= this.#patience && !this.#lost) {
      this.#lost = true;
      this.#changed(true);
    }
    if (this.#lost) {
      // It may have been slow, and be back.
      return;
    }
    const next = this.#askedAt === undefined ? this.#heardAt + QUIET : this.#askedAt + this.#patience;
    this.#timer = window.setTimeout(
      () => {
        this.#look(next);
      },
      Math.max(0, next - now),
    );
  }
}
