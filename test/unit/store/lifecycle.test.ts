import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sessionId } from '../../../src/platform/ids.ts';
import { FACTS, type SessionFact, type SessionFactBody } from '../../../src/store/facts.ts';
import type { ExitRecord, Judgement, MoveTo, Session, Status } from '../../../src/store/model.ts';
import { isLive, isOpen, isOpenRun, isQueued, lastTurn, reduce, runOf } from '../../../src/store/lifecycle.ts';
import { quoted, textOf } from '../../../src/words/saying.ts';
import {
  agentStarted,
  claimed,
  created,
  exited,
  fact,
  keeper,
  keeperStarted,
  otherWindow,
  requested,
  stop,
  where,
  window,
} from './facts.ts';

const id = sessionId();
const ready = { type: 'worktree.ready' } as const;
const stopping = (turn: number) => ({ type: 'turn.stopping', turn }) as const;
const withdrawn = (turn: number, reason: 'cancelled' | 'failed' = 'cancelled') =>
  ({ type: 'turn.withdrawn', turn, reason, code: reason, why: quoted(`because ${reason}`) }) as const;
const identified = (run: number, agentSession: string) => ({ type: 'agent.identified', run, agentSession }) as const;
const judged = (turn: number, judgement: Partial<Judgement> = {}) =>
  ({ type: 'turn.judged', turn, judgement: { outcome: 'completed', summary: quoted('Done.'), ...judgement } }) as const;

function play(...bodies: SessionFactBody[]): Session {
  let session: Session | undefined;
  for (const body of bodies) session = reduce(session, fact(id, body), where());
  assert.ok(session);
  return session;
}

const running: SessionFactBody[] = [created, requested(1), claimed(1), ready, keeperStarted(1), agentStarted(1)];

/** That a fact changes nothing: every reader of it stays where it was. */
function assertVoid(session: Session, body: SessionFactBody, live = 0): void {
  assert.equal(reduce(session, fact(id, body), where({ live })), session, `${body.type} is void`);
}

