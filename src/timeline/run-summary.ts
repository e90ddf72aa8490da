import { statSync } from 'node:fs';
import path from 'node:path';
import type { Before, OutputReader, Seen } from '../agents/adapter.ts';
import { RUN_FILES } from '../keeper/protocol.ts';
import { parseJson } from '../platform/check.ts';
import { hasCode } from '../platform/errors.ts';
import { readRegularSync } from '../platform/regular-file.ts';
import { exitRecord, type ExitRecord, type Judgement, type Usage } from '../store/model.ts';
import { say, type Saying } from '../words/saying.ts';
import { LogFile } from './log-file.ts';
import type { RunSource } from './source.ts';

/** What is left of a turn when it is over. Its usage and cost count what came after its judgement too. */
export interface TurnSummary extends Before {
  readonly number: number;
  readonly agentSession?: string;
  readonly model?: string;
  readonly resumes: boolean;
  readonly judgement: Judgement;
  readonly lastLine: string;
  readonly lastOutputAt?: number;
}

/** What is left of a run when it is over. */
export interface RunSummary {
  readonly run: number;
  /** Of the files that the rows were made from. */
  readonly fingerprint: string;
  readonly turns: readonly TurnSummary[];
}

/** How much of stderr an adapter is given, in bytes. */
const STDERR_TAIL = 16 * 1024;

/** Changes whenever one of the run's files, or what the journal says of its turns, does. */
export function fingerprint(run: RunSource): string {
  const files = Object.values(RUN_FILES).map((name) => {
    const stat = statSync(path.join(run.folder, name), { throwIfNoEntry: false });
    return stat === undefined ? '-' : `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
  });
  return JSON.stringify([run.turns, files]);
}

/** How the run's process ended: as exit.json says, else as the journal does, else that nobody knows. */
export function exitOf(run: RunSource): ExitRecord {
  const withdrawn = run.turns[0]?.withdrawn;
  return readExit(run.folder) ?? run.exit ?? unseenExit(withdrawn ?? say('end-unknown.turn'), run.folder);
}

function readExit(folder: string): ExitRecord | undefined {
  try {
    return parseJson(readRegularSync(path.join(folder, RUN_FILES.exit)).toString('utf8'), exitRecord, RUN_FILES.exit);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ENOTREG'].some((code) => hasCode(error, code))) return undefined;
    // Damaged, as something else in its place is: the journal says the same.
    if (error instanceof SyntaxError || !(error instanceof Error && 'syscall' in error)) return undefined;
    throw error;
  }
}

/** The end of an agent that never ran, or that nobody saw. */
export function unseenExit(problem: Saying, folder: string): ExitRecord {
  const { mtimeMs = 0 } = statSync(folder, { throwIfNoEntry: false }) ?? {};
  return {
    startedAt: null,
    endedAt: Math.round(mtimeMs),
    code: null,
    signal: null,
    survivors: [],
    expected: [],
    problem,
  };
}

/** @param exit absent for a turn that ended while its run went on. */
export function judge(reader: OutputReader, seen: Seen, exit: ExitRecord | undefined, folder: string): Judgement {
  if (exit === undefined) return reader.judge(seen, undefined, '');
  const stderr = new LogFile(path.join(folder, RUN_FILES.e));
  try {
    const size = stderr.refresh();
    const tail = stderr.read(Math.max(0, size - STDERR_TAIL), size).toString('utf8');
    return reader.judge(seen, exit, tail);
  } finally {
    stderr.close();
  }
}

export function figuresOf({ usage, cost }: Before): Before {
  return { ...(usage !== undefined && { usage }), ...(cost !== undefined && { cost }) };
}

/** The sums of what several turns used; absent where none of them told. */
export function sumFigures(parts: readonly Before[]): Before {
  const sum: { usage?: Usage; cost?: number } = {};
  for (const { usage, cost } of parts) {
    if (usage !== undefined) {
      const { input, output, cached } = sum.usage ?? { input: 0, output: 0, cached: 0 };
      sum.usage = { input: input + usage.input, output: output + usage.output, cached: cached + usage.cached };
    }
    if (cost !== undefined) sum.cost = (sum.cost ?? 0) + cost;
  }
  return sum;
}
