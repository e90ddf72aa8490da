import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sessionId } from '../../../src/platform/ids.ts';
import type { Fact, FactBody } from '../../../src/store/facts.ts';
import type { ExitRecord, Judgement, MoveTo, Session, Status } from '../../../src/store/model.ts';
import { isLive, isOpen, isQueued, lastTurn, reduce } from '../../../src/store/lifecycle.ts';
import { agentStarted, claimed, created, exited, fact, keeperStarted, otherWindow, requested, stop } from './facts.ts';

const id = sessionId();
const ready = { type: 'worktree.ready' } as const;
const stopping = (turn: number) => ({ type: 'turn.stopping', turn }) as const;
const withdrawn = (turn: number, reason: 'cancelled' | 'failed' = 'cancelled') =>
  ({ type: 'turn.withdrawn', turn, reason, message: `because ${reason}` }) as const;
const identified = (turn: number, agentSession: string) => ({ type: 'agent.identified', turn, agentSession }) as const;
const judged = (turn: number, judgement: Partial<Judgement> = {}) =>
  ({ type: 'turn.judged', turn, judgement: { outcome: 'completed', summary: 'Done.', ...judgement } }) as const;

function play(...bodies: FactBody[]): Session {
  let session: Session | undefined;
  for (const body of bodies) session = reduce(session, fact(id, body), 0);
  assert.ok(session);
  return session;
}

const running: FactBody[] = [created, requested(1), claimed(1), ready, keeperStarted(1), agentStarted(1)];

/** That a fact changes nothing: every reader of it stays where it was. */
function assertVoid(session: Session, body: FactBody, live = 0): void {
  assert.equal(reduce(session, fact(id, body), live), session, `${body.type} is void`);
}

describe('the way of a session', () => {
  it('goes from the request to the work and to idle, each status with the fact that it rests on', () => {
    const steps: [FactBody, Status, RegExp][] = [
      [created, 'lost', /session was created but has no turns/],
      [requested(1), 'queued', /Turn 1 was requested/],
      [claimed(1), 'preparing', /Creating the worktree/],
      [ready, 'starting', /worktree is ready/],
      [keeperStarted(1), 'starting', /worktree is ready/],
      [agentStarted(1), 'working', /process 400/],
      [identified(1, 'conversation'), 'working', /process 400/],
      [exited(1), 'idle', /code 0/],
      [judged(1), 'idle', /Done\./],
    ];
    let session: Session | undefined;
    for (const [body, status, detail] of steps) {
      const next = fact(id, body);
      const before: Session | undefined = session;
      session = reduce(session, next, 0);
      assert.equal(session?.status, status, body.type);
      assert.match(session.evidence.detail, detail);
      const isNew = session.evidence !== before?.evidence;
      if (isNew) assert.deepEqual([session.evidence.type, session.evidence.at], [next.type, next.at]);
    }
    assert.equal(session?.agentSession, 'conversation');
    assert.deepEqual(session.agent, created.agent);
    assert.deepEqual(session.expects, ['report.md']);
  });

  it('starts at once where the worktree is there already', () => {
    const second = play(...running, exited(1), requested(2), claimed(2));
    assert.equal(second.status, 'starting');
    assert.match(second.evidence.detail, /Starting the agent/);
  });

  it('tells who claimed a turn and which processes run it', () => {
    const claim = fact(id, claimed(1), otherWindow);
    const session = reduce(play(created, requested(1)), claim, 0);
    assert.deepEqual(session && lastTurn(session)?.claim, { fact: claim.id, by: otherWindow.process, at: claim.at });
    const turn = lastTurn(play(...running));
    assert.equal(turn?.keeper?.pid, 300);
    assert.equal(turn.keeper.socket, '/run/treeline/a.sock');
    assert.deepEqual([turn.agent?.pid, turn.agent?.start], [400, 'boot 4']);
  });

  it('takes what a window knew of it where the journal knows less, and nothing else', () => {
    const known = play(...running, exited(1));
    const fromWindow = { type: 'session.known', known } as const;
    assert.deepEqual(reduce(undefined, fact(id, fromWindow), 0), known);
    assert.deepEqual(play(...running, fromWindow), known);
    assertVoid(known, fromWindow);
    assertVoid(play(...running, exited(1), judged(1)), fromWindow);
    const again = play(...running, requested(1), claimed(1), ready);
    assert.equal(again.facts, running.length, 'a void fact does not count');
  });

  it('renames, and leaves the status alone', () => {
    const session = play(...running, { type: 'session.renamed', name: 'Better' });
    assert.deepEqual([session.name, session.status], ['Better', 'working']);
  });
});

