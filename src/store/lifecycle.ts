import { isSame } from '../platform/process-id.ts';
import { say, type Saying } from '../words/saying.ts';
import { FACTS, type SessionFact } from './facts.ts';
import type { Lead, Move, Run, Session, Status, Turn, ExitRecord } from './model.ts';

/** A turn that holds a place under the limit: claimed, and neither over nor withdrawn. */
export function isLive(turn: Turn): boolean {
  return turn.claim !== undefined && turn.endedAt === undefined && turn.withdrawn === undefined;
}

/** A turn that is wanted and has not been claimed yet. */
export function isQueued(turn: Turn): boolean {
  return turn.claim === undefined && turn.withdrawn === undefined && turn.endedAt === undefined;
}

/** A turn that still may do something: a session with one cannot be resumed. */
export function isOpen(turn: Turn): boolean {
  return isQueued(turn) || isLive(turn);
}

export function lastTurn(session: Session): Turn | undefined {
  return session.turns.at(-1);
}

/** The run that serves, or served, a turn; undefined for one that was never claimed. */
export function runOf(session: Session, turn: Turn): Run | undefined {
  return turn.claim === undefined ? undefined : session.runs[turn.claim.run - 1];
}

/** A run that has begun and is not over: its keeper or its agent may live. */
export function isOpenRun(session: Session, run: Run): boolean {
  const turns = session.turns.filter((turn) => turn.claim?.run === run.number);
  return run.exit === undefined && (run.agent !== undefined || turns.some(isLive));
}

/** Whether there is something to stop: the turn itself, or its agent that waits for more after it. */
export function isStoppable(session: Session, turn: Turn): boolean {
  const run = runOf(session, turn);
  return isOpen(turn) || (turn === lastTurn(session) && run !== undefined && isOpenRun(session, run));
}

/** What a fact's effect depends on, beside the session that it is about. */
export interface Circumstances {
  /** How many turns of the repository are live before this fact. */
  readonly live: number;
  /** The place in the queue that a turn which is requested now gets. */
  readonly place: number;
  /** Who acts for the repository. */
  readonly lead: Pick<Lead, 'fact' | 'by'> | undefined;
}

/**
 * The lifecycle: one pure step from a session and a fact to the session after it. A fact that is void (a second request
 * of one turn number, a claim over the limit, anything about a turn that does not exist or is over) returns `session`
 * itself, so that every reader of one journal reaches the same state.
 */
export function reduce(session: Session | undefined, fact: SessionFact, now: Circumstances): Session | undefined {
  if (!isEntitled(session, fact, now)) return session;
  if (fact.type === 'session.known') {
    return knowsMore(fact.known, session) ? fact.known : session;
  }
  const next = step(session, fact, now);
  return next === session || next === undefined ? next : { ...next, facts: (session?.facts ?? 0) + 1 };
}

/**
 * Whether the writer was one whose word counts, at this place of the journal. One that was replaced, and does not know it yet, acts
 * for nobody.
 */
export function isEntitled(session: Session | undefined, fact: SessionFact, { lead }: Circumstances): boolean {
  const { entitled } = FACTS[fact.type];
  const { role, process } = fact.by;
  if (entitled === 'anybody' || (lead !== undefined && isSame(process, lead.by))) return true;
  if (entitled === 'leader' || role !== 'keeper') return false;
  // Where the journal has lost who keeps the run, each keeper may.
  const keeper = 'run' in fact ? session?.runs[fact.run - 1]?.keeper : undefined;
  return keeper === undefined || isSame(process, keeper.process);
}

/** Whether more facts made a session what it is than another state of it, or there is no other. */
export function knowsMore(session: Session, other: Session | undefined): boolean {
  return session.facts > (other?.facts ?? 0);
}

type Of<T extends SessionFact['type']> = Extract<SessionFact, { readonly type: T }>;
type StepFact = Exclude<SessionFact, { readonly type: 'session.known' }>;

