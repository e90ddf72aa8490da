import { h } from './dom.ts';
import { beginning, line } from './text.ts';
import type { LinkTarget } from './links.ts';
import type { Excerpt, TextPart } from '../src/protocol/timeline.ts';
import type { Words } from './words.ts';

/** Longer texts are folded, whatever their lines. */
const FOLDED_LENGTH = 3000;

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

/** What is shown of a text while its row is closed, and whether that is not all of it. */
export function fold({ text }: Excerpt, lines: number): { readonly text: string; readonly cut: boolean } {
  return beginning(text, lines, FOLDED_LENGTH);
}

/** A part of a row with what unfolds it and what opens the whole. */
export function folded(
  part: TextPart,
  excerpt: Excerpt,
  lines: number,
  { words, expanded }: RowContext,
  draw: (text: string) => HTMLElement,
): Node[] {
  if (excerpt.text === '') {
    return [];
  }
  const start = fold(excerpt, lines);
  return [
    draw(expanded ? excerpt.text : start.text),
    ...(start.cut ? [moreButton(words, expanded)] : []),
    ...(excerpt.cut && (expanded || !start.cut) ? [showAll(part, excerpt.bytes, words)] : []),
  ];
}

/** A file name that opens the file. */
export function fileLink(path: string, lineNumber: number | undefined, text: string, words: Words): HTMLElement {
  const target: LinkTarget = { type: 'openFile', path, ...(lineNumber !== undefined && { line: lineNumber }) };
  const title = words.say('action.file', line(path, 300));
  const link = h('a', { class: 'link file', role: 'link', tabindex: -1, title }, text);
  link.dataset['target'] = JSON.stringify(target);
  return link;
}