describe('the end of a turn', () => {
  const byExit: [string, Partial<ExitRecord>, Status][] = [
    ['code 0', {}, 'idle'],
    ['another code', { code: 3 }, 'failed'],
    ['a signal that nobody asked for', { code: null, signal: 'SIGSEGV' }, 'failed'],
    ['a stop', { code: null, signal: 'SIGTERM', stop }, 'stopped'],
    ['a stop that it answered with code 0', { stop }, 'stopped'],
    ['no start', { startedAt: null, code: null, problem: 'There is no such program.' }, 'failed'],
    ['a lost keeper', { code: null, problem: 'The keeper was killed.' }, 'lost'],
    ['a lost keeper while it was stopped', { code: null, stop, problem: 'The keeper was killed.' }, 'stopped'],
  ];
  for (const [name, exit, status] of byExit) {
    it(`by ${name} alone reads ${status}`, () => {
      const session = play(...running, exited(1, exit));
      assert.equal(session.status, status);
      assert.equal(session.evidence.type, 'turn.exited');
      if (exit.problem !== undefined) assert.equal(session.evidence.detail, exit.problem);
    });
  }

  const byJudgement: [string, Partial<Judgement>, Partial<ExitRecord>, Status][] = [
    ['completed', { outcome: 'completed' }, {}, 'idle'],
    ['completed despite its exit code', { outcome: 'completed' }, { code: 1 }, 'idle'],
    ['waiting for an answer', { attention: { for: 'input', what: 'Which?' } }, {}, 'needs-input'],
    ['waiting for permission', { attention: { for: 'permission', what: 'rm?' } }, {}, 'needs-permission'],
    ['failed despite code 0', { outcome: 'failed' }, {}, 'failed'],
    ['failed, whatever it waits for', { outcome: 'failed', attention: { for: 'input', what: '?' } }, {}, 'failed'],
    ['interrupted', { outcome: 'interrupted' }, { stop }, 'stopped'],
    ['killed by us', { outcome: 'killed' }, { code: null, signal: 'SIGKILL', stop }, 'stopped'],
    ['killed by somebody else', { outcome: 'killed' }, { code: null, signal: 'SIGKILL' }, 'failed'],
    ['unknown', { outcome: 'unknown' }, {}, 'lost'],
    ['unknown after a stop', { outcome: 'unknown' }, { stop }, 'stopped'],
    ['completed, but nobody saw its end', { outcome: 'completed' }, { code: null, problem: 'gone' }, 'lost'],
  ];
  for (const [name, judgement, exit, status] of byJudgement) {
    it(`judged ${name} is ${status}`, () => {
      const session = play(...running, exited(1, exit), judged(1, judgement));
      assert.equal(session.status, status);
      assert.equal(lastTurn(session)?.judgement?.outcome, judgement.outcome ?? 'completed', 'the judgement is kept');
    });
  }

  it('shows what the agent waits for as the evidence', () => {
    const session = play(...running, exited(1), judged(1, { attention: { for: 'input', what: 'Which database?' } }));
    assert.equal(session.evidence.detail, 'Which database?');
  });

  it('leaves the status to a later turn that has begun', () => {
    const session = play(...running, exited(1), requested(2), judged(1, { outcome: 'failed' }));
    assert.equal(session.status, 'queued');
    assert.equal(session.turns[0]?.judgement?.outcome, 'failed');
  });

  it('is what a withdrawal says', () => {
    assert.equal(play(created, requested(1), withdrawn(1)).status, 'stopped');
    const failed = play(created, requested(1), claimed(1), withdrawn(1, 'failed'));
    assert.deepEqual([failed.status, failed.evidence.detail], ['failed', 'because failed']);
    assert.equal(isOpen(lastTurn(failed)!), false);
  });
});

