import type { TextPart } from '../src/protocol/names.ts';
import { h } from './dom.ts';
import { line } from './text.ts';
import type { LinkTarget } from './links.ts';
import type { Words } from './words.ts';

/** What a row is drawn with besides its data. */
export interface RowContext {
  readonly words: Words;
  readonly expanded: boolean;
  /** What is searched for; empty when nothing is. */
  readonly query: string;
  /** The session's worktree: paths in it are shown without it. */
  readonly worktree: string;
}

/** A path as the reader knows it: relative when it lies in the worktree. */
export function inWorktree(path: string, { worktree }: RowContext): string {
  const inside = path.startsWith(worktree) && /^[\\/]/.test(path.slice(worktree.length));
  return inside ? path.slice(worktree.length + 1) : path;
}

/** Unfolds its row, or folds it. */
export function moreButton(words: Words, expanded: boolean): HTMLElement {
  return h(
    'button',
    { class: 'more', type: 'button', tabindex: -1, 'data-do': 'toggle', 'aria-expanded': expanded ? 'true' : 'false' },
    words.say(expanded ? 'action.less' : 'action.more'),
  );
}

/** Opens the whole of a text that is shown cut. */
export function showAll(part: TextPart, bytes: number, words: Words): HTMLElement {
  return h(
    'button',
    { class: 'more', type: 'button', tabindex: -1, 'data-do': 'text', 'data-part': part },
    words.say('action.all', words.bytes(bytes)),
  );
}

/** A file name that opens the file. */
export function fileLink(path: string, lineNumber: number | undefined, text: string, words: Words): HTMLElement {
  const target: LinkTarget = { type: 'openFile', path, ...(lineNumber !== undefined && { line: lineNumber }) };
  const title = words.say('action.file', line(path, 300));
  const link = h('a', { class: 'link file', role: 'link', tabindex: -1, title }, text);
  link.dataset['target'] = JSON.stringify(target);
  return link;
}
