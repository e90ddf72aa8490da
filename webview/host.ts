import { isPageState } from '../src/protocol/check.ts';
import type { PageMessage, PageState } from '../src/protocol/timeline.ts';

interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

/** What the page remembers beyond what the host has to know: where the reader was. */
export interface Memory extends PageState {
  /** The row at the top of the view and where its top edge was; absent at the end. */
  readonly anchor?: { readonly seq: number; readonly y: number };
  /** Numbers of the rows that are open. */
  readonly expanded: readonly number[];
}

const api = acquireVsCodeApi();

export function post(message: PageMessage): void {
  api.postMessage(message);
}

export function remember(memory: Memory): void {
  api.setState(memory);
}

/** What an earlier life of this page kept, or undefined. */
export function recall(): Memory | undefined {
  const state = api.getState();
  if (!isPageState(state)) {
    return undefined;
  }
  const { anchor, expanded } = state as Partial<Record<keyof Memory, unknown>>;
  return {
    follow: state.follow,
    filter: state.filter,
    ...(state.session !== undefined && { session: state.session }),
    ...(isAnchor(anchor) && { anchor: { seq: anchor.seq, y: anchor.y } }),
    expanded: Array.isArray(expanded) ? expanded.filter((seq): seq is number => Number.isSafeInteger(seq)) : [],
  };
}

function isAnchor(value: unknown): value is NonNullable<Memory['anchor']> {
  const { seq, y } = (typeof value === 'object' && value !== null ? value : {}) as { seq?: unknown; y?: unknown };
  return Number.isSafeInteger(seq) && Number.isFinite(y);
}