describe('a stop', () => {
  it('shows until the turn is over', () => {
    const session = play(...running, stopping(1));
    assert.equal(session.status, 'stopping');
    assert.equal(reduce(session, fact(id, exited(1, { stop })), 0)?.status, 'stopped');
  });

  it('is not hidden by what was under way', () => {
    assert.equal(play(created, requested(1), claimed(1), stopping(1), ready, agentStarted(1)).status, 'stopping');
    assert.equal(play(created, requested(1), stopping(1), claimed(1)).status, 'stopping');
  });
});

describe('the agent session id', () => {
  it('is the given one, then what the agent itself says', () => {
    const given = play(created, requested(1, { agentSession: 'given' }));
    assert.equal(given.agentSession, 'given');
    assert.equal(play(created, requested(1, { agentSession: 'given' }), identified(1, 'own')).agentSession, 'own');
  });

  it('stays for a resume, and goes with a fresh conversation', () => {
    const first = [...running, identified(1, 'own'), exited(1)];
    assert.equal(play(...first, requested(2, { resumes: true })).agentSession, 'own');
    const fresh = play(...first, requested(2, { resumes: false }));
    assert.equal(fresh.agentSession, undefined);
    assert.equal('agentSession' in fresh, false);
  });

  it('of an earlier turn is old news', () => {
    const session = play(...running, exited(1), requested(2));
    assertVoid(session, identified(1, 'late'));
  });
});

describe('void facts', () => {
  it('without a session are nothing', () => {
    for (const body of running.slice(1)) assert.equal(reduce(undefined, fact(id, body), 0), undefined);
  });

  it('do not create a session again', () => {
    assertVoid(play(created), { ...created, name: 'another' });
  });

  it('do not request a turn twice, out of order, or while one is open', () => {
    const session = play(created, requested(1));
    assertVoid(session, requested(1));
    assertVoid(session, requested(2));
    assertVoid(session, requested(3));
    assertVoid(play(...running), requested(2));
    const over = play(...running, exited(1));
    assertVoid(over, requested(1));
    assertVoid(over, requested(3));
    assert.notEqual(reduce(over, fact(id, requested(2)), 0), over);
  });

  it('do not claim over the limit, twice, or what is over', () => {
    const session = play(created, requested(1));
    assertVoid(session, claimed(1, 6), 6);
    assertVoid(session, claimed(1, 0), 0);
    assert.notEqual(reduce(session, fact(id, claimed(1, 6)), 5), session);
    assertVoid(play(created, requested(1), claimed(1)), claimed(1));
    assertVoid(play(created, requested(1), withdrawn(1)), claimed(1));
  });

  it('say nothing of a turn that does not exist', () => {
    const about = [claimed(2), withdrawn(2), keeperStarted(2), agentStarted(2), identified(2, 'x'), stopping(2)];
    for (const body of [...about, exited(2), judged(2)]) assertVoid(play(...running), body);
  });

  it('say nothing of a turn that is over', () => {
    const over = play(...running, exited(1), judged(1));
    const about = [claimed(1), withdrawn(1), keeperStarted(1), agentStarted(1), stopping(1), exited(1, { code: 9 })];
    for (const body of [...about, judged(1, { outcome: 'failed' })]) assertVoid(over, body);
  });

  it('do not withdraw an agent that runs, judge one, stop twice, make a worktree twice, or rename to the same', () => {
    assertVoid(play(...running), withdrawn(1));
    assertVoid(play(...running), judged(1));
    assertVoid(play(...running, stopping(1)), stopping(1));
    assertVoid(play(...running), ready);
    assertVoid(play(created), { type: 'session.renamed', name: created.name });
  });
});

const place = { files: '/store/trash/a/worktree', branch: created.branch, commit: created.base.commit };
const move = (to: MoveTo, replaces?: string) =>
  fact(id, {
    type: 'session.moving',
    to,
    worktree: created.worktree,
    archive: place,
    ...(replaces !== undefined && { replaces }),
  });
const then = (session: Session, ...facts: Fact[]): Session =>
  facts.reduce<Session>((before, next) => reduce(before, next, 0) ?? before, session);
const done = (type: 'session.archived' | 'session.restored' | 'session.purged', of: Fact) =>
  fact(id, { type, move: of.id });

