import { KINDS } from '../src/protocol/kinds.ts';
import { STRINGS } from '../src/protocol/strings.ts';
import { h } from './dom.ts';
import { FILES_SHOWN, expectedList, fileList, todoList } from './lists.ts';
import { lookOf } from './looks.ts';
import { requestBody, requestFolds, requestLabel } from './request.ts';
import { line } from './text.ts';
import { toolBody } from './tool.ts';
import type { CardName, KindOfRow } from '../src/protocol/kinds.ts';
import type { RowContext } from './parts.ts';
import type { Row } from '../src/protocol/timeline.ts';
import type { Words } from './words.ts';

/** What a row draws beside its text; all of it may be left out. */
interface Card {
  /** The whole, in place of all that follows. */
  readonly body?: (row: Row, context: RowContext) => HTMLElement | undefined;
  /** What a screen reader says in place of the kind and the text. */
  readonly label?: (row: Row, words: Words, nested: string) => string | undefined;
  readonly failed?: (row: Row) => boolean;
  /** Before the text; without it, the kind's name where the table says so. */
  readonly heading?: (row: Row, words: Words) => string | undefined;
  readonly figures?: (row: Row, words: Words) => readonly string[];
  /** What the first line says it came to: the rest is folded away. Undefined for a row that is shown whole. */
  readonly brief?: (row: Row) => Node | string | undefined;
  /** Whether there is something folded away beside the text. */
  readonly folds?: (row: Row) => boolean;
  readonly before?: (row: Row, context: RowContext) => readonly Node[];
  readonly after?: (row: Row, context: RowContext) => readonly Node[];
  /** What a screen reader says after the text. */
  readonly items?: (row: Row, words: Words) => string;
}

const ENDING: Card = {
  heading: ({ end }, words) => (end?.outcome === undefined ? undefined : words.word('outcome', end.outcome)),
  figures,
  after: ({ end }, { words }) => (end?.expected?.length ? [expectedList(end.expected, words)] : []),
};

const CARDS: Readonly<Record<CardName, Card>> = {
  text: {},
  tool: {
    body: ({ tool }, context) => tool && toolBody(tool, context),
    label: toolLabel,
    failed: ({ tool }) => tool?.state === 'failed' || tool?.state === 'denied',
    folds: ({ tool }) => tool !== undefined,
  },
  files: {
    before: ({ changes }, context) => (changes === undefined ? [] : [fileList(changes, context)]),
    folds: ({ changes }) => (changes?.length ?? 0) > FILES_SHOWN,
    items: ({ changes }, words) =>
      changes?.map(({ change, path }) => `${words.word('change', change)} ${path}`).join(', ') ?? '',
  },
  todo: {
    heading: ({ todo }, words) =>
      todo && words.say('todo.progress', todo.filter(({ state }) => state === 'done').length, todo.length),
    // The next list follows soon: the task in hand is what matters.
    brief: ({ todo }) => {
      const doing = todo?.find(({ state }) => state === 'doing');
      return doing === undefined ? todo && '' : h('span', { class: 'doing' }, line(doing.text, 200));
    },
    before: ({ todo }, { words }) => (todo === undefined ? [] : [todoList(todo, words)]),
    items: ({ todo }, words) =>
      todo?.map(({ state, text }) => `${words.word('todo', state)}: ${text}`).join(', ') ?? '',
  },
  request: {
    body: (row, context) => row.request && requestBody(row, row.request, lookOf(row).lines, context),
    label: (row, words, nested) => row.request && requestLabel(row, row.request, words, nested),
    folds: ({ request }) => request !== undefined && requestFolds(request),
  },
  turn: { heading: kindName },
  // The text of a good result is the agent's last message again.
  result: { ...ENDING, brief: ({ problem, text }) => (problem || text.text === '' ? undefined : '') },
  ending: ENDING,
};

/** The card of a row's kind. A kind of a newer host is its text. */
export function cardOf(row: Row): Card {
  return CARDS[(KINDS as Readonly<Partial<Record<string, KindOfRow>>>)[row.kind]?.card ?? 'text'];
}

/** The name of a row's kind. */
export function kindName(row: Row, words: Words): string {
  const key = `row.${row.kind}` as const;
  return key in STRINGS ? words.say(key, row.turn) : line(row.kind, 40);
}

function toolLabel({ tool }: Row, words: Words, nested: string): string | undefined {
  if (tool === undefined) {
    return undefined;
  }
  const state = words.word('tool', tool.state);
  const what = `${line(tool.name, 60)} ${line(tool.argument, 120)}`.trim();
  return tool.state === 'ok' ? `${what}, ${state}${nested}` : `${state}: ${what}${nested}`;
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
