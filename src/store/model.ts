import {
  boolean,
  invalid,
  listOf,
  natural,
  nonEmpty,
  nullable,
  number,
  oneOf,
  optional,
  positive,
  shape,
  string,
  type Output,
  type Read,
} from '../platform/check.ts';
import { readProcessId } from '../platform/process-id.ts';
import { saying } from './read-saying.ts';

/**
 * What is known of sessions, and what facts are made of. Each schema is the type as well: a field that is added here is read,
 * written, and kept over a restart, and the compiler names every place that has to give it.
 */

/** The agent of a session, as it was when the session was created. */
export const agentRef = shape({
  /** Id of an agent: a built-in one's, or of the setting `treeline.customAgents`. */
  id: nonEmpty,
  name: string,
  /** How its stdout reads: the name of a reader. Another build may know more of them. */
  format: nonEmpty,
});
export type AgentRef = Output<typeof agentRef>;

/** One signal of a stop, in the order sent. `at` is ms since the epoch. */
export const stopStep = shape({ signal: oneOf(['interrupt', 'SIGINT', 'SIGTERM', 'SIGKILL']), at: number });
export type StopStep = Output<typeof stopStep>;

/** exit.json, and the body of `run.exited`: what the operating system says of the agent's process. */
export const exitRecord = shape({
  startedAt: nullable(number),
  endedAt: number,
  /** null where a signal ended it, where it never started, or where nobody saw the end. */
  code: nullable(number),
  signal: nullable(nonEmpty),
  /** Present when somebody asked it to stop. */
  stop: optional(shape({ requestedAt: number, steps: listOf(stopStep) })),
  /** Processes of the run that were still alive after the agent's own end, and were ended. */
  survivors: listOf(shape({ pid: positive, command: string })),
  /** The files that the user expected (paths relative to the worktree), and whether each was there at the end. */
  expected: listOf(shape({ path: string, present: boolean })),
  /** Why there is no agent, or nobody saw its end: it could not be started, its keeper died, the machine restarted. */
  problem: optional(saying),
});
export type ExitRecord = Output<typeof exitRecord>;

