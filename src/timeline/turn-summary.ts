import { statSync } from 'node:fs';
import path from 'node:path';
import type { OutputReader, Seen } from '../agents/adapter.ts';
import { RUN_FILES } from '../keeper/protocol.ts';
import { parseJson } from '../platform/check.ts';
import { hasCode } from '../platform/errors.ts';
import { readRegularSync } from '../platform/regular-file.ts';
import { exitRecord, type ExitRecord, type Judgement } from '../store/model.ts';
import { LogFile } from './log-file.ts';
import type { TurnSource } from './source.ts';

/** What is left of a turn's parser when the turn is over. */
export interface TurnSummary {
  /** Of the files that the rows were made from. */
  readonly fingerprint: string;
  readonly agentSession?: string;
  readonly model?: string;
  readonly resumes: boolean;
  readonly judgement: Judgement;
  readonly lastLine: string;
  readonly lastOutputAt?: number;
}

/** How much of stderr an adapter is given, in bytes. */
const STDERR_TAIL = 16 * 1024;

/** Changes whenever one of the turn's files, or what the journal says of the turn, does. */
export function fingerprint(turn: TurnSource, folder: string): string {
  const files = Object.values(RUN_FILES).map((name) => {
    const stat = statSync(path.join(folder, name), { throwIfNoEntry: false });
    return stat === undefined ? '-' : `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
  });
  return JSON.stringify([turn, files]);
}

/** How the turn's process ended: as exit.json says, else as the journal does, else that nobody knows. */
export function exitOf(turn: TurnSource, folder: string): ExitRecord {
  return readExit(folder) ?? turn.exit ?? unseen(turn.withdrawn ?? 'How this turn ended is unknown.', folder);
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

function unseen(problem: string, folder: string): ExitRecord {
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

export function judge(reader: OutputReader, seen: Seen, exit: ExitRecord, folder: string): Judgement {
  const stderr = new LogFile(path.join(folder, RUN_FILES.e));
  try {
    const size = stderr.refresh();
    const tail = stderr.read(Math.max(0, size - STDERR_TAIL), size).toString('utf8');
    return reader.judge(seen, exit, tail);
  } finally {
    stderr.close();
  }
}
