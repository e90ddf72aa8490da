import { h } from './dom.ts';
import { fileLink, inWorktree, moreButton } from './parts.ts';
import { line } from './text.ts';
import type { RowContext } from './parts.ts';
import type { Row, RowEnd } from '../src/protocol/timeline.ts';
import type { Words } from './words.ts';

/** More files than this are folded away. */
export const FILES_SHOWN = 8;

/** What an agent has set itself to do. */
export function todoList(items: NonNullable<Row['todo']>, words: Words): HTMLElement {
  const list = h('ul', { class: 'todo' });
  for (const { text, state } of items) {
    const item = h('li', { class: `codicon-${TODO_ICONS[state]} ${state}`, title: words.word('todo', state) });
    item.append(line(text, 500));
    list.append(item);
  }
  return list;
}

const TODO_ICONS = { open: 'circle-large-outline', doing: 'record', done: 'pass-filled' } as const;

/** Files that an agent changed. */
export function fileList(changes: NonNullable<Row['changes']>, context: RowContext): HTMLElement {
  const { words, expanded } = context;
  const list = h('ul', { class: 'files' });
  for (const { path, change } of expanded ? changes : changes.slice(0, FILES_SHOWN)) {
    const shown = line(inWorktree(path, context), 300);
    list.append(
      h(
        'li',
        { class: `codicon-${CHANGE_ICONS[change]} change-${change}`, title: words.word('change', change) },
        change === 'delete' ? h('span', { class: 'file' }, shown) : fileLink(path, undefined, shown, words),
      ),
    );
  }
  if (!expanded && changes.length > FILES_SHOWN) {
    const more = moreButton(words, false);
    more.textContent = words.say('files.more', words.number(changes.length - FILES_SHOWN));
    list.append(h('li', { class: 'rest' }, more));
  }
  return list;
}

const CHANGE_ICONS = { add: 'diff-added', update: 'diff-modified', delete: 'diff-removed' } as const;

/** Files that a turn was to leave. */
export function expectedList(files: NonNullable<RowEnd['expected']>, words: Words): HTMLElement {
  const list = h('ul', { class: 'files' });
  for (const { path, present } of files) {
    const state = words.say(present ? 'expected.present' : 'expected.missing');
    list.append(
      h(
        'li',
        { class: present ? 'codicon-pass present' : 'codicon-error missing' },
        present ? fileLink(path, undefined, line(path, 300), words) : h('span', { class: 'file' }, line(path, 300)),
        h('span', { class: 'aside' }, ` ${state}`),
      ),
    );
  }
  return list;
}
