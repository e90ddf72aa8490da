import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sessionId } from '../../../src/platform/ids.ts';
import { journalFile } from '../../../src/platform/paths.ts';
import type { ProcessId } from '../../../src/platform/process-id.ts';
import { FACTS, type FactBody, type FactEntry, type FactType } from '../../../src/store/facts.ts';
import { JournalReader } from '../../../src/store/journal-reader.ts';
import { Journal } from '../../../src/store/journal.ts';
import { MOVES, OUTCOMES, STATUSES, type Session } from '../../../src/store/model.ts';
import { Store } from '../../../src/store/store.ts';
import { quoted, say } from '../../../src/words/saying.ts';
import { tempDir } from '../support.ts';
import { window } from './facts.ts';

/** With every field that may be absent. */
type Whole<T> = T extends readonly (infer U)[]
  ? readonly Whole<U>[]
  : T extends object
    ? { readonly [K in keyof T]-?: Whole<Exclude<T[K], undefined>> }
    : T;

const id = sessionId();
const process: Whole<ProcessId> = { pid: 7, start: 'boot 7', host: 'here' };
const exit: Whole<NonNullable<Session['turns'][number]['exit']>> = {
  startedAt: 1,
  endedAt: 2,
  code: 3,
  signal: 'SIGTERM',
  stop: { requestedAt: 4, steps: [{ signal: 'SIGTERM', at: 5 }] },
  survivors: [{ pid: 6, command: 'sleep' }],
  expected: [{ path: 'report.md', present: true }],
  problem: quoted('gone'),
};
const judgement: Whole<NonNullable<Session['turns'][number]['judgement']>> = {
  outcome: 'completed',
  summary: quoted('Done.'),
  usage: { input: 1, output: 2, cached: 3 },
  cost: 0.5,
  attention: { for: 'input', what: quoted('Which?') },
  unknownSession: true,
};
const archive = { files: '/trash/a', registration: { from: '/git/a', to: '/git/b' }, branch: 'b', commit: 'c' };
const creation = {
  name: 'Fix the parser',
  agent: { id: 'claude', name: 'Claude Code', format: 'claude' },
  base: { ref: 'main', commit: '0123' },
  worktree: '/trees/a',
  branch: 'treeline/a',
  expects: ['report.md'],
};
const evidence = { type: 'turn.judged', at: 9, detail: say('turn-requested', { turn: 1 }) };

const session: Whole<Session> = {
  id,
  ...creation,
  createdAt: 1,
  worktreeReadyAt: 2,
  agentSession: 'conversation',
  turns: [
    {
      number: 1,
      request: 'the fact',
      requestedBy: process,
      place: 3,
      prompt: 'Do it.',
      text: 'a text',
      requestedAt: 4,
      resumes: true,
      agentSession: 'conversation',
      claim: { fact: 'the claim', lead: 'the lead', by: process, at: 5, run: 1 },
      withdrawn: { reason: 'failed', code: 'undone', why: say('cancelled'), at: 6 },
      begunAt: 7,
      stoppingAt: 8,
      endedAt: 9,
      exit,
      judgement,
    },
  ],
  runs: [{ number: 1, keeper: { process, socket: '/s', at: 1 }, agent: { process, at: 2, reads: 'lines' }, exit }],
  messages: [{ id: 'message', fact: 'its fact', text: 'and the tests', at: 3 }],
  status: 'archived',
  evidence,
  facts: 42,
  foreign: true,
  archive: { ...archive, at: 1, purgedAt: 2, before: { status: 'idle', evidence } },
  move: { fact: 'the move', to: 'trash', by: process, at: 1, worktree: '/trees/a', archive },
  wish: { fact: 'the wish', to: 'trash', worktree: '/trees/b', at: 1 },
};

type BodyOf<T extends FactType> = Omit<Extract<FactBody, { readonly type: T }>, 'type'>;

