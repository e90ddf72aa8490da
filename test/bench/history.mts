/** Stores as months of work would leave them: a journal of sessions that are over, with or without their output. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ProcessId } from '../../src/platform/process-id.ts';
import { factId, sessionId } from '../../src/platform/ids.ts';
import { RULES, type Fact, type RepositoryFactBody, type SessionFactBody } from '../../src/store/facts.ts';
import { quoted } from '../../src/words/saying.ts';
import { writeTurn } from './stream-json.mts';

const GONE: ProcessId = { pid: 4_000_000, start: 'another boot:1' };

/** How many facts each of the sessions takes. */
export const FACTS_EACH = 8;

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
  const write = (role: string, body: RepositoryFactBody | (SessionFactBody & { readonly session: string })): void => {
    const fact: Fact = { v: 1, id: factId(), at: (at += 1000), by: { role, process: GONE }, ...body };
    lines.push(`${JSON.stringify(fact)}\n`);
  };
  write('window', {
    type: 'steward.leads',
    host: 'window',
    version: '0.1.0',
    rules: RULES,
    socket: '/run/gone.sock',
    token: '',
  });
  for (let n = 0; n < count; n++) {
    const session = sessionId();
    ids.push(session);
    const say = (role: 'window' | 'keeper', body: SessionFactBody): void => write(role, { session, ...body });
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
    const text = factId();
    say('window', { type: 'turn.requested', turn: 1, prompt: `Do the thing number ${n}.`, text, resumes: false });
    say('window', { type: 'turn.claimed', turn: 1, run: 1, limit: 6 });
    say('keeper', { type: 'keeper.started', run: 1, keeper: GONE, socket: '/run/treeline/gone.sock' });
    say('window', { type: 'worktree.ready' });
    say('keeper', { type: 'agent.started', run: 1, agent: GONE });
    say('keeper', { type: 'run.exited', run: 1, exit });
    const judgement = { outcome: 'completed', summary: quoted('All is done.') } as const;
    say('window', { type: 'turn.judged', turn: 1, judgement });
    if (events !== undefined) writeTurn(path.join(folder, 'sessions', session), { ...events, seed: n, text });
  }
  writeFileSync(path.join(folder, 'journal.jsonl'), lines.join(''), { mode: 0o600 });
  return ids;
}
