import type { AgentEvent } from '../agents/events.ts';
import { oneLine } from '../agents/text.ts';
import type { Usage } from '../store/model.ts';
import { say, type Said, type Saying } from '../words/saying.ts';
import { EMPTY_EXCERPT, EXCERPT_CHARS, excerpt } from './excerpt.ts';
import { ofParts } from '../protocol/rows.ts';
import type { FoldedKind, LogRange, OfParts, RequestPart, Row, RowEnd, RowParts, ToolPart } from '../protocol/rows.ts';

export type ToolCall = Extract<AgentEvent, { kind: 'tool' }>;
export type ToolResult = Extract<AgentEvent, { kind: 'tool-result' }>;
/** An event that has a row of its own. */
export type RowEvent = Exclude<AgentEvent, { kind: FoldedKind }>;
export type Request = Extract<AgentEvent, { kind: 'request' }>;
export type RequestClosed = Extract<AgentEvent, { kind: 'request-closed' }>;

/** What a row shows, apart from where and when. */
export interface Content extends RowParts, Pick<Row, 'text'> {
  /** Stands for `text`, which is made of it for whoever reads. */
  readonly said?: Saying;
}

/** Entries of a list that are shown, and characters of one. A path is never cut: a part of one leads nowhere. */
const LIST_ENTRIES = 200;
const LIST_ENTRY_CHARS = 500;
const PATH_CHARS = 4096;

export const textContent = (text: string, bytes?: number): Content => ({
  text: excerpt(text, EXCERPT_CHARS.text, bytes),
});

export const saidContent = (said: Said): Content =>
  typeof said === 'string' ? textContent(said) : { text: EMPTY_EXCERPT, said };

/** The words of an event; empty for a tool call and for lists. */
export function eventSaid(event: RowEvent): Said {
  switch (event.kind) {
    case 'tool':
    case 'files':
    case 'todo':
      return '';
    case 'session':
      return event.model === undefined
        ? say('conversation', { session: event.agentSession })
        : say('conversation.model', { session: event.agentSession, model: event.model });
    case 'request':
      return event.title;
    case 'denial':
      return event.tool === '' ? event.reason : `${event.tool}: ${event.reason}`;
    case 'retry': {
      const { text: reason, attempt, of } = event;
      if (attempt === undefined) return reason;
      return of === undefined ? say('attempt', { reason, attempt }) : say('attempt.of', { reason, attempt, of });
    }
    default:
      return event.text;
  }
}

/** @param usage what the turn has used up so far, for the agent's own result. */
export function eventContent(event: Exclude<RowEvent, ToolCall>, usage?: Usage): Content {
  const content = saidContent(eventSaid(event));
  switch (event.kind) {
    case 'files':
      return {
        ...content,
        changes: event.changes.filter(({ path }) => path.length <= PATH_CHARS).slice(0, LIST_ENTRIES),
      };
    case 'todo': {
      const items = event.items.slice(0, LIST_ENTRIES);
      return { ...content, todo: items.map(({ text, state }) => ({ text: oneLine(text, LIST_ENTRY_CHARS), state })) };
    }
    case 'request':
      return { ...content, request: requestPart(event) };
    case 'result': {
      const { durationMs, cost } = event;
      const end: RowEnd = {
        ...(durationMs !== undefined && { durationMs }),
        ...(cost !== undefined && { cost }),
        ...(usage !== undefined && { usage }),
      };
      return { ...content, end };
    }
    default:
      return content;
  }
}

function requestPart({ id, about, choices, detail }: Request): RequestPart {
  const shown = choices
    .slice(0, LIST_ENTRIES)
    .map((one) => ({ id: one.id, label: oneLine(one.label, LIST_ENTRY_CHARS) }));
  const input = detail === undefined ? {} : { input: excerpt(detail, EXCERPT_CHARS.input) };
  return { id, about, state: 'open', choices: shown, ...input };
}

/** What the row of a request shows when the request is settled after so many ms, or when its turn ended first. */
export function settledContent(content: Content, how: RequestClosed | undefined, waitedMs?: number): Content {
  const { request } = content;
  if (request === undefined) return content;
  return {
    ...content,
    request: {
      ...request,
      state: how?.how ?? 'lapsed',
      ...(how?.choice !== undefined && { choice: how.choice }),
      ...(how?.text !== undefined && { answer: excerpt(how.text, EXCERPT_CHARS.input) }),
      ...(waitedMs !== undefined && { waitedMs }),
    },
  };
}

interface Fold {
  /** Absent when the agent tells of the result of a call that it never showed. */
  readonly call: ToolCall | undefined;
  readonly result: ToolResult | undefined;
  readonly resultLog: LogRange | undefined;
  /** From the arrival of the call to that of the result, for agents that measure nothing. */
  readonly elapsedMs: number | undefined;
  /** Nothing more can come: the turn is over. */
  readonly over: boolean;
  /** The call was refused, which its result may not tell. */
  readonly denied: boolean;
}

/** A tool call with what is known of its result. */
export function toolContent({ call, result, resultLog, elapsedMs, over, denied }: Fold): Content {
  const diff = result?.diff ?? call?.diff;
  const line = result?.line ?? call?.line;
  const durationMs = result?.durationMs ?? (result?.done === true ? elapsedMs : undefined);
  const tool: ToolPart = {
    name: oneLine(call?.name ?? 'tool', 100),
    argument: oneLine(call?.argument ?? ''),
    state: denied ? 'denied' : toolState(result, over),
    ...(call?.file !== undefined && call.file.length <= PATH_CHARS && { file: call.file }),
    ...(line !== undefined && { line }),
    ...(result?.exitCode !== undefined && { exitCode: result.exitCode }),
    ...(durationMs !== undefined && { durationMs }),
    ...(call?.input !== undefined && { input: excerpt(call.input, EXCERPT_CHARS.input) }),
    ...(result !== undefined && result.output !== '' && { output: excerpt(result.output, EXCERPT_CHARS.output) }),
    ...(diff !== undefined && { diff: excerpt(diff, EXCERPT_CHARS.diff) }),
    ...(call?.subagent === true && { subagent: true }),
    ...(resultLog !== undefined && { resultLog }),
  };
  return { text: EMPTY_EXCERPT, tool };
}

function toolState(result: ToolResult | undefined, over: boolean): ToolPart['state'] {
  if (result?.done === true && result.denied === true) return 'denied';
  if (result?.done === true) return result.ok ? 'ok' : 'failed';
  // A call that its turn's end cut short did not succeed.
  return over ? 'failed' : 'running';
}

/** The texts of each part. */
const TEXTS: OfParts<readonly (string | undefined)[]> = {
  tool: ({ name, argument, file, input, output, diff }) => [
    `${name} ${argument} ${file ?? ''}`,
    ...[input, output, diff].map((one) => one?.text),
  ],
  changes: (changes) => changes.map(({ path }) => path),
  todo: (todo) => todo.map(({ text }) => text),
  request: ({ choices, input, answer }) => [...choices.map(({ label }) => label), input?.text, answer?.text],
  end: () => [],
};

/** All that a row shows as text, for a search. */
export function* shownTexts(row: Row): Generator<string> {
  yield row.text.text;
  for (const text of ofParts(row, TEXTS).flat()) if (text !== undefined) yield text;
}
