import { cardOf, kindName } from './cards.ts';
import { h } from './dom.ts';
import { lookOf } from './looks.ts';
import { markdown } from './markdown.ts';
import { moreButton, showAll } from './parts.ts';
import { beginning, line, readable } from './text.ts';
import type { RowContext } from './parts.ts';
import type { Row } from '../src/protocol/timeline.ts';
import type { Words } from './words.ts';

/** Longer texts are folded, whatever their lines. */
const FOLDED_LENGTH = 3000;
/** Deeper sub-agents are indented no further. */
const MAX_DEPTH = 6;

/** Whether a row has something folded away (or unfolded). */
export function canToggle(row: Row): boolean {
  const card = cardOf(row);
  const { cut } = beginning(row.text.text, lookOf(row).lines, FOLDED_LENGTH);
  return card.brief?.(row) !== undefined || card.folds?.(row) === true || cut;
}

/** Draws a row into its element, which keeps its identity (and with it the focus) when the row changes. */
export function drawRow(element: HTMLElement, row: Row, context: RowContext): void {
  const { words } = context;
  const look = lookOf(row);
  const card = cardOf(row);
  const tone = row.problem || card.failed?.(row) === true ? ' problem' : '';
  const outcome = row.end?.outcome === undefined ? '' : ` outcome-${row.end.outcome}`;
  element.className = `row kind-${row.kind} codicon-${look.icon}${tone}${outcome}${row.depth > 0 ? ' nested' : ''}`;
  element.style.setProperty('--depth', String(Math.min(row.depth, MAX_DEPTH)));
  element.setAttribute('aria-label', label(row, words));
  element.replaceChildren(
    h('time', { title: words.moment(row.at) }, words.time(row.at)),
    card.body?.(row, context) ?? body(row, context),
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
  const card = cardOf(row);
  const whole = card.label?.(row, words, nested);
  if (whole !== undefined) {
    return `${whole}, ${time}`;
  }
  const outcome = row.end?.outcome === undefined ? '' : `, ${words.word('outcome', row.end.outcome)}`;
  const items = card.items?.(row, words) ?? '';
  const said = line(`${row.text.text} ${items}`, 160);
  return `${kindName(row, words)}${outcome}${said === '' ? '' : `: ${said}`}${nested}, ${time}`;
}

function body(row: Row, context: RowContext): HTMLElement {
  const { words, expanded } = context;
  const card = cardOf(row);
  const element = h('div', { class: 'body' });
  const heading = card.heading?.(row, words) ?? (lookOf(row).named === true ? kindName(row, words) : '');
  if (heading !== '') {
    element.append(h('span', { class: 'heading-line' }, heading), ' ');
  }
  const numbers = card.figures?.(row, words) ?? [];
  if (numbers.length > 0) {
    element.append(h('span', { class: 'figures' }, numbers.join(' · ')), ' ');
  }
  const brief = card.brief?.(row);
  if (brief !== undefined) {
    const more = moreButton(words, expanded);
    more.classList.add('beside');
    element.append(brief, ' ', more);
    if (!expanded) {
      return element;
    }
  }
  element.append(
    ...(card.before?.(row, context) ?? []),
    ...textOf(row, context),
    ...(card.after?.(row, context) ?? []),
  );
  return element;
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