function step(session: Session | undefined, fact: StepFact, now: Circumstances): Session | undefined {
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
      return session.status === 'preparing' ? withStatus(ready, 'starting', fact, say('worktree-ready')) : ready;
    }
    case 'turn.requested':
      return session.archive === undefined ? requested(session, fact, now) : session;
    case 'message.promised':
    case 'message.delivered':
    case 'message.refused':
      return messaged(session, fact);
    case 'move.wanted':
      return wanted(session, fact);
    case 'intent.refused':
      return session.wish?.fact === fact.intent ? without(session, 'wish') : session;
    case 'session.moving':
      return moving(session, fact);
    case 'session.archived':
    case 'session.restored':
    case 'session.purged':
      return session.move?.fact === fact.move ? moved(session, session.move, fact) : session;
    case 'keeper.started':
    case 'agent.started':
    case 'agent.identified':
    case 'run.exited':
      return behindArchive(session, runFact(session, fact));
    case 'turn.claimed':
    case 'turn.withdrawn':
    case 'turn.begun':
    case 'turn.stopping':
    case 'turn.ended':
    case 'turn.judged':
      return behindArchive(session, turnFact(session, fact, now));
  }
}

function created(fact: Of<'session.created'>): Session {
  const { name, agent, base, worktree, branch, expects, foreign } = fact;
  // The request of the first turn stands right behind this fact. Until it is read, or where it is lost, nothing is queued.
  const detail = say('session-created');
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
    runs: [],
    messages: [],
    status: 'lost',
    evidence: { type: fact.type, at: fact.at, detail },
    facts: 0,
    ...(foreign === true && { foreign }),
  };
}

function requested(session: Session, fact: Of<'turn.requested'>, { place }: Circumstances): Session {
  const last = lastTurn(session);
  if (fact.turn !== session.turns.length + 1 || (last !== undefined && isOpen(last))) {
    return session;
  }
  const turn: Turn = {
    number: fact.turn,
    request: fact.id,
    requestedBy: fact.by.process,
    place,
    prompt: fact.prompt,
    text: fact.text,
    requestedAt: fact.at,
    resumes: fact.resumes,
    ...(fact.agentSession !== undefined && { agentSession: fact.agentSession }),
  };
  const agentSession = fact.agentSession ?? (fact.resumes ? session.agentSession : undefined);
  const next = { ...without(session, 'agentSession'), turns: [...session.turns, turn] };
  const named = agentSession === undefined ? next : { ...next, agentSession };
  return withStatus(named, 'queued', fact, say('turn-requested', { turn: turn.number }));
}

function messaged(
  session: Session,
  fact: Of<'message.promised'> | Of<'message.delivered'> | Of<'message.refused'>,
): Session {
  const { messages } = session;
  const known = messages.some(({ id }) => id === fact.message);
  if (fact.type === 'message.promised') {
    if (known) return session;
    return { ...session, messages: [...messages, { id: fact.message, fact: fact.id, text: fact.text, at: fact.at }] };
  }
  return known ? { ...session, messages: messages.filter(({ id }) => id !== fact.message) } : session;
}

/** One wish at a time: who comes second finds that it did not become the session's. */
function wanted(session: Session, fact: Of<'move.wanted'>): Session {
  if (session.wish !== undefined || !isMovable(session, fact.to)) return session;
  const { id, at, to, worktree } = fact;
  return { ...session, wish: { fact: id, to, at, ...(worktree !== undefined && { worktree }) } };
}

/** Whether the worktree may be moved there: nothing of the session goes on, and there is something to move. */
function isMovable({ move, archive, turns, runs }: Session, to: Move['to']): boolean {
  if (move !== undefined || turns.some(isOpen)) return false;
  if (runs.some(({ agent, exit }) => agent !== undefined && exit === undefined)) return false;
  if (to === 'trash') return archive === undefined;
  return archive !== undefined && (to === 'worktree' || archive.purgedAt === undefined);
}

function moving(session: Session, fact: Of<'session.moving'>): Session {
  const { move, archive, wish } = session;
  // What somebody wants goes before what is done by itself, such as the deletion of what is old.
  if (wish !== undefined && wish.to !== fact.to) return session;
  const replaces = move !== undefined && fact.replaces === move.fact && fact.to === move.to;
  if (!replaces && !isMovable(session, fact.to)) {
    return session;
  }
  const { id, at, to, worktree, by } = fact;
  const next = {
    ...without(session, 'wish'),
    move: { fact: id, to, by: by.process, at, worktree, archive: fact.archive },
  };
  if (to !== 'trash') {
    return next;
  }
  const before = archive?.before ?? { status: session.status, evidence: session.evidence };
  const detail = say('moving-to-trash');
  return withStatus({ ...next, archive: { ...fact.archive, at, before } }, 'archived', fact, detail);
}

