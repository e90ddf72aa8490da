import type { AgentEventKind, Choice, FileChange, Todo } from '../agents/events.ts';
import type { StreamKey } from '../keeper/protocol.ts';
import type { RowGroup } from './names.ts';
import type { Judgement, Outcome, Usage } from '../store/model.ts';

/** Events that have no row of their own: they revise the row of a tool call, of a message, of a request. */
export type FoldedKind = 'tool-result' | 'text-part' | 'request-closed';

/** The kinds of rows: what agents say, and what Treeline itself knows. */
export type RowKind =
  | Exclude<AgentEventKind, FoldedKind>
  /** The prompt with which a turn began. */
  | 'turn-start'
  | 'turn-end'
  /** A message sent to a live agent. */
  | 'sent'
  /** A note of the keeper. */
  | 'keeper'
  /** A line of stderr. */
  | 'stderr';

/** Bytes of a run's raw log. */
export interface LogRange {
  readonly stream: StreamKey;
  readonly offset: number;
  readonly length: number;
}

/** A bounded piece of a longer text; `bytes` is the whole's size in UTF-8. */
export interface Excerpt {
  readonly text: string;
  readonly bytes: number;
  readonly cut: boolean;
}

export interface ToolPart {
  readonly name: string;
  readonly argument: string;
  readonly state: 'running' | 'ok' | 'failed' | 'denied';
  readonly file?: string;
  readonly line?: number;
  readonly exitCode?: number;
  readonly durationMs?: number;
  readonly input?: Excerpt;
  readonly output?: Excerpt;
  readonly diff?: Excerpt;
  readonly subagent?: boolean;
  /** Where the result stands in the raw log. */
  readonly resultLog?: LogRange;
}

/** What the agent asks for, and what came of it. */
export interface RequestPart {
  readonly id: string;
  readonly about: 'permission' | 'question' | 'plan';
  /** `lapsed`: the turn ended first. */
  readonly state: 'open' | 'answered' | 'cancelled' | 'lapsed';
  readonly choices: readonly Choice[];
  /** What exactly it is about. */
  readonly input?: Excerpt;
  /** The id of the choice that was made. */
  readonly choice?: string;
  /** What somebody wrote, beside a choice or in place of one. */
  readonly answer?: Excerpt;
  /** How long the agent waited, until it was settled. */
  readonly waitedMs?: number;
  /** Where the answer stands in the raw log. */
  readonly answerLog?: LogRange;
}

/** What rows of some kinds show beside their text. */
interface Parts {
  readonly tool: ToolPart;
  readonly changes: readonly FileChange[];
  readonly todo: readonly Todo[];
  readonly request: RequestPart;
  readonly end: RowEnd;
}

export type RowParts = Partial<Parts>;

/** A table that has something to say of each part. */
export type OfParts<Result> = { readonly [Name in keyof Parts]: (part: Parts[Name]) => Result };

/** What a table says of the parts that a row has, in the order of the table. */
export function ofParts<Result>(row: RowParts, table: OfParts<Result>): readonly Result[] {
  const say = <Name extends keyof Parts>(name: Name, part: Parts[Name] | undefined): readonly Result[] => {
    return part === undefined ? [] : [table[name](part)];
  };
  return (Object.keys(table) as (keyof Parts)[]).flatMap((name) => say(name, row[name]));
}

/**
 * One row of a session's timeline. `seq` counts from 1 without gaps in the order of arrival and is the same after every
 * rebuild from the raw output; `rev` grows with every change of any row, within one epoch of the index.
 */
export interface Row extends RowParts {
  readonly seq: number;
  readonly rev: number;
  readonly turn: number;
  readonly kind: RowKind;
  /** ms since the epoch. */
  readonly at: number;
  /** 0, or how many sub-agents deep. */
  readonly depth: number;
  /** The row's text; empty for a tool call, and of a request what it asks. */
  readonly text: Excerpt;
  readonly problem: boolean;
  /** Where the row's line stands in the raw log; absent for what no log holds. */
  readonly log?: LogRange;
}

/** Figures of a `result` or `turn-end` row. */
export interface RowEnd {
  readonly outcome?: Outcome;
  readonly durationMs?: number;
  readonly usage?: Usage;
  readonly cost?: number;
  readonly expected?: readonly { readonly path: string; readonly present: boolean }[];
}

/** Which rows are wanted: all groups when `groups` is empty, and those that contain `query` (case-insensitive) when it is not empty. */
export interface RowFilter {
  readonly groups: readonly RowGroup[];
  readonly query: string;
}

export const ALL_ROWS: RowFilter = { groups: [], query: '' };

/** Rows `from` to `from + rows.length` (counted from 0) of the filtered timeline, and how many there are in all. */
export interface RowPage {
  readonly epoch: string;
  readonly rev: number;
  readonly total: number;
  readonly from: number;
  readonly rows: readonly Row[];
}

/**
 * What changed after revision `since`: `changed` rows that the reader may hold already (found by seq), `appended` rows that
 * follow the `total - appended.length` before them. `reset` says that positions moved or too much changed: ask for pages again.
 */
export interface RowDelta {
  readonly epoch: string;
  readonly since: number;
  readonly rev: number;
  readonly total: number;
  readonly changed: readonly Row[];
  readonly appended: readonly Row[];
  readonly reset: boolean;
}

/** What the tree and the header show of a session's output, without its rows. Complete, never a difference. */
export interface Status {
  readonly session: string;
  /** Arrival of the last output; absent before the first. */
  readonly lastEventAt?: number;
  /** One line that says what the agent did last: its words, or the running tool call. */
  readonly lastLine?: string;
  readonly model?: string;
  /** The id that the agent named last, and in which turn. */
  readonly agentSession?: { readonly id: string; readonly turn: number };
  readonly retrying: boolean;
  /**
   * The last turn that began, and what it came to when it is over, as the output or the end of its run says. Turns before it
   * are over too, and can be asked for.
   */
  readonly turn?: { readonly number: number; readonly ended?: Judgement };
  /** Sums over all turns. */
  readonly usage?: Usage;
  readonly cost?: number;
}

/** How far the rows of a session are. */
export interface RowCount {
  readonly epoch: string;
  readonly rev: number;
  readonly rows: number;
}

/** What is told of a session, with how far its rows are where rows are made of it. */
export type Activity = Status & Partial<RowCount>;
