import type { ProcessId } from '../platform/process-id.ts';
import type { AgentRef, ExitRecord, Fact, FactType, Judgement } from './facts.ts';

/** What a session is doing, as the facts show it. */
export type Status =
  | 'queued'
  | 'preparing'
  | 'starting'
  | 'working'
  | 'stopping'
  | 'needs-input'
  | 'needs-permission'
  | 'idle'
  | 'stopped'
  | 'failed'
  | 'lost';

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
      return requested(session, fact);
    default:
      return turnFact(session, fact, live);
  }
}

function created(fact: Extract<Fact, { type: 'session.created' }>): Session {
  const { name, agent, base, worktree, branch, expects } = fact;
  const evidence: Evidence = { type: fact.type, at: fact.at, detail: 'The session was created.' };
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
    status: 'queued',
    evidence,
  };
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
        ? withStatus(next, 'preparing', fact, 'The worktree is being made.')
        : withStatus(next, 'starting', fact, 'The agent is being started.');
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
            `The agent runs as process ${fact.agent.pid}.`,
          )
        : session;
    case 'agent.identified':
      return fact.agentSession === session.agentSession || fact.turn !== session.turns.length
        ? session
        : { ...session, agentSession: fact.agentSession };
    case 'turn.stopping':
      return open && turn.stoppingAt === undefined
        ? withStatus(put({ stoppingAt: fact.at }), 'stopping', fact, 'A stop was asked for.')
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
