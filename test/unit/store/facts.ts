/** Facts for the tests of the store: short to write, whole in form. */
import { factId, sessionId } from '../../../src/platform/ids.ts';
import type { ProcessId } from '../../../src/platform/process-id.ts';
import {
  FACTS,
  RULES,
  type Fact,
  type FactEntry,
  type RepositoryFact,
  type RepositoryFactBody,
  type SessionFact,
  type SessionFactBody,
  type Writer,
} from '../../../src/store/facts.ts';
import type { Circumstances } from '../../../src/store/lifecycle.ts';
import type { ExitRecord } from '../../../src/store/model.ts';
import { quoted } from '../../../src/words/saying.ts';

export const window: Writer = { role: 'window', process: { pid: 100, start: 'boot 1' } };
export const otherWindow: Writer = { role: 'window', process: { pid: 200, start: 'boot 2' } };
export const keeper: Writer = { role: 'keeper', process: { pid: 300, start: 'boot 3' } };

/** What facts are applied under where the test does not care: `window` leads, and nothing is live. */
export function where(more: Partial<Circumstances> = {}): Circumstances {
  return { live: 0, place: 0, lead: { fact: 'the lead', by: window.process }, ...more };
}

let clock = 1_700_000_000_000;

/** What the journal makes of an entry. Each fact is a millisecond after the one before. */
export function factOf(entry: FactEntry, by: Writer = window): Fact {
  return { v: FACTS[entry.type].v, id: factId(), at: ++clock, by, ...entry };
}

/** A fact about a session. */
export function fact<B extends SessionFactBody>(session: string, body: B, by: Writer = window): SessionFact & B {
  return factOf({ session, ...body }, by) as SessionFact & B;
}

/** A fact about the repository. */
export function repositoryFact<B extends RepositoryFactBody>(body: B, by: Writer = window): RepositoryFact & B {
  return factOf(body, by) as RepositoryFact & B;
}

export const leads = (replaces?: string, rules = RULES) =>
  ({
    type: 'steward.leads',
    host: 'window',
    version: '1.2.3',
    rules,
    socket: '/run/treeline/steward.sock',
    token: 'a word',
    ...(replaces !== undefined && { replaces }),
  }) as const satisfies RepositoryFactBody;

export const created = {
  type: 'session.created',
  name: 'Fix the parser',
  agent: { id: 'claude', name: 'Claude Code', format: 'claude' },
  base: { ref: 'main', commit: '0123456789abcdef0123456789abcdef01234567' },
  worktree: '/trees/fix-the-parser',
  branch: 'treeline/fix-the-parser-a1b2c3',
  expects: ['report.md'],
} as const satisfies SessionFactBody;

export const requested = (turn: number, more: { agentSession?: string; resumes?: boolean } = {}) =>
  ({
    type: 'turn.requested',
    turn,
    prompt: `prompt ${turn}`,
    text: `text ${turn}`,
    resumes: turn > 1,
    ...more,
  }) as const satisfies SessionFactBody;

/** The claim of a turn into the run of its own number, or into another. */
export const claimed = (turn: number, limit = 6, run = turn) =>
  ({ type: 'turn.claimed', turn, run, limit }) as const satisfies SessionFactBody;

export const keeperStarted = (run: number) =>
  ({
    type: 'keeper.started',
    run,
    keeper: keeper.process,
    socket: '/run/treeline/a.sock',
  }) as const satisfies SessionFactBody;

const agent: ProcessId = { pid: 400, start: 'boot 4' };

export const agentStarted = (run: number) => ({ type: 'agent.started', run, agent }) as const satisfies SessionFactBody;

export const exit = (more: Partial<ExitRecord> = {}): ExitRecord => ({
  startedAt: 1,
  endedAt: 2,
  code: 0,
  signal: null,
  survivors: [],
  expected: [],
  ...more,
});

export const exited = (run: number, more: Partial<ExitRecord> = {}) =>
  ({ type: 'run.exited', run, exit: exit(more) }) as const satisfies SessionFactBody;

export const stop = { requestedAt: 1, steps: [{ signal: 'SIGTERM', at: 2 }] } as const;

/** Facts of all types at random over a few sessions, many of them void; the first makes the writer lead. */
export function randomFacts(random: () => number, count: number, sessions = 5): FactEntry[] {
  const ids = Array.from({ length: sessions }, () => sessionId());
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const bodies = (): SessionFactBody => {
    const turn = 1 + Math.floor(random() * 4);
    const run = 1 + Math.floor(random() * 3);
    const message = `message ${Math.floor(random() * 5)}`;
    return pick<() => SessionFactBody>([
      () => ({ ...created, name: `name ${random()}` }),
      () => ({ type: 'session.renamed', name: `née “${random()}” 🌲` }),
      () => ({ type: 'worktree.ready' }),
      () => requested(turn),
      () => requested(turn, { agentSession: `conversation ${turn}` }),
      () => claimed(turn, 1 + Math.floor(random() * 3), run),
      () => claimed(turn, 6, run),
      () => ({
        type: 'turn.withdrawn',
        turn,
        reason: pick(['cancelled', 'failed'] as const),
        code: 'undone',
        why: quoted('undone'),
      }),
      () => keeperStarted(run),
      () => agentStarted(run),
      () => ({ type: 'agent.identified', run, agentSession: `conversation ${random()}` }),
      () => ({ type: pick(['turn.begun', 'turn.stopping', 'turn.ended'] as const), turn }),
      () => ({ type: 'message.promised', message, text: 'and the tests' }),
      () => ({ type: 'message.delivered', message, run }),
      () => ({ type: 'message.refused', message, code: 'no-run', why: quoted('gone') }),
      () => ({ type: 'move.wanted', to: pick(['trash', 'worktree', 'nowhere'] as const) }),
      () => ({ type: 'intent.refused', intent: 'of nobody', code: 'busy', why: quoted('a turn is open') }),
      () =>
        exited(run, pick<Partial<ExitRecord>>([{}, { code: 1 }, { stop }, { code: null, problem: quoted('gone') }])),
      () => exited(run),
      () => ({
        type: 'session.moving',
        to: pick(['trash', 'worktree', 'nowhere'] as const),
        worktree: '/trees/a',
        archive: { files: '/trash/a', registration: { from: '/git/worktrees/a', to: '/git/treeline/a' } },
      }),
      () => ({ type: pick(['session.archived', 'session.restored', 'session.purged'] as const), move: 'of nobody' }),
      () => ({
        type: 'turn.judged',
        turn,
        judgement: {
          outcome: pick(['completed', 'failed', 'interrupted', 'killed', 'unknown'] as const),
          summary: quoted('said'),
          usage: { input: 3, output: 2, cached: 1 },
        },
      }),
    ])();
  };
  return Array.from({ length: count }, (_, i) => (i === 0 ? leads() : { session: pick(ids), ...bodies() }));
}

/** The bare facts of a list, without what no test compares. */
export const idsOf = (facts: Iterable<Fact>): string[] => Array.from(facts, ({ id }) => id);