describe('an archive', () => {
  const ended = play(...running, exited(1), judged(1));
  const away = move('trash');
  const archived = then(ended, away, done('session.archived', away));

  it('begins with the move, says where everything goes, and is over when the move is', () => {
    const moving = then(ended, away);
    assert.equal(moving.status, 'archived');
    assert.deepEqual(moving.move?.by, away.by.process);
    assert.equal(archived.move, undefined);
    assert.equal(archived.archive?.files, place.files);
    assert.match(archived.evidence.detail, /are in the trash/);
  });

  it('gives back all that was when it is undone, and also when it could not be done', () => {
    const back = move('worktree');
    assert.deepEqual(then(archived, back, done('session.restored', back)), { ...ended, facts: archived.facts + 2 });
    assert.deepEqual(then(ended, away, done('session.restored', away)), { ...ended, facts: ended.facts + 2 });
  });

  it('brings the worktree back under another path where that was asked for', () => {
    const elsewhere: Fact = { ...move('worktree'), worktree: '/trees/elsewhere' };
    assert.equal(then(archived, elsewhere, done('session.restored', elsewhere)).worktree, '/trees/elsewhere');
  });

  it('is void while a turn is open, or while it is archived already, and keeps turns from starting', () => {
    const open = play(...running);
    assert.equal(then(open, away), open);
    assert.equal(then(archived, move('trash')), archived);
    assertVoid(archived, requested(2));
    assertVoid(then(ended, away), requested(2));
  });

  it('lets one move happen at a time, and one window take it over', () => {
    const moving = then(ended, away);
    assert.equal(then(moving, move('trash')), moving);
    assert.equal(then(moving, move('worktree', away.id)), moving, 'not in the other direction');
    const first = move('trash', away.id);
    const taken = then(moving, first);
    assert.equal(taken.move?.fact, first.id);
    assert.equal(then(taken, move('trash', away.id)), taken, 'the second to take it over is too late');
    assert.equal(then(taken, done('session.archived', away)), taken, 'who lost it has no say any more');
    assert.deepEqual(then(taken, done('session.restored', first)), { ...ended, facts: ended.facts + 3 });
  });

  it('can be purged once, and restored without its files after that', () => {
    const gone = move('nowhere');
    const purged = then(archived, gone, done('session.purged', gone));
    assert.equal(purged.status, 'archived');
    assert.ok(purged.archive?.purgedAt);
    assert.equal(then(purged, move('nowhere')), purged);
    const back = move('worktree');
    assert.equal(then(purged, back, done('session.restored', back)).archive, undefined);
    assert.equal(then(ended, gone), ended, 'what is not archived cannot be purged');
  });

  it('keeps a judgement that comes late for the time after it', () => {
    const early = then(play(...running, exited(1)), away, done('session.archived', away));
    const late = then(early, fact(id, judged(1, { outcome: 'failed', summary: 'It broke.' })));
    assert.equal(late.status, 'archived');
    const back = move('worktree');
    const restored = then(late, back, done('session.restored', back));
    assert.deepEqual([restored.status, restored.evidence.detail], ['failed', 'It broke.']);
  });
});

describe('a turn', () => {
  it('is queued, then live, then neither', () => {
    const flags = (...bodies: FactBody[]): boolean[] => {
      const turn = lastTurn(play(created, requested(1), ...bodies))!;
      return [isQueued(turn), isLive(turn), isOpen(turn)];
    };
    assert.deepEqual(flags(), [true, false, true]);
    assert.deepEqual(flags(withdrawn(1)), [false, false, false]);
    assert.deepEqual(flags(claimed(1)), [false, true, true]);
    assert.deepEqual(flags(claimed(1), withdrawn(1, 'failed')), [false, false, false]);
    assert.deepEqual(flags(claimed(1), agentStarted(1)), [false, true, true]);
    assert.deepEqual(flags(claimed(1), agentStarted(1), exited(1)), [false, false, false]);
  });

  it('changes without touching what was handed out before', () => {
    const facts: Fact[] = [...running, stopping(1), exited(1, { stop }), judged(1)].map((body) => fact(id, body));
    let session: Session | undefined;
    for (const next of facts) {
      const before = structuredClone(session);
      const held = session;
      session = reduce(session, next, 0);
      assert.deepEqual(held, before);
    }
  });
});
