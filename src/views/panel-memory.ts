import { isRecord } from '../platform/check.ts';

/** The part of `vscode.Memento` that is needed. */
export interface Memory {
  get(key: string): unknown;
  update(key: string, value: unknown): unknown;
}

interface Entry {
  readonly title: string;
  readonly session: string;
}

const KEY = 'treeline.timelines';
/** So many titles are kept, the youngest. */
const LIMIT = 100;

/**
 * Which session a timeline's title stood for. The editor brings a panel back with its title, but not always with the state of
 * its page: VS Code in a browser writes that only from time to time.
 */
export class PanelMemory {
  readonly #memory: Memory;
  #entries: readonly Entry[];

  constructor(memory: Memory) {
    this.#memory = memory;
    const kept = memory.get(KEY);
    this.#entries = Array.isArray(kept) ? kept.filter(isEntry) : [];
  }

  note(title: string, session: string): void {
    const known = this.#entries.some((entry) => entry.title === title && entry.session === session);
    if (!known) {
      this.#entries = [...this.#entries, { title, session }].slice(-LIMIT);
      this.#memory.update(KEY, this.#entries);
    }
  }

  /** The session that had this title last and is not among `open`, the sessions that have a panel already. */
  find(title: string, open: ReadonlySet<string>): string | undefined {
    return this.#entries.findLast((entry) => entry.title === title && !open.has(entry.session))?.session;
  }
}

function isEntry(value: unknown): value is Entry {
  return isRecord(value) && typeof value['title'] === 'string' && typeof value['session'] === 'string';
}
