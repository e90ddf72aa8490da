import { isControl, readControl, readTold, tell, type Control } from '../agents/text/control.ts';
import type { Driver, DriverEvent, DriverLine, DriverRequest, Refusal, Step, Wish } from './driver.ts';

/** What is known of a run whose agent takes lines on its stdin. */
export interface LinesState {
  /** What the agent said of itself; absent while it is any program that takes lines, and serves one turn. */
  readonly hello?: { readonly turns: boolean; readonly interrupt: boolean; readonly messages: boolean };
  /** The turn under way. */
  readonly turn?: number;
  /** Turns whose prompts were sent, and that begin when the one before is over. */
  readonly waiting: readonly number[];
  /** The highest turn that began. */
  readonly last: number;
  /** The turn under way was told to end. */
  readonly interrupted: boolean;
  /** How many requests there were. */
  readonly asked: number;
  readonly open: readonly OpenRequest[];
  /** Ids of requests that are not open any more, the newest last. */
  readonly closed: readonly { readonly id: string; readonly answered: boolean }[];
  /** Keys of messages that the agent has not acknowledged. */
  readonly sent: readonly string[];
}

/** @param nth tells apart requests that have one id: an agent may ask the same again. */
type OpenRequest = DriverRequest & { readonly nth: number };

/** So many closed requests and unacknowledged messages are remembered. */
const REMEMBERED = 200;

/** What a line changed so far. */
interface Change {
  readonly state: LinesState;
  readonly events: readonly DriverEvent[];
}

/** Agents of plain text with `stdin` `lines`, and live ones among them: see `agents/text/control.ts`. */
export const lines: Driver<LinesState> = {
  protocol: 'lines',

  start: ({ turn }) => ({
    waiting: turn === undefined ? [] : [turn],
    last: 0,
    interrupted: false,
    asked: 0,
    open: [],
    closed: [],
    sent: [],
  }),

  step(state, line): Step<LinesState> {
    const begun = begin({ state, events: [] });
    return { ...begin(read(begun, line)), send: [] };
  },

  message(state, { key, text, turn }): Wish {
    const refused = refusal(state, text, turn);
    if (refused !== undefined) return { refused };
    const begins = turn === undefined || turn === state.turn ? {} : { turn };
    const words = state.hello?.messages === true ? tell({ message: { key, text, ...begins } }) : text;
    return { send: [{ key, text: words, ...begins }] };
  },

  answer(state, { request: id, choice, text }): Wish {
    const request = state.open.find((one) => one.id === id);
    if (request === undefined) {
      const before = state.closed.findLast((one) => one.id === id);
      return { refused: before?.answered === true ? 'already-answered' : 'unknown-request' };
    }
    const free = request.kind === 'question' && choice === undefined && text !== undefined;
    if (!free && !request.choices.some((one) => one.id === choice)) return { refused: 'unknown-choice' };
    const answer = { id, ...(choice !== undefined && { choice }), ...(text !== undefined && { text }) };
    return { send: [{ key: `answer:${request.nth}:${id}`, text: tell({ answer }) }] };
  },

  interrupt(state): Wish {
    if (state.turn === undefined) return { refused: 'no-turn' };
    if (state.hello?.interrupt !== true) return { refused: 'cannot-interrupt' };
    return state.interrupted
      ? { send: [] }
      : { send: [{ key: `interrupt:${state.turn}`, text: tell({ interrupt: true }) }] };
  },
};

function refusal(state: LinesState, text: string, turn: number | undefined): Refusal | undefined {
  const busy = state.turn !== undefined || state.waiting.length > 0;
  const begins = turn !== undefined && turn !== state.turn;
  if (!begins && !busy) return turn === undefined ? 'no-turn' : turn <= state.last ? 'turn-over' : undefined;
  if (begins && turn <= state.last) return 'turn-over';
  if (begins && busy) return 'turn-under-way';
  if (begins && state.last > 0 && state.hello?.turns !== true) return 'one-turn';
  // An agent that gets its messages as plain lines would take such a line for a command.
  const plain = state.hello !== undefined && !state.hello.messages;
  return plain && text.split('\n').some(isControl) ? 'reserved-text' : undefined;
}

/** Begins the next turn whose prompt was sent, when none is under way. */
function begin({ state, events }: Change): Change {
  const [turn, ...waiting] = state.waiting;
  if (state.turn !== undefined || turn === undefined) return { state, events };
  return { state: { ...state, turn, waiting, last: turn }, events: [...events, { type: 'turn-began', turn }] };
}

function read(change: Change, line: DriverLine): Change {
  if (line.stream === 'in') return readSent(change, line);
  const control = line.stream === 'out' ? readControl(line.text) : undefined;
  if (control === undefined) return change;
  const { state, events } = change;
  if (control.kind === 'hello') {
    const { kind: _, ...hello } = control;
    return { state: { ...state, hello }, events: state.hello ? events : [...events, { type: 'ready' }] };
  }
  return state.hello === undefined ? change : heard(change, control);
}

/** What was sent: the log of it decides that a request is answered, whoever meant to answer. */
function readSent({ state, events }: Change, { text, key, turn }: DriverLine): Change {
  const told = state.hello === undefined ? undefined : readTold(text);
  if (told !== undefined && 'interrupt' in told) return { state: { ...state, interrupted: true }, events };
  if (told !== undefined && 'answer' in told) {
    const { id, choice } = told.answer;
    return close({ state, events }, id, 'answered', choice);
  }
  const isNew = turn !== undefined && turn > state.last && !state.waiting.includes(turn);
  return {
    state: {
      ...state,
      ...(isNew && { waiting: [...state.waiting, turn] }),
      ...(key !== undefined && { sent: [...state.sent, key].slice(-REMEMBERED) }),
    },
    events,
  };
}

function heard(change: Change, control: Exclude<Control, { kind: 'hello' }>): Change {
  const { state, events } = change;
  switch (control.kind) {
    case 'turn-ended': {
      const { turn } = state;
      if (turn === undefined) return change;
      const { outcome, summary } = control;
      // Nobody waits any more for what the turn had asked.
      const settled = state.open.reduce<Change>((all, { id }) => close(all, id, 'withdrawn'), change);
      const { turn: _, ...over } = settled.state;
      return {
        state: { ...over, interrupted: false },
        events: [...settled.events, { type: 'turn-ended', turn, outcome, ...(summary !== undefined && { summary }) }],
      };
    }
    case 'request': {
      const { request } = control;
      if (state.open.some(({ id }) => id === request.id)) return change;
      const asked = state.asked + 1;
      return {
        state: { ...state, asked, open: [...state.open, { ...request, nth: asked }] },
        events: [...events, { type: 'request-opened', ...request }],
      };
    }
    case 'withdrawn':
      return close(change, control.id, 'withdrawn');
    case 'received': {
      const { key } = control;
      if (!state.sent.includes(key)) return change;
      return {
        state: { ...state, sent: state.sent.filter((one) => one !== key) },
        events: [...events, { type: 'message-received', key }],
      };
    }
  }
}

function close({ state, events }: Change, id: string, how: 'answered' | 'withdrawn', choice?: string): Change {
  if (!state.open.some((one) => one.id === id)) return { state, events };
  return {
    state: {
      ...state,
      open: state.open.filter((one) => one.id !== id),
      closed: [...state.closed, { id, answered: how === 'answered' }].slice(-REMEMBERED),
    },
    events: [...events, { type: 'request-closed', id, how, ...(choice !== undefined && { choice }) }],
  };
}
