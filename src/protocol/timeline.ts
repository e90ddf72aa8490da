import type { RowDelta, RowFilter, RowPage } from './rows.ts';
import type { Status, Usage } from '../store/model.ts';
import type { TextPart } from './names.ts';

/** The page knows the host through this folder alone. */
export type { RowGroup, TextPart } from './names.ts';
export type { Outcome, Status, Usage } from '../store/model.ts';
export type { Excerpt, RequestPart, Row, RowDelta, RowEnd, RowFilter, RowKind, RowPage, ToolPart } from './rows.ts';

/** The head of the page. Times are ms since the epoch. */
export interface Header {
  readonly session: string;
  readonly name: string;
  readonly status: Status;
  /** The status in the user's language, and what it rests on. */
  readonly statusLabel: string;
  readonly evidence: string;
  readonly evidenceAt: number;
  readonly agent: string;
  readonly model?: string;
  readonly branch: string;
  /** Absolute path. */
  readonly worktree: string;
  readonly turn: number;
  /** Start of the last turn's agent, and its end when it is over. */
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly usage?: Usage;
  readonly cost?: number;
  /** How many rows the whole timeline has, for "n of m" while a filter is on. */
  readonly rows?: number;
  readonly retrying: boolean;
  readonly can: { readonly stop: boolean; readonly resume: boolean; readonly send: boolean; readonly diff: boolean };
}

/** Where the reader is in a timeline. */
export interface Place {
  /** The row at the top of the view and where its top edge is; absent at the end. */
  readonly anchor?: { readonly seq: number; readonly y: number };
  /** Numbers of the rows that are open. */
  readonly expanded: readonly number[];
}

/** What the page and its host keep of it, so that a reload or another host opens it as it was. */
export interface PageState {
  readonly session?: string;
  /** The page shows whatever session is selected in the tree. */
  readonly follow: boolean;
  readonly filter: RowFilter;
  readonly place?: Place;
}

/**
 * Page to host. Every request for rows names the filter it is about and carries a number that the answer repeats, so that a
 * late answer for an earlier filter is told from a current one.
 */
export type PageMessage =
  /** The page's script runs and knows nothing yet. The host answers with `hello`, then `page` for `count` last rows. */
  | { readonly type: 'ready'; readonly filter: RowFilter; readonly count: number; readonly request: number }
  | {
      readonly type: 'rows';
      readonly filter: RowFilter;
      /** From 0; negative: counted from the end. */
      readonly from: number;
      readonly count: number;
      readonly request: number;
    }
  /** Is the host still there? It answers with `pong`. */
  | { readonly type: 'ping' }
  /** The reader is somewhere else in the session's timeline, or another row is open. */
  | { readonly type: 'place'; readonly session: string; readonly place: Place }
  | { readonly type: 'openFile'; readonly path: string; readonly line?: number }
  /** Show the raw log at a row (by seq): its line, or its result's line. */
  | { readonly type: 'openLog'; readonly seq: number; readonly part: 'row' | 'result' }
  /** Show the whole text of a row, of its tool call's input, output or diff, or of what its request is about. */
  | { readonly type: 'openText'; readonly seq: number; readonly part: TextPart }
  | { readonly type: 'openLink'; readonly href: string }
  | { readonly type: 'command'; readonly command: 'stop' | 'resume' | 'send' | 'diff' | 'log' };

/** Host to page. */
export type HostMessage =
  | {
      readonly type: 'hello';
      readonly state: PageState;
      readonly header: Header | null;
      readonly strings: Readonly<Record<string, string>>;
      /** BCP 47 */
      readonly locale: string;
    }
  /** null: no session is selected. */
  | { readonly type: 'header'; readonly header: Header | null }
  | { readonly type: 'page'; readonly request: number; readonly page: RowPage }
  /** For the filter of the page's last request. The page asks for rows again when `delta.since` is not the revision it holds. */
  | { readonly type: 'delta'; readonly request: number; readonly delta: RowDelta }
  | { readonly type: 'error'; readonly message: string }
  | { readonly type: 'pong' };
