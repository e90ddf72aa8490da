import { boolean, isRecord, listOf, nonEmpty, oneOf, optional, positive, shape, string } from '../../platform/check.ts';
import { parseObject, type Json } from '../json.ts';

/**
 * A small convention by which a program of plain text, started with `"stdin": "lines"`, can be a live agent. A control line is
 * a JSON object with the one key `treeline`; every other line is output (on stdout) or a message (on stdin).
 *
 * The agent says on stdout, `hello` first; before it, and where it never comes, all lines are plain output:
 *
 *     {"treeline":{"hello":{"turns":true,"interrupt":true,"messages":true}}}
 *     {"treeline":{"turn":"ended","outcome":"completed","summary":"Wrote a.txt"}}          completed, failed or interrupted
 *     {"treeline":{"request":{"id":"p1","kind":"permission","title":"Run npm test","detail":"…",
 *                             "choices":[{"id":"allow","label":"Allow"},{"id":"deny","label":"Deny"}]}}}
 *     {"treeline":{"withdrawn":"p1"}}                                                      the request is not open any more
 *     {"treeline":{"received":"<key>"}}                                                    a message has been taken up
 *
 * `turns`: one process serves many turns, and tells the end of each. `interrupt`: it can cut a turn short. `messages`: messages
 * come as control lines, whole and with a key that it can acknowledge, in place of plain lines. A request is a `permission`, a
 * `question` or a `plan`; a question without choices takes any text.
 *
 * It finds on its stdin:
 *
 *     {"treeline":{"message":{"key":"…","text":"…","turn":2}}}    with `turn` where the message begins one
 *     {"treeline":{"answer":{"id":"p1","choice":"allow"}}}        with `text` where somebody wrote one
 *     {"treeline":{"interrupt":true}}
 */
export type Control =
  | { readonly kind: 'hello'; readonly turns: boolean; readonly interrupt: boolean; readonly messages: boolean }
  | { readonly kind: 'turn-ended'; readonly outcome: TurnOutcome; readonly summary?: string }
  | { readonly kind: 'request'; readonly request: ControlRequest }
  | { readonly kind: 'withdrawn'; readonly id: string }
  | { readonly kind: 'received'; readonly key: string };

export type TurnOutcome = 'completed' | 'failed' | 'interrupted';

/** What an agent waits for. */
export interface ControlRequest {
  readonly id: string;
  readonly kind: 'permission' | 'question' | 'plan';
  readonly title: string;
  readonly detail?: string;
  readonly choices: readonly { readonly id: string; readonly label: string }[];
}

/** A line for the agent, as its stdin has it. */
export type Told =
  | { readonly message: { readonly key: string; readonly text: string; readonly turn?: number } }
  | { readonly answer: { readonly id: string; readonly choice?: string; readonly text?: string } }
  | { readonly interrupt: true };

const hello = shape({ turns: optional(boolean), interrupt: optional(boolean), messages: optional(boolean) });
const ended = shape({
  turn: oneOf(['ended']),
  outcome: oneOf(['completed', 'failed', 'interrupted']),
  summary: optional(string),
});
const request = shape({
  id: nonEmpty,
  kind: oneOf(['permission', 'question', 'plan']),
  title: nonEmpty,
  detail: optional(string),
  choices: optional(listOf(shape({ id: nonEmpty, label: nonEmpty }))),
});
const message = shape({ key: nonEmpty, text: string, turn: optional(positive) });
const answer = shape({ id: nonEmpty, choice: optional(nonEmpty), text: optional(string) });

/** What a line of an agent's stdout says in the convention; undefined for plain output, and for what is not well formed. */
export function readControl(line: string): Control | undefined {
  return attempt(line, (fields) => {
    if ('hello' in fields) {
      const { turns = false, interrupt = false, messages = false } = hello(fields['hello'], 'hello');
      return { kind: 'hello', turns, interrupt, messages };
    }
    if ('turn' in fields) {
      const { outcome, summary } = ended(fields, 'turn');
      return { kind: 'turn-ended', outcome, ...(summary !== undefined && { summary }) };
    }
    if ('request' in fields) {
      const { choices = [], detail, ...asked } = request(fields['request'], 'request');
      // Whoever is asked must have something to choose.
      if (choices.length === 0 && asked.kind !== 'question') return undefined;
      return { kind: 'request', request: { ...asked, choices, ...(detail !== undefined && { detail }) } };
    }
    if ('withdrawn' in fields) return { kind: 'withdrawn', id: nonEmpty(fields['withdrawn'], 'withdrawn') };
    if ('received' in fields) return { kind: 'received', key: nonEmpty(fields['received'], 'received') };
    return undefined;
  });
}

/** What a line of an agent's stdin told it in the convention, apart from messages; undefined for everything else. */
export function readTold(line: string): Told | undefined {
  return attempt(line, (fields) => {
    if ('answer' in fields) return { answer: answer(fields['answer'], 'answer') };
    if ('message' in fields) return { message: message(fields['message'], 'message') };
    return fields['interrupt'] === true ? { interrupt: true } : undefined;
  });
}

/** Whether an agent would take a line for more than a plain message. */
export function isControl(line: string): boolean {
  return attempt(line, () => true) === true;
}

/** The line that tells an agent something. */
export function tell(told: Told): string {
  return JSON.stringify({ treeline: told });
}

function attempt<T>(line: string, read: (fields: Json) => T | undefined): T | undefined {
  if (!/^\s*\{\s*"treeline"\s*:/.test(line)) return undefined;
  const whole = parseObject(line);
  const fields = whole?.['treeline'];
  if (whole === undefined || Object.keys(whole).length !== 1 || !isRecord(fields)) return undefined;
  try {
    return read(fields);
  } catch {
    // Not well formed: a line like any other.
    return undefined;
  }
}
