import type { Archive } from '../git/archive.ts';
import type { ProcessId } from '../platform/process-id.ts';
import type { AgentRef, ExitRecord, Fact, FactType, Judgement, MoveTo } from './facts.ts';

/** What a session is doing, as the facts show it. */
export type Status = (typeof STATUSES)[number];

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

/** The fact that a status rests on. */
export interface Evidence {
  readonly type: FactType;
  readonly at: number;
  readonly detail: string;
}

export interface Turn {
  readonly number: number;
  /** The id of the fact that requested it. */
  readonly request: string;
  /** The window that requested it, and that starts it as long as it lives. */
  readonly requestedBy: ProcessId;
  readonly prompt: string;
  readonly requestedAt: number;
  readonly resumes: boolean;
  /** What the agent was asked to resume, or to call itself. */
  readonly agentSession?: string;
  /** The window that starts the turn, once its claim was granted; `fact` is the id of the claim. */
  readonly claim?: { readonly fact: string; readonly by: ProcessId; readonly at: number };
  readonly withdrawn?: { readonly reason: 'cancelled' | 'failed'; readonly message: string; readonly at: number };
  readonly keeper?: ProcessId & { readonly socket: string; readonly at: number };
  readonly agent?: ProcessId & { readonly at: number };
  readonly stoppingAt?: number;
  readonly exit?: ExitRecord;
  readonly judgement?: Judgement;
}

export interface Session {
  readonly id: string;
  readonly name: string;
  readonly agent: AgentRef;
  readonly base: { readonly ref: string; readonly commit: string };
  readonly worktree: string;
  readonly branch: string;
  readonly expects: readonly string[];
  readonly createdAt: number;
  /** When the worktree was there for the first time; absent while it never was. */
  readonly worktreeReadyAt?: number;
  /** The agent session id to resume: the last one that the agent itself named, else the one it was given. */
  readonly agentSession?: string;
  /** Turn n stands at index n - 1. */
  readonly turns: readonly Turn[];
  readonly status: Status;
  readonly evidence: Evidence;
  /** How many facts made it what it is; void ones do not count. */
  readonly facts: number;
  /** A worktree that Treeline did not make, known only because it was removed. */
  readonly foreign?: true;
  /** Present while the session is archived. */
  readonly archive?: Archived;
  /** Present while the worktree is being moved, or its window died while it did. */
  readonly move?: Move;
}

/** What became of an archived session's worktree. */
export interface Archived extends Archive {
  readonly at: number;
  /** When it was deleted for good. */
  readonly purgedAt?: number;
  /** What the session's status was, and is again when it is restored. */
  readonly before: { readonly status: Status; readonly evidence: Evidence };
}

/** A move of a worktree that is under way. */
export interface Move {
  /** The id of its fact. */
  readonly fact: string;
  readonly to: MoveTo;
  readonly by: ProcessId;
  readonly at: number;
  readonly worktree: string;
  readonly archive: Archive;
}

/** A turn that holds a place under the limit: claimed, and neither over nor withdrawn. */
export function isLive(turn: Turn): boolean {
  return turn.claim !== undefined && turn.exit === undefined && turn.withdrawn === undefined;
}

/** A turn that is wanted and has not been claimed yet. */
export function isQueued(turn: Turn): boolean {
  return turn.claim === undefined && turn.withdrawn === undefined && turn.exit === undefined;
}

/** A turn that still may do something: a session with one cannot be resumed. */
export function isOpen(turn: Turn): boolean {
  return isQueued(turn) || isLive(turn);
}

export function lastTurn(session: Session): Turn | undefined {
  return session.turns.at(-1);
}

/**
 * The lifecycle: one pure step from a session and a fact to the session after it. A fact that is void (a second request
 * of one turn number, a claim over the limit, anything about a turn that does not exist or is over) returns `session`
 * itself, so that every reader of one journal reaches the same state.
 *
 * @param live how many turns of the repository are live before this fact.
 */
export function reduce(session: Session | undefined, fact: Fact, live: number): Session | undefined {
  if (fact.type === 'session.known') {
    return knowsMore(fact.known, session) ? fact.known : session;
  }
  const next = step(session, fact, live);
  return next === session || next === undefined ? next : { ...next, facts: (session?.facts ?? 0) + 1 };
}

/** Whether more facts made a session what it is than another state of it, or there is no other. */
export function knowsMore(session: Session, other: Session | undefined): boolean {
  return session.facts > (other?.facts ?? 0);
}

