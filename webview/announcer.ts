import { h, setText } from './dom.ts';
import { line } from './text.ts';
import type { Row } from '../src/protocol/timeline.ts';
import type { Words } from './words.ts';

/** ms between two announcements at least. */
const INTERVAL = 5000;

/** The page's one live region: a polite summary now and then, never every line. */
export class Announcer {
  readonly element = h('div', { class: 'for-ears', role: 'status', 'aria-live': 'polite' });
  readonly #words: Words;
  #added = 0;
  #last: Row | undefined;
  #status: string | undefined;
  #said: string | undefined;
  #timer: number | undefined;

  constructor(words: Words) {
    this.#words = words;
  }

  /** @param last the newest row */
  added(count: number, last: Row | undefined): void {
    if (count > 0) {
      this.#added += count;
      this.#last = last;
      this.#schedule();
    }
  }

  /** A status is said when it differs from the one before. */
  status(label: string | undefined): void {
    const before = this.#said;
    this.#said = label;
    if (before !== undefined && label !== undefined && before !== label) {
      this.#status = label;
      this.#schedule();
    }
  }

  /** The host does not answer any more, or does again: said at once. */
  connection(lost: boolean): void {
    window.clearTimeout(this.#timer);
    this.#timer = undefined;
    setText(this.element, this.#words.say(lost ? 'header.lost' : 'live.connected'));
    if (!lost && (this.#added > 0 || this.#status !== undefined)) {
      this.#schedule();
    }
  }

  /** Another session: nothing of the one before is said any longer. */
  reset(): void {
    this.#added = 0;
    this.#status = undefined;
    this.#said = undefined;
  }

  #schedule(): void {
    this.#timer ??= window.setTimeout(() => {
      this.#timer = undefined;
      this.#say();
    }, INTERVAL);
  }

  #say(): void {
    const tool = this.#last?.tool;
    const words = this.#words;
    const parts = [
      ...(this.#added > 0 ? [words.count('live.new', this.#added)] : []),
      ...(tool?.state === 'running' ? [words.say('live.running', line(tool.name, 60))] : []),
      ...(tool?.state === 'failed' ? [words.say('live.failed', line(tool.name, 60))] : []),
      ...(this.#status === undefined ? [] : [words.say('live.status', this.#status)]),
    ];
    this.#added = 0;
    this.#status = undefined;
    setText(this.element, parts.join(', '));
  }
}
