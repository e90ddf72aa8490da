import {
  boolean,
  invalid,
  natural,
  nonEmpty,
  number,
  oneOf,
  optional,
  positive,
  record,
  shape,
  string,
  type Output,
  type Read,
} from '../platform/check.ts';
import { isFactId, isSessionId } from '../platform/ids.ts';
import { readProcessId, type ProcessId } from '../platform/process-id.ts';
import { archive, creation, exitRecord, judgement, MOVES, session, withdrawal } from './model.ts';
import { saying } from './read-saying.ts';

/**
 * The generation of the rules by which facts are granted or void. To be raised when a build grants by other rules, or counts
 * facts that an older build does not know: whoever knows only older rules does not lead where newer ones were in force.
 */
export const RULES = 1;

/**
 * Whose word a fact is: a wish is anybody's, an act is that of who leads, and of a run its keeper tells as well. From anybody else
 * it is void.
 */
type Entitled = 'anybody' | 'leader' | 'keeper';

/** A type of facts: its version, whether it is about a session or the repository, who may write it, and how its body reads. */
interface FactDefinition<S extends 'session' | 'repository', B> {
  readonly v: number;
  readonly about: S;
  readonly entitled: Entitled;
  readonly body: Read<B>;
}

function ofSession<B>(v: number, entitled: Entitled, body: Read<B>): FactDefinition<'session', B> {
  return { v, about: 'session', entitled, body };
}

/** Anybody may want to lead, or somebody else to give way: who leads follows from the order (leadership.ts). */
function ofRepository<B>(v: number, body: Read<B>): FactDefinition<'repository', B> {
  return { v, about: 'repository', entitled: 'anybody', body };
}

/**
 * All types of facts that this build knows. A type is added by a row here and a case in the reducer (lifecycle.ts,
 * leadership.ts), which the compiler asks for. A body that changes so that an older build would misread it, or not read it
 * (another word in a list of words, say), gets a higher version; it should read what the lower ones wrote.
 */
export const FACTS = {
  /** Reserves the id; everything that will be made is named before it is made. `foreign`: no session, only a worktree that was removed. */
  'session.created': ofSession(1, 'anybody', shape({ ...creation, foreign: optional(boolean) })),
  'session.renamed': ofSession(1, 'anybody', shape({ name: string })),
  /**
   * What a window knew of a session when the journal lost it: somebody deleted, cut or replaced the file. It counts where the
   * journal before it knows less.
   */
  'session.known': ofSession(1, 'anybody', shape({ known: session })),
  /** The worktree exists and its checkout is done. */
  'worktree.ready': ofSession(1, 'leader', shape({})),
  /** A turn is wanted. The first such fact in the journal for a session's next number wins; later ones are void. */
  'turn.requested': ofSession(
    1,
    'anybody',
    shape({
      turn: positive,
      /** The start of the prompt, at most 200 characters; the whole stands in the file of this name (platform/paths.ts, textFile). */
      prompt: string,
      text: nonEmpty,
      /** The agent session id that is resumed, or that is given to a new conversation; absent when the agent chooses. */
      agentSession: optional(nonEmpty),
      resumes: boolean,
    }),
  ),
  /** The steward starts a queued turn, in a new run or in one that goes on; void when `limit` turns are live at this place of the journal. */
  'turn.claimed': ofSession(1, 'leader', shape({ turn: positive, run: positive, limit: natural })),
  /** The turn will not start: cancelled while queued, or its preparation failed and was undone. */
  'turn.withdrawn': ofSession(1, 'leader', shape({ turn: positive, ...withdrawal })),
  'keeper.started': ofSession(1, 'keeper', shape({ run: positive, keeper: readProcessId, socket: nonEmpty })),
  /** `reads`: what the agent takes on its stdin while it runs, such as `lines`; absent where it takes nothing. */
  'agent.started': ofSession(1, 'keeper', shape({ run: positive, agent: readProcessId, reads: optional(nonEmpty) })),
  /** The agent said which conversation this is. */
  'agent.identified': ofSession(1, 'leader', shape({ run: positive, agentSession: nonEmpty })),
  /** The agent of a run that goes on was given the prompt of a further turn. */
  'turn.begun': ofSession(1, 'leader', shape({ turn: positive })),
  /** The user wants the turn, and the run that serves it, to stop. */
  'turn.stopping': ofSession(1, 'anybody', shape({ turn: positive })),
  /** The turn is over, as the output says, and its run goes on. */
  'turn.ended': ofSession(1, 'leader', shape({ turn: positive })),
  /** The agent's process is over, and with it the turn that it served. */
  'run.exited': ofSession(1, 'keeper', shape({ run: positive, exit: exitRecord })),
  'turn.judged': ofSession(1, 'leader', shape({ turn: positive, judgement })),
  /** A message for the agent is promised: `message` is the key by which it is delivered once, and names the file of the whole text. */
  'message.promised': ofSession(1, 'anybody', shape({ message: nonEmpty, text: string })),
  'message.delivered': ofSession(1, 'leader', shape({ message: nonEmpty, run: positive })),
  /** It cannot be delivered any more. */
  'message.refused': ofSession(1, 'leader', shape({ message: nonEmpty, code: nonEmpty, why: saying })),
  /** Somebody wants the session's worktree archived, restored (to `worktree`, if that is another place) or deleted for good. */
  'move.wanted': ofSession(1, 'anybody', shape({ to: oneOf(MOVES), worktree: optional(nonEmpty) })),
  /**
   * The writer is about to move the session's worktree, and nobody else may until it says how that ended. Void while a turn
   * is open, while another move is under way, and where there is nothing to move.
   */
  'session.moving': ofSession(
    1,
    'leader',
    shape({
      to: oneOf(MOVES),
      /** The worktree's path, or the one that it comes back to. */
      worktree: string,
      archive,
      /** The id of the `session.moving` of somebody who died in the middle, which the writer finishes. */
      replaces: optional(nonEmpty),
    }),
  ),
  /** A move ended (`move` is the id of its `session.moving`): the worktree lies in the trash. */
  'session.archived': ofSession(1, 'leader', shape({ move: nonEmpty })),
  /** A move ended: the worktree is where it belongs, also because it could not be moved away. */
  'session.restored': ofSession(1, 'leader', shape({ move: nonEmpty, note: optional(saying) })),
  /** A move ended: the worktree was deleted from the trash. */
  'session.purged': ofSession(1, 'leader', shape({ move: nonEmpty, note: optional(saying) })),
  /** What somebody wanted (the fact `intent`) cannot be done. */
  'intent.refused': ofSession(1, 'leader', shape({ intent: nonEmpty, code: nonEmpty, why: saying })),
  /**
   * The writer acts for the repository from now on; void unless `replaces` names who did before, or nobody did. These three
   * keep their version for good, since builds of all ages have to agree on who leads.
   */
  'steward.leads': ofRepository(
    1,
    shape({
      host: nonEmpty,
      version: string,
      rules: positive,
      socket: string,
      token: string,
      replaces: optional(nonEmpty),
    }),
  ),
  /** A newer build asks who leads to give way. */
  'steward.retiring': ofRepository(1, shape({ lead: nonEmpty })),
  'steward.left': ofRepository(1, shape({ lead: nonEmpty })),
} as const satisfies Readonly<Record<string, FactDefinition<'session' | 'repository', unknown>>>;