describe('the way of a session', () => {
  it('goes from the request to the work and to idle, each status with the fact that it rests on', () => {
    const steps: [SessionFactBody, Status, RegExp][] = [
      [created, 'lost', /session was created without a turn/],
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
      session = reduce(session, next, where());
      assert.equal(session?.status, status, body.type);
      assert.match(textOf(session.evidence.detail), detail);
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
    assert.match(textOf(second.evidence.detail), /Starting the agent/);
  });

  it('tells who claimed a turn and which processes run it', () => {
    const claim = fact(id, claimed(1));
    const session = reduce(play(created, requested(1)), claim, where());
    const { process } = claim.by;
    assert.deepEqual(session && lastTurn(session)?.claim, {
      fact: claim.id,
      lead: 'the lead',
      by: process,
      at: claim.at,
      run: 1,
    });
    const started = play(...running);
    const run = runOf(started, lastTurn(started)!);
    assert.equal(run?.keeper?.process.pid, 300);
    assert.equal(run.keeper.socket, '/run/treeline/a.sock');
    assert.deepEqual([run.agent?.process.pid, run.agent?.process.start], [400, 'boot 4']);
  });

  it('takes what a window knew of it where the journal knows less, and nothing else', () => {
    const known = play(...running, exited(1));
    const fromWindow = { type: 'session.known', known } as const;
    assert.deepEqual(reduce(undefined, fact(id, fromWindow), where()), known);
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
    ['no start', { startedAt: null, code: null, problem: quoted('There is no such program.') }, 'failed'],
    ['a lost keeper', { code: null, problem: quoted('The keeper was killed.') }, 'lost'],
    ['a lost keeper while it was stopped', { code: null, stop, problem: quoted('The keeper was killed.') }, 'stopped'],
  ];
  for (const [name, exit, status] of byExit) {
    it(`by ${name} alone reads ${status}`, () => {
      const session = play(...running, exited(1, exit));
      assert.equal(session.status, status);
      assert.equal(session.evidence.type, 'run.exited');
      if (exit.problem !== undefined) assert.deepEqual(session.evidence.detail, exit.problem);
    });
  }

  const byJudgement: [string, Partial<Judgement>, Partial<ExitRecord>, Status][] = [
    ['completed', { outcome: 'completed' }, {}, 'idle'],
    ['completed despite its exit code', { outcome: 'completed' }, { code: 1 }, 'idle'],
    ['waiting for an answer', { attention: { for: 'input', what: quoted('Which?') } }, {}, 'needs-input'],
    ['waiting for permission', { attention: { for: 'permission', what: quoted('rm?') } }, {}, 'needs-permission'],
    ['failed despite code 0', { outcome: 'failed' }, {}, 'failed'],
    [
      'failed, whatever it waits for',
      { outcome: 'failed', attention: { for: 'input', what: quoted('?') } },
      {},
      'failed',
    ],
    ['interrupted', { outcome: 'interrupted' }, { stop }, 'stopped'],
    ['killed by us', { outcome: 'killed' }, { code: null, signal: 'SIGKILL', stop }, 'stopped'],
    ['killed by somebody else', { outcome: 'killed' }, { code: null, signal: 'SIGKILL' }, 'failed'],
    ['unknown', { outcome: 'unknown' }, {}, 'lost'],
    ['unknown after a stop', { outcome: 'unknown' }, { stop }, 'stopped'],
    ['completed, but nobody saw its end', { outcome: 'completed' }, { code: null, problem: quoted('gone') }, 'lost'],
  ];
  for (const [name, judgement, exit, status] of byJudgement) {
    it(`judged ${name} is ${status}`, () => {
      const session = play(...running, exited(1, exit), judged(1, judgement));
      assert.equal(session.status, status);
      assert.equal(lastTurn(session)?.judgement?.outcome, judgement.outcome ?? 'completed', 'the judgement is kept');
    });
  }

  it('shows what the agent waits for as the evidence', () => {
    const session = play(
      ...running,
      exited(1),
      judged(1, { attention: { for: 'input', what: quoted('Which database?') } }),
    );
    assert.equal(textOf(session.evidence.detail), 'Which database?');
  });

  it('leaves the status to a later turn that has begun', () => {
    const session = play(...running, exited(1), requested(2), judged(1, { outcome: 'failed' }));
    assert.equal(session.status, 'queued');
    assert.equal(session.turns[0]?.judgement?.outcome, 'failed');
  });

  it('is what a withdrawal says', () => {
    assert.equal(play(created, requested(1), withdrawn(1)).status, 'stopped');
    const failed = play(created, requested(1), claimed(1), withdrawn(1, 'failed'));
    assert.deepEqual([failed.status, textOf(failed.evidence.detail)], ['failed', 'because failed']);
    assert.equal(isOpen(lastTurn(failed)!), false);
  });
});

describe('a stop', () => {
  it('shows until the turn is over', () => {
    const session = play(...running, stopping(1));
    assert.equal(session.status, 'stopping');
    assert.equal(reduce(session, fact(id, exited(1, { stop })), where())?.status, 'stopped');
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
    assert.equal(
      play(created, requested(1, { agentSession: 'given' }), claimed(1), identified(1, 'own')).agentSession,
      'own',
    );
  });

  it('stays for a resume, and goes with a fresh conversation', () => {
    const first = [...running, identified(1, 'own'), exited(1)];
    assert.equal(play(...first, requested(2, { resumes: true })).agentSession, 'own');
    const fresh = play(...first, requested(2, { resumes: false }));
    assert.equal(fresh.agentSession, undefined);
    assert.equal('agentSession' in fresh, false);
  });

  it('of an earlier run is news for who resumes it, and not for a fresh conversation', () => {
    const ended = [...running, exited(1)];
    assert.equal(play(...ended, requested(2), identified(1, 'late')).agentSession, 'late');
    assertVoid(play(...ended, requested(2, { resumes: false })), identified(1, 'late'));
    assertVoid(play(...ended, requested(2), claimed(2)), identified(1, 'late'));
  });
});

describe('void facts', () => {
  it('without a session are nothing', () => {
    for (const body of running.slice(1)) assert.equal(reduce(undefined, fact(id, body), where()), undefined);
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
    assert.notEqual(reduce(over, fact(id, requested(2)), where()), over);
  });

  it('do not claim over the limit, twice, or what is over', () => {
    const session = play(created, requested(1));
    assertVoid(session, claimed(1, 6), 6);
    assertVoid(session, claimed(1, 0), 0);
    assert.notEqual(reduce(session, fact(id, claimed(1, 6)), where({ live: 5 })), session);
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
const then = (session: Session, ...facts: SessionFact[]): Session =>
  facts.reduce<Session>((before, next) => reduce(before, next, where()) ?? before, session);
const done = (type: 'session.archived' | 'session.restored' | 'session.purged', of: SessionFact) =>
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
    assert.match(textOf(archived.evidence.detail), /files are in the trash/);
  });

  it('gives back all that was when it is undone, and also when it could not be done', () => {
    const back = move('worktree');
    assert.deepEqual(then(archived, back, done('session.restored', back)), { ...ended, facts: archived.facts + 2 });
    assert.deepEqual(then(ended, away, done('session.restored', away)), { ...ended, facts: ended.facts + 2 });
  });

  it('brings the worktree back under another path where that was asked for', () => {
    const elsewhere: SessionFact = { ...move('worktree'), worktree: '/trees/elsewhere' };
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
    const late = then(early, fact(id, judged(1, { outcome: 'failed', summary: quoted('It broke.') })));
    assert.equal(late.status, 'archived');
    const back = move('worktree');
    const restored = then(late, back, done('session.restored', back));
    assert.deepEqual([restored.status, textOf(restored.evidence.detail)], ['failed', 'It broke.']);
  });
});

describe('a turn', () => {
  it('is queued, then live, then neither', () => {
    const flags = (...bodies: SessionFactBody[]): boolean[] => {
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
    const facts: SessionFact[] = [...running, stopping(1), exited(1, { stop }), judged(1)].map((body) =>
      fact(id, body),
    );
    let session: Session | undefined;
    for (const next of facts) {
      const before = structuredClone(session);
      const held = session;
      session = reduce(session, next, where());
      assert.deepEqual(held, before);
    }
  });
});

const begun = (turn: number) => ({ type: 'turn.begun', turn }) as const;
const endedTurn = (turn: number) => ({ type: 'turn.ended', turn }) as const;

describe('a run that serves several turns', () => {
  const first = [...running, endedTurn(1), judged(1)];
  const second = [...first, requested(2), claimed(2, 6, 1)];

  it('goes on when a turn ends, and gives the next its prompt', () => {
    const between = play(...first);
    assert.deepEqual([between.status, textOf(between.evidence.detail)], ['idle', 'Done.']);
    assert.ok(isOpenRun(between, between.runs[0]!));
    assert.equal(isOpen(lastTurn(between)!), false);
    const claim = play(...second);
    assert.equal(claim.status, 'starting');
    assert.equal(runOf(claim, lastTurn(claim)!), claim.runs[0]);
    assert.equal(claim.runs.length, 1);
    const working = play(...second, begun(2));
    assert.deepEqual([working.status, isLive(lastTurn(working)!)], ['working', true]);
    assert.equal(play(...second, begun(2), endedTurn(2)).status, 'idle');
  });

  it('ends without a say in the status of turns that were over', () => {
    const before = play(
      ...second,
      begun(2),
      endedTurn(2),
      judged(2, { attention: { for: 'input', what: quoted('Which?') } }),
    );
    const after = reduce(before, fact(id, exited(1, { code: 1 })), where())!;
    assert.deepEqual([after.status, after.evidence], [before.status, before.evidence]);
    assert.equal(after.turns, before.turns);
    assert.equal(after.runs[0]?.exit?.code, 1);
    assert.equal(isOpenRun(after, after.runs[0]), false);
  });

  it('can be stopped while it waits for more', () => {
    const stopped = play(...first, stopping(1));
    assert.equal(stopped.status, 'stopping');
    assert.equal(reduce(stopped, fact(id, exited(1, { stop })), where())?.status, 'stopped');
    assertVoid(play(...first, exited(1)), stopping(1));
    // A turn that waits for another run is none of its business.
    const queued = play(...first, requested(2), stopping(2));
    assert.equal(reduce(queued, fact(id, exited(1, { stop })), where())?.evidence, queued.evidence);
  });

  it('ends the turn that it serves when it ends', () => {
    const session = play(...second, begun(2), exited(1, { code: 1 }));
    assert.equal(session.status, 'failed');
    assert.deepEqual([session.turns[0]?.exit, session.turns[1]?.exit?.code], [undefined, 1]);
  });

  it('that ends before it has the prompt has not done what was asked', () => {
    const session = play(...second, exited(1));
    assert.deepEqual(
      [session.status, textOf(session.evidence.detail)],
      ['failed', 'The agent exited before it was given the prompt.'],
    );
    assert.equal(play(...second, exited(1, { stop })).status, 'stopped');
  });

  it('takes no turn when it is over, when it has not begun, or when another came after it', () => {
    assertVoid(play(...first, exited(1), requested(2)), claimed(2, 6, 1));
    assertVoid(play(created, requested(1), claimed(1), withdrawn(1), requested(2)), claimed(2, 6, 1));
    const later = [...first, exited(1), requested(2), claimed(2), agentStarted(2), endedTurn(2), requested(3)];
    assertVoid(play(...later), claimed(3, 6, 1));
    assertVoid(play(...later), claimed(3, 6, 4));
    assert.equal(lastTurn(play(...later, claimed(3, 6, 2)))?.claim?.run, 2);
  });

  it('gives a turn its prompt once, and ends only what it began', () => {
    assertVoid(play(...second, begun(2)), begun(2));
    assertVoid(play(...second), endedTurn(2));
    assertVoid(play(...second, begun(2)), endedTurn(1));
    assertVoid(play(...first), begun(2));
  });

  it('keeps the worktree where it is until it is over', () => {
    const wants = { type: 'move.wanted', to: 'trash' } as const;
    assertVoid(play(...first), wants);
    assertVoid(play(...first), { type: 'session.moving', to: 'trash', worktree: created.worktree, archive: place });
    assert.equal(play(...first, exited(1), wants).wish?.to, 'trash');
  });
});

describe('who leads', () => {
  const bySuccessor = where({ lead: { fact: 'the next lead', by: otherWindow.process } });
  const claims = (run: number): SessionFact => fact(id, claimed(1, 6, run), otherWindow);

  it('alone claims turns and moves worktrees', () => {
    const queued = play(created, requested(1));
    const over = play(...running, exited(1));
    const claim = fact(id, claimed(1));
    const others = [otherWindow.process, { ...claim.by.process, host: 'another machine' }];
    for (const lead of [undefined, ...others.map((by) => ({ fact: 'a lead', by }))]) {
      assert.equal(reduce(queued, claim, where({ lead })), queued);
      assert.equal(reduce(over, move('trash'), where({ lead })), over);
    }
    assert.notEqual(reduce(queued, claim, where()), queued);
    assert.notEqual(reduce(over, move('trash'), where()), over);
  });

  it('claims anew what somebody claimed who leads no longer, as long as the agent never had the prompt', () => {
    const before = play(created, requested(1), claimed(1), ready, keeperStarted(1));
    const after = reduce(before, claims(2), { ...bySuccessor, live: 6 });
    assert.ok(after !== before && after !== undefined, 'also with no place free: the turn has one');
    const turn = lastTurn(after)!;
    assert.deepEqual([turn.claim?.by, turn.claim?.run], [otherWindow.process, 2]);
    assert.deepEqual([after.status, after.runs.length], ['starting', 2]);
    // What the keeper of the first claim still says is not said of the turn.
    const late = reduce(after, fact(id, agentStarted(1), keeper), bySuccessor)!;
    assert.equal(lastTurn(late)?.begunAt, undefined);
    assert.equal(reduce(late, fact(id, exited(1), keeper), bySuccessor)?.status, 'starting');
    assert.equal(reduce(after, fact(id, agentStarted(2), keeper), bySuccessor)?.status, 'working');
  });

  it('claims nothing anew that it claimed itself, that began, or that is over', () => {
    assertVoid(play(created, requested(1), claimed(1)), claimed(1, 6, 2));
    for (const session of [play(...running), play(...running, exited(1)), play(created, requested(1), withdrawn(1))]) {
      assert.equal(reduce(session, claims(session.runs.length + 1), bySuccessor), session);
    }
  });
});

describe('a message', () => {
  const promised = (message: string) =>
    ({ type: 'message.promised', message, text: `the text of ${message}` }) as const;
  const waiting = (...bodies: SessionFactBody[]): string[] =>
    play(...running, ...bodies).messages.map((message) => message.id);

  it('waits from its promise until it is delivered or refused, in the order of the promises', () => {
    assert.deepEqual(waiting(promised('a'), promised('b'), promised('c')), ['a', 'b', 'c']);
    const delivered = { type: 'message.delivered', message: 'b', run: 1 } as const;
    assert.deepEqual(waiting(promised('a'), promised('b'), promised('c'), delivered), ['a', 'c']);
    const refused = { type: 'message.refused', message: 'a', code: 'over', why: quoted('The agent exited.') } as const;
    assert.deepEqual(waiting(promised('a'), promised('b'), refused), ['b']);
    assertVoid(play(...running), delivered);
    assertVoid(play(...running), refused);
  });

  it('is promised once', () => {
    assertVoid(play(...running, promised('a')), promised('a'));
  });

  it('leaves the status alone, and outlives the turn', () => {
    const session = play(...running, promised('a'), exited(1));
    assert.deepEqual([session.status, session.messages.length], ['idle', 1]);
  });
});

describe('a wish to move the worktree', () => {
  const wants = (to: MoveTo, worktree?: string) =>
    ({ type: 'move.wanted', to, ...(worktree !== undefined && { worktree }) }) as const;
  const over = play(...running, exited(1));
  const wish = fact(id, wants('trash'));

  it('is one at a time: who comes second sees that it is not theirs', () => {
    const session = then(over, wish);
    assert.equal(session.wish?.fact, wish.id);
    assert.equal(then(session, fact(id, wants('trash'), otherWindow)), session);
    assert.equal(session.status, over.status, 'nothing has moved yet');
  });

  it('is gone when it is refused, and when the move begins', () => {
    const session = then(over, wish);
    const refused = (intent: string) =>
      fact(id, { type: 'intent.refused', intent, code: 'no-space', why: quoted('The disk is full.') });
    assert.equal(then(session, refused('another')), session);
    assert.equal(then(session, refused(wish.id)).wish, undefined);
    const moving = then(session, move('trash'));
    assert.deepEqual([moving.wish, moving.move?.to], [undefined, 'trash']);
  });

  it('goes before what is done by itself: what somebody wants back is not deleted meanwhile', () => {
    const away = move('trash');
    const archived = then(over, away, done('session.archived', away), fact(id, wants('worktree')));
    assert.equal(then(archived, move('nowhere')), archived);
    assert.equal(then(archived, move('worktree')).move?.to, 'worktree');
  });

  it('is void where it cannot come true', () => {
    assertVoid(over, wants('worktree'));
    assertVoid(over, wants('nowhere'));
    assertVoid(play(...running), wants('trash'));
    assertVoid(then(over, move('trash')), wants('trash'));
  });

  it('names the place to come back to', () => {
    const away = move('trash');
    const archived = then(over, away, done('session.archived', away));
    assert.equal(then(archived, fact(id, wants('worktree', '/trees/elsewhere'))).wish?.worktree, '/trees/elsewhere');
  });
});

describe('whose word counts', () => {
  const message = 'a message';
  const promised = { type: 'message.promised', message, text: 'and the tests' } as const;
  const wants = { type: 'move.wanted', to: 'trash' } as const;
  const claims = [created, requested(1), claimed(1)];
  const live = [...running, { type: 'turn.ended', turn: 1 }, requested(2), claimed(2, 6, 1)] as const;
  /** A session about which the fact says something, for each type. */
  const told: Partial<Record<SessionFactBody['type'], readonly [Session, SessionFactBody]>> = {};
  const tell = (body: SessionFactBody, ...before: SessionFactBody[]): void => {
    told[body.type] = [play(...before), body];
  };
  tell({ type: 'session.renamed', name: 'Better' }, created);
  tell(ready, ...claims);
  tell(requested(1), created);
  tell(claimed(1), created, requested(1));
  tell(withdrawn(1), ...claims);
  tell(keeperStarted(1), ...claims);
  tell(agentStarted(1), ...claims, ready, keeperStarted(1));
  tell(identified(1, 'conversation'), ...running);
  tell({ type: 'turn.begun', turn: 2 }, ...live);
  tell(stopping(1), ...running);
  tell({ type: 'turn.ended', turn: 1 }, ...running);
  tell(exited(1), ...running);
  tell(judged(1), ...running, exited(1));
  tell(promised, ...running);
  tell({ type: 'message.delivered', message, run: 1 }, ...running, promised);
  tell({ type: 'message.refused', message, code: 'not-running', why: quoted('It has ended.') }, ...running, promised);
  tell(wants, ...running, exited(1));
  const wanted = play(...running, exited(1), wants);
  const refused = {
    type: 'intent.refused',
    intent: wanted.wish!.fact,
    code: 'busy',
    why: quoted('It is busy.'),
  } as const;
  told['intent.refused'] = [wanted, refused];
  const moving = { type: 'session.moving', to: 'trash', worktree: '/trees/a', archive: { files: '/trash/a' } } as const;
  told['session.moving'] = [wanted, moving];
  const moved = reduce(wanted, fact(id, moving), where())!;
  for (const type of ['session.archived', 'session.restored', 'session.purged'] as const) {
    told[type] = [moved, { type, move: moved.move!.fact }];
  }

  for (const [type, { about, entitled }] of Object.entries(FACTS)) {
    // The first makes the session that all others are about; the second is what a window knows already.
    if (about !== 'session' || type === 'session.created' || type === 'session.known') continue;
    it(`${type}: ${entitled === 'keeper' ? 'who leads and the keeper of the run' : entitled}`, () => {
      const [before, body] = told[type as SessionFactBody['type']] ?? assert.fail(`no session for ${type}`);
      const counts = (by: typeof otherWindow, now = where()): boolean =>
        reduce(before, fact(id, body, by), now) !== before;
      assert.ok(counts(window), 'of who leads');
      assert.equal(counts(otherWindow), entitled === 'anybody', 'of another window');
      assert.equal(counts(keeper), entitled !== 'leader', 'of the keeper');
      assert.equal(counts(window, where({ lead: undefined })), entitled === 'anybody', 'of who led, while nobody does');
      const next = where({ lead: { fact: 'the next lead', by: otherWindow.process } });
      assert.equal(counts(window, next), entitled === 'anybody', 'of who led before');
    });
  }

  it('a run has one keeper: what another one says of it is void', () => {
    const stranger = { role: 'keeper', process: { pid: 301, start: 'boot 3' } };
    const session = play(...running);
    assert.equal(reduce(session, fact(id, exited(1), stranger), where()), session);
    // Unless the journal has lost which one it is.
    const lost = play(created, requested(1), claimed(1), ready);
    assert.equal(reduce(lost, fact(id, agentStarted(1), stranger), where())?.status, 'working');
  });
});
