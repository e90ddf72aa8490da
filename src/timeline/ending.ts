import type { ExitRecord, Judgement } from '../store/model.ts';
import { textContent, type Content } from './content.ts';

/** What the row at a turn's end shows: how the process ended, and the figures. */
export function endContent(exit: ExitRecord, judgement: Judgement): Content {
  const { outcome, usage, cost } = judgement;
  return {
    ...textContent(howItEnded(exit)),
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
    ...textContent(outcome === 'unknown' ? summary : ''),
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
export function howItEnded(exit: ExitRecord): string {
  const sentences = [ending(exit)];
  if (exit.survivors.length > 0) {
    const names = exit.survivors.slice(0, 5).map(({ pid, command }) => `${command} (${pid})`);
    const more = exit.survivors.length - names.length;
    sentences.push(`Processes left running were stopped: ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`);
  }
  const missing = exit.expected.filter(({ present }) => !present).map(({ path }) => path);
  if (missing.length > 0) sentences.push(`Expected but missing: ${missing.join(', ')}.`);
  return sentences.join(' ');
}

function ending(exit: ExitRecord): string {
  const { startedAt, endedAt, stop, signal, code, problem } = exit;
  if (problem !== undefined) return problem;
  const lasted = startedAt === null ? '' : ` after ${duration(endedAt - startedAt)}`;
  if (stop !== undefined) {
    const wait = duration(endedAt - stop.requestedAt);
    const sent = stop.steps.map((step) => step.signal).join(', ');
    if (sent === '') return `Exited ${wait} after the stop request.`;
    const how = signal === null ? `exited with code ${code ?? 'unknown'}` : `ended by ${signal}`;
    return `Stopped (${sent}): ${how} ${wait} later${lasted === '' ? '' : `,${lasted} in all`}.`;
  }
  if (signal !== null) return `Ended by ${signal}${lasted}. Treeline did not send this signal.`;
  return `Exited with code ${code ?? 'unknown'}${lasted}.`;
}

function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
