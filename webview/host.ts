import { isPageState } from '../src/protocol/check.ts';
import type { PageMessage, PageState } from '../src/protocol/timeline.ts';

interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

const api = acquireVsCodeApi();

export function post(message: PageMessage): void {
  api.postMessage(message);
}

export function remember(state: PageState): void {
  api.setState(state);
}

/** What an earlier life of this page kept, or undefined. */
export function recall(): PageState | undefined {
  const state = api.getState();
  return isPageState(state) ? state : undefined;
}