function moved(
  session: Session,
  move: Move,
  fact: Of<'session.archived'> | Of<'session.restored'> | Of<'session.purged'>,
): Session {
  const { archive } = session;
  const settled = without(session, 'move');
  if (archive === undefined) {
    return settled;
  }
  switch (fact.type) {
    case 'session.archived':
      return withStatus(settled, 'archived', fact, say('session-archived'));
    case 'session.purged': {
      const purged = { ...settled, archive: { ...archive, purgedAt: fact.at } };
      return withStatus(purged, 'archived', fact, fact.note ?? say('files-deleted'));
    }
    case 'session.restored':
      return { ...without(settled, 'archive'), worktree: move.worktree, ...archive.before };
  }
}

/** What is learnt of an archived session's last turn, such as its judgement, shows when the session is back. */
function behindArchive(session: Session, next: Session): Session {
  const { archive, status, evidence } = session;
  return archive === undefined || next.evidence === evidence
    ? next
    : { ...next, status, evidence, archive: { ...archive, before: { status: next.status, evidence: next.evidence } } };
}

type RunFact = Of<'keeper.started'> | Of<'agent.started'> | Of<'agent.identified'> | Of<'run.exited'>;

function runFact(session: Session, fact: RunFact): Session {
  const run = session.runs[fact.run - 1];
  if (run === undefined || (run.exit !== undefined && fact.type !== 'agent.identified')) {
    return session;
  }
  const put = (change: Partial<Run>): Session => ({
    ...session,
    runs: session.runs.with(fact.run - 1, { ...run, ...change }),
  });
  switch (fact.type) {
    case 'keeper.started':
      return put({ keeper: { process: fact.keeper, socket: fact.socket, at: fact.at } });
    case 'agent.started': {
      const reads = fact.reads === undefined ? {} : { reads: fact.reads };
      const started = put({ agent: { process: fact.agent, at: fact.at, ...reads } });
      const turn = session.turns.findLast(({ claim }) => claim?.run === fact.run);
      return turn === undefined || !isLive(turn)
        ? started
        : begun(started, turn, fact, say('agent-running', { pid: fact.agent.pid }));
    }
    case 'agent.identified':
      return fact.agentSession === session.agentSession || isOldNews(session, fact)
        ? session
        : { ...session, agentSession: fact.agentSession };
    case 'run.exited': {
      const over = put({ exit: fact.exit });
      const turn = session.turns.findLast(({ claim }) => claim?.run === fact.run);
      if (turn === undefined) return over;
      if (isLive(turn)) {
        const isUnread = run.agent !== undefined && turn.begunAt === undefined;
        return exited(withTurn(over, turn, { exit: fact.exit, endedAt: fact.exit.endedAt }), fact, isUnread);
      }
      // The agent was stopped while it waited for more.
      return session.status === 'stopping' && turn === lastTurn(session) ? exited(over, fact, false) : over;
    }
  }
}

/** Whether another run has begun since, or is to begin another conversation. */
function isOldNews(session: Session, { run }: Of<'agent.identified'>): boolean {
  const turn = lastTurn(session);
  return run !== session.runs.length || (turn !== undefined && !turn.resumes && turn.claim?.run !== run);
}

type TurnFact =
  | Of<'turn.claimed'>
  | Of<'turn.withdrawn'>
  | Of<'turn.begun'>
  | Of<'turn.stopping'>
  | Of<'turn.ended'>
  | Of<'turn.judged'>;

