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
  record,
  shape,
  string,
  type Read,
} from '../platform/check.ts';
import { isFactId, isSessionId } from '../platform/ids.ts';
import type { ProcessId } from '../platform/process-id.ts';
import {
  FACT_VERSION,
  MOVES,
  OUTPUT_FORMATS,
  type ExitRecord,
  type Fact,
  type FactBody,
  type FactType,
} from './facts.ts';
import { STATUSES, type Session, type Turn } from './lifecycle.ts';

const processFields = { pid: positive, start: nonEmpty };

const processId: Read<ProcessId> = shape(processFields);

const writer = shape({ role: oneOf(['window', 'keeper']), process: processId });

/** Reads exit.json, and the body of `turn.exited`. */
export const exitRecord: Read<ExitRecord> = shape({
  startedAt: nullable(number),
  endedAt: number,
  code: nullable(number),
  signal: nullable(nonEmpty),
  stop: optional(
    shape({
      requestedAt: number,
      steps: listOf(shape({ signal: oneOf(['interrupt', 'SIGINT', 'SIGTERM', 'SIGKILL']), at: number })),
    }),
  ),
  survivors: listOf(shape({ pid: positive, command: string })),
  expected: listOf(shape({ path: string, present: boolean })),
  problem: optional(string),
});

const judgement = shape({
  outcome: oneOf(['completed', 'failed', 'interrupted', 'killed', 'unknown']),
  summary: string,
  usage: optional(shape({ input: number, output: number, cached: number })),
  cost: optional(number),
  attention: optional(shape({ for: oneOf(['input', 'permission']), what: string })),
  unknownSession: optional(boolean),
});

const created = {
  name: string,
  agent: shape({ id: nonEmpty, name: string, format: oneOf(OUTPUT_FORMATS) }),
  base: shape({ ref: string, commit: string }),
  worktree: nonEmpty,
  branch: nonEmpty,
  expects: listOf(string),
};

const withdrawn = { reason: oneOf(['cancelled', 'failed']), message: string };

const archive = {
  files: nonEmpty,
  registration: optional(shape({ from: nonEmpty, to: nonEmpty })),
  branch: optional(nonEmpty),
  commit: optional(nonEmpty),
};

const status = {
  status: oneOf(STATUSES),
  evidence: shape({ type: (value, what) => oneOf(factTypes())(value, what), at: number, detail: string }),
};

const isTrue: Read<true> = (value, what) => (value === true ? value : invalid(what, 'true', value));

const turn: Read<Turn> = shape({
  number: positive,
  request: string,
  requestedBy: processId,
  prompt: string,
  requestedAt: number,
  resumes: boolean,
  agentSession: optional(nonEmpty),
  claim: optional(shape({ fact: string, by: processId, at: number })),
  withdrawn: optional(shape({ ...withdrawn, at: number })),
  keeper: optional(shape({ ...processFields, socket: nonEmpty, at: number })),
  agent: optional(shape({ ...processFields, at: number })),
  stoppingAt: optional(number),
  exit: optional(exitRecord),
  judgement: optional(judgement),
});

const session: Read<Session> = shape({
  id: nonEmpty,
  ...created,
  createdAt: number,
  worktreeReadyAt: optional(number),
  agentSession: optional(nonEmpty),
  turns: listOf(turn),
  ...status,
  facts: positive,
  foreign: optional(isTrue),
  archive: optional(shape({ ...archive, at: number, purgedAt: optional(number), before: shape(status) })),
  move: optional(
    shape({
      fact: string,
      to: oneOf(MOVES),
      by: processId,
      at: number,
      worktree: nonEmpty,
      archive: shape(archive),
    }),
  ),
});

/** The fields of each type of fact, beside those that every fact carries. */
const bodies: { readonly [T in FactType]: Read<Omit<Extract<FactBody, { type: T }>, 'type'>> } = {
  'session.created': shape({ ...created, foreign: optional(boolean) }),
  'session.renamed': shape({ name: string }),
  'session.known': shape({ known: session }),
  'worktree.ready': shape({}),
  'turn.requested': shape({ turn: positive, prompt: string, agentSession: optional(nonEmpty), resumes: boolean }),
  'turn.claimed': shape({ turn: positive, limit: natural }),
  'turn.withdrawn': shape({ turn: positive, ...withdrawn }),
  'keeper.started': shape({ turn: positive, keeper: processId, socket: nonEmpty }),
  'agent.started': shape({ turn: positive, agent: processId }),
  'agent.identified': shape({ turn: positive, agentSession: nonEmpty }),
  'turn.stopping': shape({ turn: positive }),
  'turn.exited': shape({ turn: positive, exit: exitRecord }),
  'turn.judged': shape({ turn: positive, judgement }),
  'session.moving': shape({
    to: oneOf(MOVES),
    worktree: nonEmpty,
    archive: shape(archive),
    replaces: optional(nonEmpty),
  }),
  'session.archived': shape({ move: nonEmpty }),
  'session.restored': shape({ move: nonEmpty }),
  'session.purged': shape({ move: nonEmpty }),
};

/**
 * Reads one parsed line of the journal. A fact of a newer format gives `newer`: it is none of our business, and no damage.
 * Throws TreelineError `invalid` for anything that is not a fact.
 */
export function readFact(value: unknown): Fact | 'newer' {
  const line = record(value, 'The fact');
  const v = positive(line['v'], 'v');
  if (v > FACT_VERSION) return 'newer';
  const id = string(line['id'], 'id');
  if (!isFactId(id)) invalid('id', 'a UUIDv7', id);
  const session = string(line['session'], 'session');
  if (!isSessionId(session)) invalid('session', 'a session id', session);
  const type = string(line['type'], 'type');
  if (!isFactType(type)) invalid('type', 'a known type of fact', type);
  const at = number(line['at'], 'at');
  const by = writer(line['by'], 'by');
  const fact = { v, id, at, session, by, type, ...bodies[type](line, type) } as Fact;
  if (fact.type === 'session.known' && fact.known.id !== session) {
    invalid('known.id', 'that of the fact', fact.known.id);
  }
  return fact;
}

const factTypes = (): readonly FactType[] => Object.keys(bodies) as FactType[];

function isFactType(type: string): type is FactType {
  return Object.hasOwn(bodies, type);
}