/** One of each type, whole. */
const BODIES: { readonly [T in FactType]: Whole<BodyOf<T>> } = {
  'session.created': { ...creation, foreign: true },
  'session.renamed': { name: 'Better' },
  'session.known': { known: session },
  'worktree.ready': {},
  'turn.requested': { turn: 1, prompt: 'Do it.', text: 'a text', agentSession: 'conversation', resumes: true },
  'turn.claimed': { turn: 1, run: 1, limit: 6 },
  'turn.withdrawn': { turn: 1, reason: 'cancelled', code: 'cancelled', why: say('cancelled') },
  'keeper.started': { run: 1, keeper: process, socket: '/s' },
  'agent.started': { run: 1, agent: process, reads: 'lines' },
  'agent.identified': { run: 1, agentSession: 'conversation' },
  'turn.begun': { turn: 1 },
  'turn.stopping': { turn: 1 },
  'turn.ended': { turn: 1 },
  'run.exited': { run: 1, exit },
  'turn.judged': { turn: 1, judgement },
  'message.promised': { message: 'message', text: 'and the tests' },
  'message.delivered': { message: 'message', run: 1 },
  'message.refused': { message: 'message', code: 'over', why: quoted('It exited.') },
  'move.wanted': { to: 'trash', worktree: '/trees/b' },
  'session.moving': { to: 'trash', worktree: '/trees/a', archive, replaces: 'another' },
  'session.archived': { move: 'the move' },
  'session.restored': { move: 'the move', note: quoted('a note') },
  'session.purged': { move: 'the move', note: quoted('a note') },
  'intent.refused': { intent: 'the wish', code: 'busy', why: quoted('A turn is open.') },
  'steward.leads': { host: 'window', version: '1', rules: 1, socket: '/s', token: 'a word', replaces: 'another' },
  'steward.retiring': { lead: 'the lead' },
  'steward.left': { lead: 'the lead' },
};

describe('every field that a schema has', () => {
  it('of every type of facts comes back from the journal', async (t) => {
    const file = journalFile(await tempDir(t));
    const journal = new Journal(file, { ...window, process });
    const types = Object.keys(BODIES) as FactType[];
    const entries = types.map((type) => {
      return { type, ...(FACTS[type].about === 'session' && { session: id }), ...BODIES[type] } as FactEntry;
    });
    const written = journal.append(...entries);
    const reader = new JournalReader(file);
    const { facts, damaged } = reader.read();
    assert.deepEqual([facts, damaged, reader.unknown], [written, [], 0]);
    reader.dispose();
    journal.dispose();
  });

  it('of a session comes back from the journal, and from the catalogue', async (t) => {
    const folder = await tempDir(t);
    const journal = new Journal(journalFile(folder), window);
    journal.append({ type: 'session.known', session: id, known: session });
    // So much that the next window reads the catalogue and not the journal.
    const other = sessionId();
    journal.append({ type: 'session.created', session: other, ...creation, name: 'x'.repeat(300_000) });
    journal.dispose();
    const notes: string[] = [];
    const note = (text: string): number => notes.push(text);
    for (const from of ['the journal', 'the catalogue']) {
      const store = Store.open(folder, window, { debug: note, info: note, warn: note, error: note });
      await store.ready;
      assert.deepEqual(store.get(id), session, `from ${from}`);
      store.append({ type: 'session.renamed', session: other, name: from });
      await store.dispose();
    }
    assert.deepEqual(notes, []);
  });
});

describe('a list of words in a fact', () => {
  it('is a matter of that fact’s version', () => {
    // An older build cannot read a word that it does not know. When a list changes, raise the version of each type that
    // carries it, so that older builds pass over such facts and do not call them damaged; then write both down here.
    const carried: [readonly string[], readonly FactType[]][] = [
      [STATUSES, ['session.known']],
      [OUTCOMES, ['session.known', 'turn.judged']],
      [MOVES, ['session.known', 'session.moving', 'move.wanted']],
    ];
    assert.deepEqual(
      carried.map(([words, types]) => [words.join(' '), types.map((type) => FACTS[type].v)]),
      [
        [
          'queued preparing starting working stopping needs-input needs-permission idle stopped failed lost archived',
          [1],
        ],
        ['completed failed interrupted killed unknown', [1, 1]],
        ['trash worktree nowhere', [1, 1, 1]],
      ],
    );
  });

  it('is not what tells who leads: builds of all ages read that', () => {
    const types = ['steward.leads', 'steward.retiring', 'steward.left'] as const;
    assert.deepEqual(
      types.map((type) => FACTS[type].v),
      [1, 1, 1],
    );
  });
});
