import { STRINGS } from '../src/protocol/strings.ts';
import { h } from './dom.ts';
import { lookOf } from './looks.ts';
import { markdown } from './markdown.ts';
import { fileLink, inWorktree, moreButton, showAll } from './parts.ts';
import { beginning, line, readable } from './text.ts';
import { toolBody } from './tool.ts';
import type { RowContext } from './parts.ts';
import type { Row } from '../src/protocol/timeline.ts';
import type { Words } from './words.ts';

/** Longer texts are folded, whatever their lines. */
const FOLDED_LENGTH = 3000;
/** Deeper sub-agents are indented no further. */
const MAX_DEPTH = 6;
const FILES_SHOWN = 8;

/** Whether a row has something folded away (or unfolded). */
export function canToggle(row: Row): boolean {
  return row.tool !== undefined || isBrief(row) || folds(row) || (row.changes?.length ?? 0) > FILES_SHOWN;
}

/**
 * A row that says in its first line what it came to: a to-do list, of which the next one follows soon, and a good result,
 * whose text is the agent's last message again.
 */
function isBrief(row: Row): boolean {
  return row.todo !== undefined || (row.kind === 'result' && !row.problem && row.text.text !== '');
}

function folds(row: Row): boolean {
  return beginning(row.text.text, lookOf(row).lines, FOLDED_LENGTH).cut;
}

/** Draws a row into its element, which keeps its identity (and with it the focus) when the row changes. */
export function drawRow(element: HTMLElement, row: Row, context: RowContext): void {
  const { words } = context;
  const look = lookOf(row);
  const tone = row.tool?.state === 'failed' || row.tool?.state === 'denied' || row.problem ? ' problem' : '';
  const outcome = row.end?.outcome === undefined ? '' : ` outcome-${row.end.outcome}`;
  element.className = `row kind-${row.kind} codicon-${look.icon}${tone}${outcome}${row.depth > 0 ? ' nested' : ''}`;
  element.style.setProperty('--depth', String(Math.min(row.depth, MAX_DEPTH)));
  element.setAttribute('aria-label', label(row, words));
  element.replaceChildren(
    h('time', { title: words.moment(row.at) }, words.time(row.at)),
    row.tool === undefined ? body(row, context) : toolBody(row.tool, context),
  );
}

/** A row whose data is still to come. */
export function drawPlaceholder(element: HTMLElement, words: Words): void {
  element.className = 'row placeholder';
  element.setAttribute('aria-label', words.say('list.loading'));
  element.replaceChildren();
}

/** What a screen reader says: the most important words first. */
function label(row: Row, words: Words): string {
  const nested = row.depth > 0 ? `, ${words.say('row.depth')}` : '';
  const time = words.time(row.at);
  if (row.tool !== undefined) {
    const { tool } = row;
    const state = words.word('tool', tool.state);
    const what = `${line(tool.name, 60)} ${line(tool.argument, 120)}`.trim();
    return tool.state === 'ok' ? `${what}, ${state}${nested}, ${time}` : `${state}: ${what}${nested}, ${time}`;
  }
  const outcome = row.end?.outcome === undefined ? '' : `, ${words.word('outcome', row.end.outcome)}`;
  const items =
    row.changes?.map((change) => `${words.word('change', change.change)} ${change.path}`).join(', ') ??
    row.todo?.map((item) => `${words.word('todo', item.state)}: ${item.text}`).join(', ') ??
    '';
  const said = line(`${row.text.text} ${items}`, 160);
  return `${kindName(row, words)}${outcome}${said === '' ? '' : `: ${said}`}${nested}, ${time}`;
}

function kindName(row: Row, words: Words): string {
  const key = `row.${row.kind}` as const;
  return key in STRINGS ? words.say(key, row.turn) : line(row.kind, 40);
}

function body(row: Row, context: RowContext): HTMLElement {
  const element = h('div', { class: 'body' });
  const heading = headingOf(row, context.words);
  if (heading !== '') {
    element.append(h('span', { class: 'heading-line' }, heading), ' ');
  }
  const numbers = figures(row, context.words);
  if (numbers.length > 0) {
    element.append(h('span', { class: 'figures' }, numbers.join(' · ')), ' ');
  }
  if (isBrief(row)) {
    const { words, expanded } = context;
    const more = moreButton(words, expanded);
    more.classList.add('beside');
    element.append(brief(row), ' ', more);
    if (!expanded) {
      return element;
    }
  }
  if (row.todo !== undefined) {
    element.append(todoList(row.todo, context.words));
  }
  if (row.changes !== undefined) {
    element.append(fileList(row.changes, context));
  }
  element.append(...textOf(row, context));
  if (row.end?.expected !== undefined && row.end.expected.length > 0) {
    element.append(expectedList(row.end.expected, context.words));
  }
  return element;
}

function headingOf(row: Row, words: Words): string {
  if (row.kind === 'turn-start') {
    return kindName(row, words);
  }
  if (row.todo !== undefined) {
    return words.say('todo.progress', row.todo.filter(({ state }) => state === 'done').length, row.todo.length);
  }
  if (row.end?.outcome !== undefined) {
    return words.word('outcome', row.end.outcome);
  }
  return lookOf(row).named === true ? kindName(row, words) : '';
}

/** Duration, tokens and cost of a turn's end. */
function figures({ end }: Row, words: Words): string[] {
  if (end === undefined) {
    return [];
  }
  return [
    ...(end.durationMs === undefined ? [] : [words.duration(end.durationMs)]),
    ...(end.usage === undefined
      ? []
      : [words.say('end.usage', words.compact(end.usage.input), words.compact(end.usage.output))]),
    ...(end.cost === undefined ? [] : [words.money(end.cost)]),
  ];
}

function textOf(row: Row, { words, expanded }: RowContext): Node[] {
  const { text } = row.text;
  if (text === '') {
    return [];
  }
  const look = lookOf(row);
  const start = beginning(text, look.lines, FOLDED_LENGTH);
  const shown = expanded ? text : start.text;
  const content =
    look.style === 'markdown'
      ? h('div', { class: 'markdown' }, markdown(`${row.seq}:${row.rev}:${expanded}`, shown))
      : h('span', { class: look.style }, readable(shown));
  return [
    content,
    ...(start.cut ? [moreButton(words, expanded)] : []),
    ...(row.text.cut && (expanded || !start.cut) ? [showAll('text', row.text.bytes, words)] : []),
  ];
}

/** What of a brief row matters most: the task in hand. */
function brief({ todo }: Row): HTMLElement | string {
  const doing = todo?.find(({ state }) => state === 'doing');
  return doing === undefined ? '' : h('span', { class: 'doing' }, line(doing.text, 200));
}

function todoList(items: NonNullable<Row['todo']>, words: Words): HTMLElement {
  const list = h('ul', { class: 'todo' });
  for (const { text, state } of items) {
    const item = h('li', { class: `codicon-${TODO_ICONS[state]} ${state}`, title: words.word('todo', state) });
    item.append(line(text, 500));
    list.append(item);
  }
  return list;
}

const TODO_ICONS = { open: 'circle-large-outline', doing: 'record', done: 'pass-filled' } as const;

function fileList(changes: NonNullable<Row['changes']>, context: RowContext): HTMLElement {
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

function expectedList(
  files: readonly { readonly path: string; readonly present: boolean }[],
  words: Words,
): HTMLElement {
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
