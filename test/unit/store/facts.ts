/** Facts for the tests of the store: short to write, whole in form. */
import { factId, sessionId } from '../../../src/platform/ids.ts';
import type { Fact, FactBase, FactBody } from '../../../src/store/facts.ts';
import type { ExitRecord } from '../../../src/store/model.ts';
import type { FactEntry } from '../../../src/store/journal.ts';

export const window: FactBase['by'] = { role: 'window', process: { pid: 100, start: 'boot 1' } };
export const otherWindow: FactBase['by'] = { role: 'window', process: { pid: 200, start: 'boot 2' } };

let clock = 1_700_000_000_000;

/** A fact with fields of its own where the test does not care. Each is a millisecond after the one before. */
export function fact<B extends FactBody>(session: string, body: B, by: FactBase['by'] = window): FactBase & B {
  return { v: 1, id: factId(), at: ++clock, session, by, ...body };
}

export const created = {
  type: 'session.created',
  name: 'Fix the parser',
  agent: { id: 'claude', name: 'Claude Code', format: 'claude' },
  base: { ref: 'main', commit: '0123456789abcdef0123456789abcdef01234567' },
  worktree: '/trees/fix-the-parser',
  branch: 'treeline/fix-the-parser-a1b2c3',
  expects: ['report.md'],
} as const satisfies FactBody;

export const requested = (turn: number, more: { agentSession?: string; resumes?: boolean } = {}) =>
  ({ type: 'turn.requested', turn, prompt: `prompt ${turn}`, resumes: turn > 1, ...more }) as const satisfies FactBody;

export const claimed = (turn: number, limit = 6) => ({ type: 'turn.claimed', turn, limit }) as const satisfies FactBody;

export const keeperStarted = (turn: number) =>
  ({
    type: 'keeper.started',
    turn,
    keeper: { pid: 300, start: 'boot 3' },
    socket: '/run/treeline/a.sock',
  }) as const satisfies FactBody;

export const agentStarted = (turn: number) =>
  ({ type: 'agent.started', turn, agent: { pid: 400, start: 'boot 4' } }) as const satisfies FactBody;

export const exit = (more: Partial<ExitRecord> = {}): ExitRecord => ({
  startedAt: 1,
  endedAt: 2,
  code: 0,
  signal: null,
  survivors: [],
  expected: [],
  ...more,
});

export const exited = (turn: number, more: Partial<ExitRecord> = {}) =>
  ({ type: 'turn.exited', turn, exit: exit(more) }) as const satisfies FactBody;

export const stop = { requestedAt: 1, steps: [{ signal: 'SIGTERM', at: 2 }] } as const;

/** A seeded stream of numbers in [0, 1): the same seed gives the same run (mulberry32). */
export function seeded(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Facts of all types at random over a few sessions, many of them void. */
export function randomFacts(random: () => number, count: number, sessions = 5): FactEntry[] {
  const ids = Array.from({ length: sessions }, () => sessionId());
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const bodies = (): FactBody => {
    const turn = 1 + Math.floor(random() * 4);
    return pick<() => FactBody>([
      () => ({ ...created, name: `name ${random()}` }),
      () => ({ type: 'session.renamed', name: `née “${random()}” 🌲` }),
      () => ({ type: 'worktree.ready' }),
      () => requested(turn),
      () => requested(turn, { agentSession: `conversation ${turn}` }),
      () => claimed(turn, 1 + Math.floor(random() * 3)),
      () => claimed(turn),
      () => ({ type: 'turn.withdrawn', turn, reason: pick(['cancelled', 'failed'] as const), message: 'undone' }),
      () => keeperStarted(turn),
      () => agentStarted(turn),
      () => ({ type: 'agent.identified', turn, agentSession: `conversation ${random()}` }),
      () => ({ type: 'turn.stopping', turn }),
      () => exited(turn, pick<Partial<ExitRecord>>([{}, { code: 1 }, { stop }, { code: null, problem: 'gone' }])),
      () => exited(turn),
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
          summary: 'said',
          usage: { input: 3, output: 2, cached: 1 },
        },
      }),
    ])();
  };
  return Array.from({ length: count }, () => ({ session: pick(ids), ...bodies() }));
}

/** The bare facts of a list, without what no test compares. */
export const idsOf = (facts: Iterable<Fact>): string[] => Array.from(facts, ({ id }) => id);
