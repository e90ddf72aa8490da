import { cardOf, kindName } from './cards.ts';
import { h } from './dom.ts';
import { lookOf } from './looks.ts';
import { markdown } from './markdown.ts';
import { fold, folded, moreButton } from './parts.ts';
import { line, readable } from './text.ts';
import type { RowContext } from './parts.ts';
import type { Row } from '../src/protocol/timeline.ts';
import type { Words } from './words.ts';

/** Deeper sub-agents are indented no further. */
const MAX_DEPTH = 6;

/** Whether a row has something folded away (or unfolded). */
export function canToggle(row: Row): boolean {
  const card = cardOf(row);
  return card.brief?.(row) !== undefined || card.folds?.(row) === true || fold(row.text, lookOf(row).lines).cut;
}

/** Draws a row into its element, which keeps its identity (and with it the focus) when the row changes. */
export function drawRow(element: HTMLElement, row: Row, context: RowContext): void {
  const { words } = context;
  const look = lookOf(row);
  const card = cardOf(row);
  const tone = row.problem || card.failed?.(row) === true ? ' problem' : '';
  const outcome = row.end?.outcome === undefined ? '' : ` outcome-${row.end.outcome}`;
  const waits = row.request?.state === 'open' ? ' waits' : '';
  element.className = `row kind-${row.kind} codicon-${look.icon}${tone}${outcome}${waits}${row.depth > 0 ? ' nested' : ''}`;
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

function textOf(row: Row, context: RowContext): Node[] {
  const { style, lines } = lookOf(row);
  return folded('text', row.text, lines, context, (text) =>
    style === 'markdown'
      ? h('div', { class: 'markdown' }, markdown(text))
      : h('span', { class: style }, readable(text)),
  );
}
