import type { ExitRecord, Judgement, Outcome } from '../store/model.ts';
import type { Seen } from './adapter.ts';
import { quoted, say, type Said, type Saying } from '../words/saying.ts';
import { oneLine, SUMMARY_LENGTH, withoutEscapes } from './text.ts';

/** How a turn ended, and one line that says so. */
export type Ending = Pick<Judgement, 'outcome' | 'summary'>;

/** Signals by which somebody ends a process; every other signal is a crash. */
const SIGNAL_OUTCOMES: ReadonlyMap<string, Outcome> = new Map([
  ['SIGINT', 'interrupted'],
  ['SIGHUP', 'killed'],
  ['SIGTERM', 'killed'],
  ['SIGKILL', 'killed'],
]);

/** Exit codes of programs that catch a signal and end with 128 + its number (signal(7)). */
const SIGNAL_CODES: ReadonlyMap<number, string> = new Map([
  [129, 'SIGHUP'],
  [130, 'SIGINT'],
  [137, 'SIGKILL'],
  [143, 'SIGTERM'],
]);

/**
 * The ending of a turn of any agent that reports its end. The agent's own word comes first, because a result that was
 * reported before a signal or a failing exit is still there; then what the user did; then how the process ended.
 * @param exit absent for a turn that ended while its run went on.
 * @param reason why it failed, in the best words that stderr or the output hold.
 */
export function ending(seen: Seen, exit: ExitRecord | undefined, reason?: Said): Ending {
  const { result } = seen;
  if (result?.ok) return { outcome: 'completed', summary: summary([result.text, seen.lastText], say('completed')) };
  if (result && !result.interrupted) {
    return { outcome: 'failed', summary: summary([result.text, reason], say('failed')) };
  }
  if (exit === undefined) {
    return result
      ? { outcome: 'interrupted', summary: say('interrupted') }
      : { outcome: 'unknown', summary: say('end-unreported') };
  }
  if (exit.code === null && exit.signal === null) return unseen(exit, result !== undefined);
  if (exit.stop) return stopped(exit, exit.stop);
  if (result) return { outcome: 'interrupted', summary: say('interrupted') };

  const signal = exit.signal ?? SIGNAL_CODES.get(exit.code ?? 0);
  if (signal !== undefined) {
    const outcome = SIGNAL_OUTCOMES.get(signal) ?? 'failed';
    return { outcome, summary: say('ended-by.stranger', { signal }) };
  }
  const plain = exit.code === 0 ? say('no-result') : say('exited', { exit: exit.code ?? '?' });
  return { outcome: 'failed', summary: summary([reason], plain) };
}

/** The ending of a turn of a program that is known by its exit alone. */
export function exitEnding(seen: Seen, exit: ExitRecord | undefined, reason?: Said): Ending {
  if (exit?.code === 0 && !exit.stop) {
    return { outcome: 'completed', summary: summary([seen.lastText], say('completed')) };
  }
  return ending(seen, exit, reason);
}

/** Nobody saw an exit status: the agent never ran, or its end was missed. */
function unseen(exit: ExitRecord, interrupted: boolean): Ending {
  if (interrupted) return { outcome: 'interrupted', summary: say('interrupted') };
  if (exit.startedAt === null && exit.problem !== undefined) {
    return { outcome: 'failed', summary: exit.problem };
  }
  return { outcome: 'unknown', summary: exit.problem ?? say('end-unknown') };
}

function stopped(exit: ExitRecord, stop: NonNullable<ExitRecord['stop']>): Ending {
  const forced = stop.steps.findLast((step) => step.signal === 'SIGTERM' || step.signal === 'SIGKILL');
  const after = Math.max(0, exit.endedAt - stop.requestedAt);
  const signal = forced?.signal ?? exit.signal;
  return {
    outcome: forced ? 'killed' : 'interrupted',
    summary: signal === null ? say('stopped-after', { after }) : say('stopped-after.signal', { signal, after }),
  };
}

/** The first of the texts that shows something, as one line; else what is said of any such end. */
function summary(texts: readonly (Said | undefined)[], plain: Saying): Saying {
  for (const text of texts) {
    if (typeof text === 'object') return text;
    const line = oneLine(text ?? '', SUMMARY_LENGTH);
    if (line !== '') return quoted(line);
  }
  return plain;
}

/** The last line of stderr that says something. @param noise lines that an agent prints in every run. */
export function lastLine(stderr: string, noise?: RegExp): string | undefined {
  return withoutEscapes(stderr)
    .split(/\r?\n/)
    .map((line) => line.trim())
    .findLast((line) => line !== '' && noise?.test(line) !== true);
}

/** What a parser gathered beside the ending. Only a turn that ran to its own end waits for somebody. */
export function judgement(end: Ending, seen: Seen, more?: Partial<Judgement>): Judgement {
  const waits = end.outcome === 'completed' || end.outcome === 'failed';
  return {
    ...end,
    ...(seen.usage && { usage: seen.usage }),
    ...(seen.cost !== undefined && { cost: seen.cost }),
    ...(waits && seen.attention && { attention: seen.attention }),
    ...more,
  };
}
