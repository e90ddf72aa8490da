import type { ExitRecord, Judgement } from '../store/model.ts';
import { say, sentences, some, type Saying } from '../words/saying.ts';
import { saidContent, type Content } from './content.ts';

/** Processes that the row names. */
const NAMED = 5;

/** What the row at a turn's end shows: how the process ended, and the figures. */
export function endContent(exit: ExitRecord, judgement: Judgement): Content {
  const { outcome, usage, cost } = judgement;
  return {
    ...saidContent(howItEnded(exit)),
    end: {
      outcome,
      ...(exit.startedAt !== null && { durationMs: Math.max(0, exit.endedAt - exit.startedAt) }),
      ...(usage !== undefined && { usage }),
      ...(cost !== undefined && { cost }),
      ...(exit.expected.length > 0 && { expected: exit.expected }),
    },
  };
}

/** The same for a turn that ended while its run went on. */
export function innerEndContent(judgement: Judgement, durationMs: number): Content {
  const { outcome, summary, usage, cost } = judgement;
  return {
    // Of any other outcome, the rows before have told.
    ...saidContent(outcome === 'unknown' ? summary : ''),
    end: {
      outcome,
      durationMs: Math.max(0, durationMs),
      ...(usage !== undefined && { usage }),
      ...(cost !== undefined && { cost }),
    },
  };
}

/** Whether the row at the turn's end says all that a note of the agent's exit does. @param note its code and signal. */
export function tellsExit(exit: ExitRecord, note: Readonly<Record<string, unknown>>): boolean {
  const { code, signal, problem, stop } = exit;
  return problem === undefined && stop?.steps.length !== 0 && note['code'] === code && note['signal'] === signal;
}

/** Whether by itself or by which signal, and after how long. */
export function howItEnded(exit: ExitRecord): Saying {
  const all = [ending(exit)];
  if (exit.survivors.length > 0) {
    const names = exit.survivors.map(({ pid, command }) => `${command} (${pid})`);
    all.push(say('end.survivors', { processes: some(names, NAMED) }));
  }
  const missing = exit.expected.filter(({ present }) => !present).map(({ path }) => path);
  if (missing.length > 0) all.push(say('end.missing', { paths: missing }));
  return sentences(all);
}

function ending(exit: ExitRecord): Saying {
  const { startedAt, endedAt, stop, signal, code, problem } = exit;
  if (problem !== undefined) return problem;
  if (stop !== undefined) {
    const wait = endedAt - stop.requestedAt;
    const signals = stop.steps.map((step) => step.signal);
    if (signals.length === 0) return startedAt === null ? say('never-started') : say('end.stopped', { wait });
    const times = { signals, wait, lasted: endedAt - (startedAt ?? stop.requestedAt) };
    return signal === null
      ? say('end.stopped.exited', { ...times, exit: code ?? '?' })
      : say('end.stopped.signal', { ...times, signal });
  }
  if (startedAt === null) return say('not-started');
  const lasted = endedAt - startedAt;
  if (signal !== null) return say('end.signal', { signal, lasted });
  return code === null ? say('end-unknown') : say('end.exited', { exit: code, lasted });
}