/** How a turn came to its end. */
export const OUTCOMES = ['completed', 'failed', 'interrupted', 'killed', 'unknown'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Tokens of one turn (not cumulative), as the agent reported them. */
export const usage = shape({
  input: number,
  output: number,
  /** Input tokens that were read from a cache; part of `input`. */
  cached: number,
});
export type Usage = Output<typeof usage>;

/** What the agent waits for after a turn, and what it asks. */
export const attention = shape({ for: oneOf(['input', 'permission']), what: saying });
export type Attention = Output<typeof attention>;

/** What the adapter made of a turn when it was over. */
export const judgement = shape({
  outcome: oneOf(OUTCOMES),
  /** One line: the agent's last words, or the reason of a failure. */
  summary: saying,
  usage: optional(usage),
  /** US dollars of this turn. */
  cost: optional(number),
  attention: optional(attention),
  /** True when the agent says that it does not know the agent session id it was asked to resume. */
  unknownSession: optional(boolean),
});
export type Judgement = Output<typeof judgement>;

/** Where a move of a worktree leads: out of sight, back to work, or away for good. */
export const MOVES = ['trash', 'worktree', 'nowhere'] as const;
export type MoveTo = (typeof MOVES)[number];

/** Where an archive's parts lie; see git/archive.ts. */
const archiveParts = {
  files: nonEmpty,
  registration: optional(shape({ from: nonEmpty, to: nonEmpty })),
  branch: optional(nonEmpty),
  commit: optional(nonEmpty),
};
export const archive = shape(archiveParts);

/** Why a turn will not start. `code` is the TreelineError's. */
export const withdrawal = { reason: oneOf(['cancelled', 'failed']), code: nonEmpty, why: saying };

/** What a session is doing, as the facts show it. */
export const STATUSES = [
  'queued',
  'preparing',
  'starting',
  'working',
  'stopping',
  'needs-input',
  'needs-permission',
  'idle',
  'stopped',
  'failed',
  'lost',
  'archived',
] as const;
export type Status = (typeof STATUSES)[number];

/** The fact that a status rests on. */
const evidence = shape({ type: nonEmpty, at: number, detail: saying });
export type Evidence = Output<typeof evidence>;

const status = { status: oneOf(STATUSES), evidence };

/** One process of an agent under one keeper, and the turns that it serves. */
export const run = shape({
  number: positive,
  keeper: optional(shape({ process: readProcessId, socket: nonEmpty, at: number })),
  /** `reads`: what it takes on its stdin while it runs, such as `lines`. Another build may know more. */
  agent: optional(shape({ process: readProcessId, at: number, reads: optional(nonEmpty) })),
  exit: optional(exitRecord),
});
export type Run = Output<typeof run>;

/** One prompt, and what the agent did with it. */
export const turn = shape({
  number: positive,
  /** The id of the fact that requested it. */
  request: string,
  /** Who requested it. */
  requestedBy: readProcessId,
  /** Its place in the queue of the repository: who asked first has the lower one. */
  place: natural,
  /** The start of the prompt; `text` names the file with the whole. */
  prompt: string,
  text: nonEmpty,
  requestedAt: number,
  resumes: boolean,
  /** What the agent was asked to resume, or to call itself. */
  agentSession: optional(nonEmpty),
  /** Who starts the turn and in which run, once its claim was granted; `fact` is the id of the claim, `lead` that of the lead at the time. */
  claim: optional(shape({ fact: string, lead: string, by: readProcessId, at: number, run: positive })),
  withdrawn: optional(shape({ ...withdrawal, at: number })),
  /** When the agent was given the prompt: the start of its process, or the message to one that ran. */
  begunAt: optional(number),
  stoppingAt: optional(number),
  /** When it was over, while its run may go on. */
  endedAt: optional(number),
  /** How its run ended, where that ended the turn. */
  exit: optional(exitRecord),
  judgement: optional(judgement),
});
export type Turn = Output<typeof turn>;

const isTrue: Read<true> = (value, what) => (value === true ? value : invalid(what, 'true', value));

/** A message for an agent that runs, promised and not yet delivered. */
export const promisedMessage = shape({ id: nonEmpty, fact: string, text: string, at: number });
export type PromisedMessage = Output<typeof promisedMessage>;

/** What a session is from its first fact on. */
export const creation = {
  name: string,
  agent: agentRef,
  base: shape({ ref: string, commit: string }),
  worktree: nonEmpty,
  branch: nonEmpty,
  expects: listOf(string),
};

/** A move of a worktree that is under way. */
const move = shape({
  /** The id of its fact. */
  fact: string,
  to: oneOf(MOVES),
  by: readProcessId,
  at: number,
  worktree: string,
  archive,
});
export type Move = Output<typeof move>;

/** A move of the worktree that somebody wants; `fact` is the id of the intent. */
const wish = shape({
  fact: string,
  to: oneOf(MOVES),
  /** Another place to come back to. */
  worktree: optional(nonEmpty),
  at: number,
});
export type Wish = Output<typeof wish>;

/** What became of an archived session's worktree. */
const archived = shape({
  ...archiveParts,
  at: number,
  /** When it was deleted for good. */
  purgedAt: optional(number),
  /** What the session's status was, and is again when it is restored. */
  before: shape(status),
});
export type Archived = Output<typeof archived>;

export const session = shape({
  id: nonEmpty,
  ...creation,
  createdAt: number,
  /** When the worktree was there for the first time; absent while it never was. */
  worktreeReadyAt: optional(number),
  /** The agent session id to resume: the last one that the agent itself named, else the one it was given. */
  agentSession: optional(nonEmpty),
  /** Turn n stands at index n - 1. */
  turns: listOf(turn),
  /** Run n stands at index n - 1. */
  runs: listOf(run),
  /** Messages that wait for delivery, oldest first. */
  messages: listOf(promisedMessage),
  ...status,
  /** How many facts made it what it is; void ones do not count. */
  facts: natural,
  /** A worktree that Treeline did not make, known only because it was removed. */
  foreign: optional(isTrue),
  /** Present while the session is archived. */
  archive: optional(archived),
  /** Present while the worktree is being moved, or who moved it died in the middle. */
  move: optional(move),
  /** A move that somebody wants, and that has not begun. */
  wish: optional(wish),
});
export type Session = Output<typeof session>;

/** Who acts for the repository now. */
export const lead = shape({
  /** The id of its fact. */
  fact: string,
  by: readProcessId,
  at: number,
  /** Where it lives: `window`, or `detached` in a process of its own. Another build may know more. */
  host: nonEmpty,
  version: string,
  /** The socket on which it tells what it sees of the agents' output, and the token that a client says first. */
  socket: string,
  token: string,
  /** The id of the request to give way, if there was one. */
  retire: optional(string),
});
export type Lead = Output<typeof lead>;

/** Who acts for the repository, as its journal tells; no `lead` while nobody does. */
export const leadership = shape({
  lead: optional(lead),
  /** The newest generation of rules that was ever in force: who knows only older ones does not lead. */
  rules: natural,
});
export type Leadership = Output<typeof leadership>;