type StepFact = Exclude<Fact, { type: 'session.known' }>;

function step(session: Session | undefined, fact: StepFact, live: number): Session | undefined {
  if (fact.type === 'session.created') {
    return session ?? created(fact);
  }
  if (session === undefined) {
    return undefined;
  }
  switch (fact.type) {
    case 'session.renamed':
      return fact.name === session.name ? session : { ...session, name: fact.name };
    case 'worktree.ready': {
      if (session.worktreeReadyAt !== undefined) return session;
      const ready = { ...session, worktreeReadyAt: fact.at };
      return session.status === 'preparing' ? withStatus(ready, 'starting', fact, 'The worktree is ready.') : ready;
    }
    case 'turn.requested':
      return session.archive === undefined ? requested(session, fact) : session;
    case 'session.moving':
      return moving(session, fact);
    case 'session.archived':
    case 'session.restored':
    case 'session.purged':
      return session.move?.fact === fact.move ? moved(session, session.move, fact) : session;
    default:
      return behindArchive(session, turnFact(session, fact, live));
  }
}

function created(fact: Extract<Fact, { type: 'session.created' }>): Session {
  const { name, agent, base, worktree, branch, expects, foreign } = fact;
  // Its first turn is requested in the same breath: where that cannot be read, nothing waits and nothing will come.
  const detail = 'The session was created but has no turns. Resume it to start one.';
  const evidence: Evidence = { type: fact.type, at: fact.at, detail };
  return {
    id: fact.session,
    name,
    agent,
    base,
    worktree,
    branch,
    expects,
    createdAt: fact.at,
    turns: [],
    status: 'lost',
    evidence,
    facts: 0,
    ...(foreign === true && { foreign }),
  };
}

type MoveFact = Extract<Fact, { type: 'session.moving' }>;
type MovedFact = Extract<Fact, { move: string }>;

function moving(session: Session, fact: MoveFact): Session {
  const last = lastTurn(session);
  const { move, archive } = session;
  const replaces = move !== undefined && fact.replaces === move.fact && fact.to === move.to;
  const possible = fact.to === 'trash' ? archive === undefined : archive !== undefined;
  const purges = fact.to === 'nowhere' && archive?.purgedAt !== undefined;
  if (move === undefined ? !possible || purges || (last !== undefined && isOpen(last)) : !replaces) {
    return session;
  }
  const { id, at, to, worktree, by } = fact;
  const next = { ...session, move: { fact: id, to, by: by.process, at, worktree, archive: fact.archive } };
  if (to !== 'trash') {
    return next;
  }
  const before = archive?.before ?? { status: session.status, evidence: session.evidence };
  const detail = 'The worktree is being moved to the trash.';
  return withStatus({ ...next, archive: { ...fact.archive, at, before } }, 'archived', fact, detail);
}

function moved({ move: _over, ...session }: Session, move: Move, fact: MovedFact): Session {
  const { archive, ...rest } = session;
  if (archive === undefined) {
    return session;
  }
  switch (fact.type) {
    case 'session.archived':
      return withStatus(
        session,
        'archived',
        fact,
        'The session is archived. The files of its worktree are in the trash.',
      );
    case 'session.purged': {
      const purged = { ...session, archive: { ...archive, purgedAt: fact.at } };
      return withStatus(purged, 'archived', fact, 'The worktree was deleted from the trash; the branch is kept.');
    }
    case 'session.restored':
      return { ...rest, worktree: move.worktree, ...archive.before };
  }
}

/** What is learnt of an archived session's last turn, such as its judgement, shows when the session is back. */
function behindArchive(session: Session, next: Session): Session {
  const { archive, status, evidence } = session;
  return archive === undefined || next.evidence === evidence
    ? next
    : { ...next, status, evidence, archive: { ...archive, before: { status: next.status, evidence: next.evidence } } };
}

function requested(session: Session, fact: Extract<Fact, { type: 'turn.requested' }>): Session {
  const last = lastTurn(session);
  if (fact.turn !== session.turns.length + 1 || (last !== undefined && isOpen(last))) {
    return session;
  }
  const turn: Turn = {
    number: fact.turn,
    request: fact.id,
    requestedBy: fact.by.process,
    prompt: fact.prompt,
    requestedAt: fact.at,
    resumes: fact.resumes,
    ...(fact.agentSession !== undefined && { agentSession: fact.agentSession }),
  };
  const agentSession = fact.agentSession ?? (fact.resumes ? session.agentSession : undefined);
  const next: { -readonly [K in keyof Session]: Session[K] } = { ...session, turns: [...session.turns, turn] };
  if (agentSession === undefined) delete next.agentSession;
  else next.agentSession = agentSession;
  return withStatus(next, 'queued', fact, `Turn ${turn.number} was requested.`);
}

