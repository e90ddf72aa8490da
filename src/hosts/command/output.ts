import { oneLine } from '../../agents/text.ts';
import { shortId } from '../../platform/ids.ts';
import type { Session } from '../../store/model.ts';
import { plain } from '../../timeline/excerpt.ts';
import { ofParts, type OfParts, type RequestPart, type Row } from '../../protocol/rows.ts';
import { textOf } from '../../words/saying.ts';

const UNITS = [
  { letter: 'd', ms: 86_400_000 },
  { letter: 'h', ms: 3_600_000 },
  { letter: 'm', ms: 60_000 },
  { letter: 's', ms: 1000 },
] as const;

const REQUEST_STATES: Readonly<Record<RequestPart['state'], string>> = {
  open: 'waiting for an answer',
  answered: 'answered',
  cancelled: 'withdrawn',
  lapsed: 'not answered',
};

const NAME_LENGTH = 40;
const EVENT_LENGTH = 300;

/** Writes to stdout; text of agents goes through {@link harmless} first. */
export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Text of an agent without what a terminal would act on. */
export function harmless(text: string): string {
  return plain(text);
}

/** Sessions in columns. */
export function sessionTable(sessions: readonly Session[], now: number): string {
  if (sessions.length === 0) return 'There are no sessions.';
  const head = ['ID', 'STATUS', 'SINCE', 'AGENT', 'NAME', 'BRANCH'];
  return columns([head, ...sessions.map((session) => sessionCells(session, now))]);
}

/** One session in a line. */
export function sessionLine(session: Session): string {
  return [shortId(session.id), session.status, oneLine(session.name), session.branch].join('  ');
}

/** What programs get to know of a session. */
export function sessionData({ turns, ...session }: Session): unknown {
  const { id, name, agent, status, evidence, createdAt, worktree, branch, base, agentSession, archive } = session;
  return {
    id,
    short: shortId(id),
    name,
    agent: agent.id,
    status,
    since: evidence.at,
    createdAt,
    worktree,
    branch,
    base,
    archived: archive !== undefined,
    ...(agentSession !== undefined && { agentSession }),
    turns: turns.map(({ number, prompt, requestedAt, begunAt, endedAt, exit, judgement }) => ({
      number,
      prompt,
      requestedAt,
      ...(begunAt !== undefined && { begunAt }),
      ...(endedAt !== undefined && { endedAt }),
      ...(exit !== undefined && { code: exit.code, signal: exit.signal }),
      ...(judgement !== undefined && { outcome: judgement.outcome, summary: textOf(judgement.summary) }),
    })),
  };
}

/** What a line says of each part. */
const PARTS: OfParts<string> = {
  tool: ({ name, argument, state }) => `${name} ${argument} (${state})`,
  request: (request) => [request.input?.text, `(${answerOf(request)})`].filter((one) => one !== undefined).join(' '),
  changes: (changes) => changes.map(({ path, change }) => `${change} ${path}`).join(' '),
  todo: (todo) => todo.map(({ state, text }) => `[${state}] ${text}`).join(' '),
  end: () => '',
};

/** An event of a timeline in a line. */
export function eventLine(row: Row): string {
  const what = [row.text.text, ...ofParts(row, PARTS)].join(' ');
  const nesting = '  '.repeat(row.depth);
  return `${clock(row.at)}  ${row.kind.padEnd(10)}  ${nesting}${oneLine(what, EVENT_LENGTH)}`.trimEnd();
}

function answerOf({ state, choices, choice, answer }: RequestPart): string {
  const made = choices.find(({ id }) => id === choice)?.label ?? choice;
  const what = [made, answer?.text].filter((one) => one !== undefined).join(': ');
  return what === '' ? REQUEST_STATES[state] : `${REQUEST_STATES[state]}: ${what}`;
}

function sessionCells(session: Session, now: number): string[] {
  const { id, status, evidence, agent, name, branch } = session;
  return [shortId(id), status, since(evidence.at, now), oneLine(agent.id), oneLine(name, NAME_LENGTH), branch];
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, n) => Math.max(...rows.map((row) => row[n]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, n) => cell.padEnd(widths[n] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function since(at: number, now: number): string {
  const passed = Math.max(0, now - at);
  const unit = UNITS.find(({ ms }) => passed >= ms);
  return unit === undefined ? '0s' : `${Math.floor(passed / unit.ms)}${unit.letter}`;
}

function clock(at: number): string {
  return new Date(at).toTimeString().slice(0, 8);
}
