import { isRecord } from '../platform/check.ts';
import { isPageState } from '../protocol/check.ts';
import type { PageState } from '../protocol/timeline.ts';

/** The part of `vscode.Memento` that is needed. */
export interface Memory {
  get(key: string): unknown;
  update(key: string, value: unknown): unknown;
}

interface Entry {
  readonly title: string;
  readonly state: PageState;
}

const KEY = 'treeline.timelines';
/** How many timelines are remembered: those that changed last. */
const LIMIT = 100;

/** What a panel is about: a session, or whatever is selected. No two panels are about the same. */
export type Subject = string;

/** The subject of a page's state; undefined for one that is about nothing. */
export function subjectOf(of: {
  readonly follow: boolean;
  readonly session?: string | undefined;
}): Subject | undefined {
  const { follow, session } = of;
  return follow ? 'selection' : session;
}

/**
 * What each timeline was about and where its reader was, by the title on its tab. The editor brings a panel back with its
 * title, but not always with the state of its page: VS Code in a browser writes that only from time to time, and the tab of an extension
 * host that died has nothing else.
 */
export class PanelMemory {
  readonly #memory: Memory;
  #entries: readonly Entry[];

  constructor(memory: Memory) {
    this.#memory = memory;
    const kept = memory.get(KEY);
    this.#entries = Array.isArray(kept) ? kept.filter(isEntry) : [];
  }

  /** Notes the title and the state of a panel. */
  note(title: string, state: PageState): void {
    const subject = subjectOf(state);
    if (subject === undefined) {
      return;
    }
    const entry = { title, state };
    const known = this.#entries.find((other) => subjectOf(other.state) === subject);
    if (known === undefined || JSON.stringify(known) !== JSON.stringify(entry)) {
      this.#entries = [...this.#entries.filter((other) => other !== known), entry].slice(-LIMIT);
      this.#memory.update(KEY, this.#entries);
    }
  }

  /** The state of the panel that had this title last and is not among `open`, the subjects that have a panel already. */
  find(title: string, open: ReadonlySet<Subject>): PageState | undefined {
    return this.#entries.findLast((entry) => entry.title === title && !open.has(subjectOf(entry.state) ?? ''))?.state;
  }

  /** The title and the state that the panel of a subject had last. */
  of(subject: Subject): { readonly title: string; readonly state: PageState } | undefined {
    return this.#entries.find((entry) => subjectOf(entry.state) === subject);
  }
}

function isEntry(value: unknown): value is Entry {
  return isRecord(value) && typeof value['title'] === 'string' && isPageState(value['state']);
}
