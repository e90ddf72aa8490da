/** Stores as months of work would leave them: a journal of sessions that are over, with or without their output. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ProcessId } from '../../src/platform/process-id.ts';
import { factId, sessionId } from '../../src/platform/ids.ts';
import type { Fact, FactBody } from '../../src/store/facts.ts';
import { writeTurn } from './stream-json.mts';

const GONE: ProcessId = { pid: 4_000_000, start: 'another boot:1' };

/**
 * Writes a store of `count` sessions of one turn each, all judged.
 * @param events lines of output of each session; none are written when absent.
 * @returns the sessions' ids, oldest first.
 */
export function writeHistory(
  folder: string,
  count: number,
  events?: { readonly lines: number; readonly bytes: number },
): string[] {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const ids: string[] = [];
  const lines: string[] = [];
  let at = Date.now() - count * 60_000;
  for (let n = 0; n < count; n++) {
    const session = sessionId();
    ids.push(session);
    const say = (role: 'window' | 'keeper', body: FactBody): void => {
      const fact: Fact = { v: 1, id: factId(), at: (at += 1000), session, by: { role, process: GONE }, ...body };
      lines.push(`${JSON.stringify(fact)}\n`);
    };
    const exit = { startedAt: at, endedAt: at + 30_000, code: 0, signal: null, survivors: [], expected: [] };
    say('window', {
      type: 'session.created',
      name: `Session number ${n} of the benchmark`,
      agent: { id: 'claude', name: 'Claude Code', format: 'claude' },
      base: { ref: 'main', commit: '0123456789abcdef0123456789abcdef01234567' },
      worktree: `/work/sample.worktrees/session-number-${n}`,
      branch: `treeline/session-number-${n}`,
      expects: [],
    });
    say('window', { type: 'turn.requested', turn: 1, prompt: `Do the thing number ${n}.`, resumes: false });
    say('window', { type: 'turn.claimed', turn: 1, limit: 6 });
    say('keeper', { type: 'keeper.started', turn: 1, keeper: GONE, socket: '/run/treeline/gone.sock' });
    say('window', { type: 'worktree.ready' });
    say('keeper', { type: 'agent.started', turn: 1, agent: GONE });
    say('keeper', { type: 'turn.exited', turn: 1, exit });
    const judgement = { outcome: 'completed', summary: 'All is done.' } as const;
    say('window', { type: 'turn.judged', turn: 1, judgement });
    if (events !== undefined) writeTurn(path.join(folder, 'sessions', session, 'turns/1'), { ...events, seed: n });
  }
  writeFileSync(path.join(folder, 'journal.jsonl'), lines.join(''), { mode: 0o600 });
  return ids;
}