export type FactType = keyof typeof FACTS;

type BodyOf<T extends FactType> = Output<(typeof FACTS)[T]['body']>;
type TypesAbout<S> = { [T in FactType]: (typeof FACTS)[T]['about'] extends S ? T : never }[FactType];

/** A fact without what every fact carries. */
export type FactBody = { [T in FactType]: { readonly type: T } & BodyOf<T> }[FactType];
export type SessionFactBody = Extract<FactBody, { readonly type: TypesAbout<'session'> }>;
export type RepositoryFactBody = Extract<FactBody, { readonly type: TypesAbout<'repository'> }>;

/** What a writer says; the journal adds the rest. */
export type FactEntry = (SessionFactBody & { readonly session: string }) | RepositoryFactBody;

/** Who writes a fact. */
export type Role = 'window' | 'keeper' | 'steward' | 'command';
export interface Writer {
  readonly role: string;
  readonly process: ProcessId;
}

/** What every fact carries. `v` is the version of its type; `id` is a UUIDv7; `at` is ms since the epoch by the writer's clock. */
export interface FactBase {
  readonly v: number;
  readonly id: string;
  readonly at: number;
  readonly by: Writer;
}

export type SessionFact = FactBase & SessionFactBody & { readonly session: string };
export type RepositoryFact = FactBase & RepositoryFactBody;

/** One fact of the journal. */
export type Fact = SessionFact | RepositoryFact;

const base = shape({ v: positive, id: string, at: number, by: shape({ role: nonEmpty, process: readProcessId }) });

/**
 * Reads one parsed line of the journal. A fact of a type or version that this build does not know gives `unknown`: it is kept,
 * passed over, and no damage. Throws TreelineError `invalid` for anything that is not a fact.
 */
export function readFact(value: unknown): Fact | 'unknown' {
  const line = record(value, 'The fact');
  const common = base(line, 'The fact');
  if (!isFactId(common.id)) invalid('id', 'a UUIDv7', common.id);
  const type = nonEmpty(line['type'], 'type');
  if (!isFactType(type)) return 'unknown';
  const { v, about, body } = FACTS[type];
  if (common.v > v || (common.v < v && !reads(body, line))) return 'unknown';
  if (about === 'repository') return { ...common, type, ...body(line, type) } as Fact;
  const session = string(line['session'], 'session');
  if (!isSessionId(session)) invalid('session', 'a session id', session);
  const fact = { ...common, session, type, ...body(line, type) } as SessionFact;
  if (fact.type === 'session.known' && fact.known.id !== session) {
    invalid('known.id', 'that of the fact', fact.known.id);
  }
  return fact;
}

function reads(body: Read<unknown>, line: unknown): boolean {
  try {
    body(line, '');
    return true;
  } catch {
    return false;
  }
}

export function isSessionFact(fact: Fact): fact is SessionFact {
  return 'session' in fact;
}

function isFactType(type: string): type is FactType {
  return Object.hasOwn(FACTS, type);
}
