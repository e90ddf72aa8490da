import { h } from './dom.ts';
import { markdown } from './markdown.ts';
import { fold, folded } from './parts.ts';
import { line, readable } from './text.ts';
import type { RowContext } from './parts.ts';
import type { RequestPart, Row } from '../src/protocol/timeline.ts';
import type { Words } from './words.ts';

/** Of what a request is about, more lines than these are folded away. */
const INPUT_LINES = 16;
/** Characters of an answer that are said beside the state; its own place has all of it. */
const ANSWER_LENGTH = 40;

const STATE_ICONS: Readonly<Record<RequestPart['state'], string>> = {
  open: 'bell',
  answered: 'check',
  cancelled: 'circle-slash',
  lapsed: 'circle-slash',
};

/** What an agent waits for, and what came of it: the kind and the state, what is asked, its exact input, and the choices. */
export function requestBody(row: Row, request: RequestPart, lines: number, context: RowContext): HTMLElement {
  const { words } = context;
  const { state, about, input, answer, choices } = request;
  return h(
    'div',
    { class: 'body request' },
    h('span', { class: 'heading-line' }, words.word('request', about)),
    h('span', { class: `state state-${state} codicon-${STATE_ICONS[state]}` }, stateText(request, words)),
    h('div', { class: 'asked' }, ...folded('text', row.text, lines, context, plain)),
    input && h('div', { class: 'input' }, ...folded('request', input, INPUT_LINES, context, inputOf(about))),
    choices.length > 0 && choiceList(request, words),
    answer && h('div', {}, h('span', { class: 'part-name' }, words.say('request.answer')), plain(answer.text)),
  );
}

/** Whether something of the request is folded away beside what is asked. */
export function requestFolds({ input }: RequestPart): boolean {
  return input !== undefined && fold(input, INPUT_LINES).cut;
}

/** What a screen reader says: the state, what is asked, and the answers that there are. */
export function requestLabel(row: Row, request: RequestPart, words: Words, nested: string): string {
  const { about, input, answer, choices } = request;
  const asked = line(`${row.text.text} ${input?.text ?? ''}`, 160);
  const answers = choices.map(({ label }) => line(label, 60)).join(', ');
  return [
    `${stateText(request, words)}: ${words.word('request', about)}: ${asked}`,
    ...(answers === '' ? [] : [`${words.say('request.choices')}: ${answers}`]),
    ...(answer === undefined ? [] : [`${words.say('request.answer')}: ${line(answer.text, 160)}`]),
  ]
    .join('. ')
    .concat(nested);
}

function stateText({ state, choice, choices, waitedMs }: RequestPart, words: Words): string {
  const made = choices.find(({ id }) => id === choice)?.label ?? choice;
  if (state !== 'answered') {
    return words.word('answer', state);
  }
  const answered =
    made === undefined ? words.say('answer.answered') : words.say('answer.choice', line(made, ANSWER_LENGTH));
  return waitedMs === undefined ? answered : `${answered} · ${words.duration(waitedMs)}`;
}

function choiceList({ state, choice, choices }: RequestPart, words: Words): HTMLElement {
  return h(
    'ul',
    { class: 'choices', 'aria-label': words.say('request.choices') },
    ...choices.map(({ id, label }) => {
      const is = id === choice ? 'made' : state === 'open' ? 'open' : 'left';
      const title = words.word('choice', is);
      return h('li', { class: `codicon-${is === 'made' ? 'check' : 'circle-small'} ${is}`, title }, line(label, 200));
    }),
  );
}

/** A plan is written as Markdown; everything else is shown to the letter. */
function inputOf(about: RequestPart['about']): (text: string) => HTMLElement {
  return (text) => (about === 'plan' ? h('div', { class: 'markdown' }, markdown(text)) : h('pre', {}, readable(text)));
}

function plain(text: string): HTMLElement {
  return h('div', { class: 'plain' }, readable(text));
}