function turnFact(session: Session, fact: TurnFact, now: Circumstances): Session {
  const turn = session.turns[fact.turn - 1];
  if (turn === undefined) {
    return session;
  }
  switch (fact.type) {
    case 'turn.claimed':
      return claimed(session, turn, fact, now);
    case 'turn.withdrawn': {
      if (turn.withdrawn !== undefined || turn.begunAt !== undefined) {
        return session;
      }
      const { reason, code, why, at } = fact;
      const withdrawn = withTurn(session, turn, { withdrawn: { reason, code, why, at } });
      return withStatus(withdrawn, reason === 'failed' ? 'failed' : 'stopped', fact, why);
    }
    case 'turn.begun':
      return isLive(turn) && turn.begunAt === undefined ? begun(session, turn, fact, say('prompt-given')) : session;
    case 'turn.stopping':
      return isStoppable(session, turn) && turn.stoppingAt === undefined
        ? withStatus(withTurn(session, turn, { stoppingAt: fact.at }), 'stopping', fact, say('stop-requested'))
        : session;
    case 'turn.ended':
      return isLive(turn) && turn.begunAt !== undefined
        ? withStatus(withTurn(session, turn, { endedAt: fact.at }), 'idle', fact, say('turn-finished'))
        : session;
    case 'turn.judged':
      return turn.endedAt !== undefined && turn.judgement === undefined
        ? judged(withTurn(session, turn, { judgement: fact.judgement }), turn, fact)
        : session;
  }
}

/**
 * Takes a queued turn, or one that was claimed under another lead and whose agent never had the prompt.
 * It opens a new run, or uses the one that goes on.
 */
function claimed(session: Session, turn: Turn, fact: Of<'turn.claimed'>, { live, lead }: Circumstances): Session {
  const { claim } = turn;
  if (lead === undefined) return session;
  const inherits = claim !== undefined && isLive(turn) && turn.begunAt === undefined && claim.lead !== lead.fact;
  const mayStart = inherits || (isQueued(turn) && live < fact.limit);
  const run = session.runs[fact.run - 1];
  const goesOn = run?.agent !== undefined && run.exit === undefined && fact.run === session.runs.length;
  const isNew = fact.run === session.runs.length + 1;
  if (!mayStart || !(isNew || goesOn)) {
    return session;
  }
  const next = withTurn(session, turn, {
    claim: { fact: fact.id, lead: lead.fact, by: fact.by.process, at: fact.at, run: fact.run },
  });
  const opened = isNew ? { ...next, runs: [...next.runs, { number: fact.run }] } : next;
  // Who asked for a stop while it was queued still sees that stop, and who leads has to act on it.
  if (turn.stoppingAt !== undefined) return opened;
  return session.worktreeReadyAt === undefined
    ? withStatus(opened, 'preparing', fact, say('creating-worktree'))
    : withStatus(opened, 'starting', fact, say('starting-agent'));
}

function begun(session: Session, turn: Turn, fact: SessionFact, detail: Saying): Session {
  const next = withTurn(session, turn, { begunAt: fact.at });
  return withStatus(next, turn.stoppingAt === undefined ? 'working' : 'stopping', fact, detail);
}

/**
 * What the exit alone says, until the adapter has judged the output.
 * @param isUnread the run went on from an earlier turn, and ended before it was given the prompt of this one.
 */
function exited(session: Session, fact: Of<'run.exited'>, isUnread: boolean): Session {
  const { exit } = fact;
  const how = exit.problem ?? howExited(exit);
  if (exit.stop !== undefined) {
    return withStatus(session, 'stopped', fact, how);
  }
  if (exit.problem !== undefined) {
    return withStatus(session, exit.startedAt === null ? 'failed' : 'lost', fact, how);
  }
  if (isUnread) {
    return withStatus(session, 'failed', fact, say('ended-before-prompt'));
  }
  return withStatus(session, exit.code === 0 ? 'idle' : 'failed', fact, how);
}

/** What the operating system says of the agent's end. */
function howExited({ code, signal }: ExitRecord): Saying {
  if (signal !== null) return say('ended-by', { signal });
  return code === null ? say('never-started') : say('exited', { exit: code });
}

function judged(session: Session, turn: Turn, fact: Of<'turn.judged'>): Session {
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

function withTurn(session: Session, turn: Turn, change: Partial<Turn>): Session {
  return { ...session, turns: session.turns.with(turn.number - 1, { ...turn, ...change }) };
}

function withStatus(session: Session, status: Status, fact: SessionFact, detail: Saying): Session {
  return { ...session, status, evidence: { type: fact.type, at: fact.at, detail } };
}

/** The session without an optional field. */
function without<K extends 'wish' | 'move' | 'archive' | 'agentSession'>(session: Session, key: K): Omit<Session, K> {
  const { [key]: _left, ...rest } = session;
  return rest;
}
