import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  abilities,
  accessibleLabel,
  contextWords,
  description,
  money,
  tooltipLines,
} from '../../../src/views/session-words.ts';
import { timelineHeader } from '../../../src/views/timeline-header.ts';
import { NOW, READER, activity, ended, reading, session, t } from './fixtures.ts';

describe('what a session is shown as', () => {
  it('says agent, branch, turn and age', () => {
    assert.equal(description(session(), undefined, READER), '3 min · Claude Code · turn 1 · treeline/fix-1');
    assert.equal(
      description(session(), activity({ lastEventAt: NOW - 1000, retrying: true }), READER),
      'now · retrying · Claude Code · turn 1 · treeline/fix-1',
    );
  });

  it('is read aloud status first', () => {
    assert.equal(
      accessibleLabel(session({ status: 'needs-input' }), undefined, READER),
      'Needs your input: Fix the login, 3 min, Claude Code, turn 1, treeline/fix-1',
    );
  });

  it('can be stopped while it runs and resumed when it does not', () => {
    assert.deepEqual(abilities(session()), { stop: true, resume: false, send: false, diff: true });
    assert.deepEqual(abilities(reading()), { stop: true, resume: false, send: true, diff: true });
    assert.deepEqual(abilities(reading({ status: 'stopping' })), {
      stop: false,
      resume: false,
      send: false,
      diff: true,
    });
    assert.deepEqual(abilities(ended()), { stop: false, resume: true, send: false, diff: true });
    const bare = ended();
    Reflect.deleteProperty(bare, 'worktreeReadyAt');
    assert.equal(abilities(bare).diff, false);
  });

  it('carries words for the menus', () => {
    const live = reading();
    assert.equal(contextWords(live, abilities(live)), 'session working live stoppable sendable diff');
    const idle = ended({ agentSession: 'x' });
    assert.equal(contextWords(idle, abilities(idle)), 'session idle resumable diff agentSession archivable');
    const [turn] = session().turns;
    const { claim: _claim, begunAt: _begunAt, ...waiting } = turn!;
    const queued = session({ status: 'queued', turns: [waiting], runs: [] });
    assert.match(contextWords(queued, abilities(queued)), /^session queued waiting stoppable/);
  });

  it('is restored before anything else is done with it, once it is archived', () => {
    const { status, evidence } = ended();
    const archive = { files: '/trash/a', at: NOW, before: { status, evidence } };
    const archived = ended({ status: 'archived', archive });
    assert.deepEqual(abilities(archived), { stop: false, resume: false, send: false, diff: false });
    assert.equal(contextWords(archived, abilities(archived)), 'session archived restorable purgeable');
    const purged = ended({ status: 'archived', archive: { ...archive, purgedAt: NOW } });
    assert.equal(contextWords(purged, abilities(purged)), 'session archived restorable');
  });

  it('gives the evidence of its status, with its age', () => {
    const lines = tooltipLines(
      session({ agentSession: 'abc' }),
      activity({ lastEventAt: NOW - 12_000, lastLine: 'Reading\nfiles', cost: 0.0123, model: 'opus' }),
      READER,
    );
    const values = Object.fromEntries(lines.map(({ label, value }) => [label, value]));
    assert.equal(values['Evidence'], 'The agent is running (process 2). (3 min ago)');
    assert.equal(values['Last output'], 'Reading files (12 sec ago)');
    assert.equal(values['Agent'], 'Claude Code · opus');
    assert.equal(values['Agent session'], 'abc');
    assert.equal(values['Cost'], '$0.0123');
    assert.equal(values['Tokens'], undefined);
  });

  it('shows money with cents, and small amounts with more', () => {
    assert.equal(money(1.5, 'en'), '$1.50');
    assert.equal(money(0.0004, 'en'), '$0.0004');
  });

  it('has a header with the figures that are known', () => {
    const header = timelineHeader(ended(), activity({ model: 'opus', cost: 2 }), abilities(ended()), t);
    assert.equal(header.statusLabel, 'Idle');
    assert.equal(header.startedAt, NOW - 180_000);
    assert.equal(header.endedAt, 2);
    assert.equal(header.rows, 7);
    assert.equal('usage' in header, false);
  });
});
