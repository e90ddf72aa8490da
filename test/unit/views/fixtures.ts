import type { Session } from '../../../src/store/model.ts';
import type { Activity } from '../../../src/protocol/rows.ts';
import { say } from '../../../src/words/saying.ts';

export const NOW = Date.UTC(2030, 0, 1);

/** English, with `{0}` filled in: what `vscode.l10n.t` does without a translation. */
export function t(message: string, ...args: (string | number)[]): string {
  return message.replace(/\{(\d)\}/g, (_, place: string) => String(args[Number(place)]));
}

export const READER = { t, locale: 'en', now: NOW };

/** A session whose first turn works since three minutes. */
export function session(change: Partial<Session> = {}): Session {
  return {
    id: 'ses_1',
    name: 'Fix the login',
    agent: { id: 'claude', name: 'Claude Code', format: 'claude' },
    base: { ref: 'main', commit: 'a'.repeat(40) },
    worktree: '/work/app.worktrees/fix-1',
    branch: 'treeline/fix-1',
    expects: [],
    createdAt: NOW - 240_000,
    worktreeReadyAt: NOW - 200_000,
    turns: [
      {
        number: 1,
        request: 'f1',
        requestedBy: { pid: 1, start: 's' },
        place: 0,
        prompt: 'Fix the login',
        text: 'p1',
        requestedAt: NOW - 240_000,
        resumes: false,
        claim: { fact: 'f2', lead: 'f0', by: { pid: 1, start: 's' }, at: NOW - 230_000, run: 1 },
        begunAt: NOW - 180_000,
      },
    ],
    runs: [{ number: 1, agent: { process: { pid: 2, start: 's' }, at: NOW - 180_000 } }],
    messages: [],
    status: 'working',
    evidence: { type: 'agent.started', at: NOW - 180_000, detail: say('agent-running', { pid: 2 }) },
    facts: 5,
    ...change,
  };
}

/** The same, of an agent that takes messages while it runs. */
export function reading(change: Partial<Session> = {}): Session {
  const runs = session().runs.map((run) => ({ ...run, agent: { ...run.agent!, reads: 'lines' } }));
  return session({ runs, ...change });
}

export function ended(change: Partial<Session> = {}): Session {
  const [turn] = session().turns;
  const [run] = session().runs;
  const exit = { startedAt: 1, endedAt: 2, code: 0, signal: null, survivors: [], expected: [] };
  return session({ status: 'idle', turns: [{ ...turn!, exit, endedAt: 2 }], runs: [{ ...run!, exit }], ...change });
}

export function activity(change: Partial<Activity> = {}): Activity {
  return { session: 'ses_1', epoch: 'e', rev: 3, rows: 7, retrying: false, ...change };
}