type TurnFact = Extract<Fact, { turn: number }>;

function turnFact(session: Session, fact: Exclude<TurnFact, { type: 'turn.requested' }>, live: number): Session {
  const turn = session.turns[fact.turn - 1];
  if (turn === undefined) {
    return session;
  }
  const put = (change: Partial<Turn>, of: Session = session): Session => ({
    ...of,
    turns: of.turns.with(fact.turn - 1, { ...turn, ...change }),
  });
  const open = turn.exit === undefined && turn.withdrawn === undefined;
  switch (fact.type) {
    case 'turn.claimed': {
      if (!isQueued(turn) || live >= fact.limit) {
        return session;
      }
      const next = put({ claim: { fact: fact.id, by: fact.by.process, at: fact.at } });
      // Who asked for a stop while it was queued still sees that stop, and its owner has to act on it.
      if (turn.stoppingAt !== undefined) return next;
      return session.worktreeReadyAt === undefined
        ? withStatus(next, 'preparing', fact, 'Creating the worktree.')
        : withStatus(next, 'starting', fact, 'Starting the agent.');
    }
    case 'turn.withdrawn': {
      if (!open || turn.agent !== undefined) {
        return session;
      }
      const { reason, message, at } = fact;
      return withStatus(
        put({ withdrawn: { reason, message, at } }),
        reason === 'failed' ? 'failed' : 'stopped',
        fact,
        message,
      );
    }
    case 'keeper.started':
      return open ? put({ keeper: { ...fact.keeper, socket: fact.socket, at: fact.at } }) : session;
    case 'agent.started':
      return open
        ? withStatus(
            put({ agent: { ...fact.agent, at: fact.at } }),
            turn.stoppingAt === undefined ? 'working' : 'stopping',
            fact,
            `The agent is running as process ${fact.agent.pid}.`,
          )
        : session;
    case 'agent.identified':
      return fact.agentSession === session.agentSession || fact.turn !== session.turns.length
        ? session
        : { ...session, agentSession: fact.agentSession };
    case 'turn.stopping':
      return open && turn.stoppingAt === undefined
        ? withStatus(put({ stoppingAt: fact.at }), 'stopping', fact, 'Stop requested.')
        : session;
    case 'turn.exited':
      return open ? exited(put({ exit: fact.exit }), fact) : session;
    case 'turn.judged':
      return turn.exit !== undefined && turn.judgement === undefined
        ? judged(put({ judgement: fact.judgement }), turn, fact)
        : session;
  }
}

/** What the exit alone says, until the adapter has judged the output. */
function exited(session: Session, fact: Extract<Fact, { type: 'turn.exited' }>): Session {
  const { exit } = fact;
  const how =
    exit.problem ??
    (exit.signal === null ? `The agent exited with code ${exit.code}.` : `The agent was ended by ${exit.signal}.`);
  if (exit.stop !== undefined) {
    return withStatus(session, 'stopped', fact, how);
  }
  if (exit.problem !== undefined) {
    return withStatus(session, exit.startedAt === null ? 'failed' : 'lost', fact, how);
  }
  return withStatus(session, exit.code === 0 ? 'idle' : 'failed', fact, how);
}

function judged(session: Session, turn: Turn, fact: Extract<Fact, { type: 'turn.judged' }>): Session {
  if (fact.turn !== session.turns.length || turn.exit?.problem !== undefined) {
    return session;
  }
  const { outcome, summary, attention } = fact.judgement;
  if (outcome === 'completed' && attention !== undefined) {
    return withStatus(session, `needs-${attention.for}`, fact, attention.what);
  }
  const status: Record<typeof outcome, Status> = {
    completed: 'idle',
    failed: 'failed',
    interrupted: 'stopped',
    killed: turn.exit?.stop === undefined ? 'failed' : 'stopped',
    unknown: turn.exit?.stop === undefined ? 'lost' : 'stopped',
  };
  return withStatus(session, status[outcome], fact, summary);
}

function withStatus(session: Session, status: Status, fact: Fact, detail: string): Session {
  return { ...session, status, evidence: { type: fact.type, at: fact.at, detail } };
}
