/** Folders of runs as a keeper writes them, with chunks and times that a test chooses. */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import initSqlJs, { type SqlJsStatic } from 'sql.js';
import { readerFor } from '../../../src/agents/registry.ts';
import { RUN_FILES, type StreamKey } from '../../../src/keeper/protocol.ts';
import type { ExitRecord } from '../../../src/store/model.ts';
import { SessionIndex } from '../../../src/timeline/session-index.ts';
import { ALL_ROWS, type Row } from '../../../src/protocol/rows.ts';
import type { TimelineSource } from '../../../src/timeline/source.ts';

export const WASM = fileURLToPath(new URL('../../../node_modules/sql.js/dist/sql-wasm.wasm', import.meta.url));

let loading: Promise<SqlJsStatic> | undefined;

export function sqlJs(): Promise<SqlJsStatic> {
  loading ??= initSqlJs({ wasmBinary: new Uint8Array(readFileSync(WASM)).buffer });
  return loading;
}

export const EXIT: ExitRecord = {
  startedAt: 1000,
  endedAt: 61_000,
  code: 0,
  signal: null,
  survivors: [],
  expected: [],
};

export function writePrompt(sessionFolder: string, turn: number, prompt: string): void {
  const texts = path.join(sessionFolder, 'texts');
  mkdirSync(texts, { recursive: true });
  writeFileSync(path.join(texts, `turn-${turn}.md`), prompt);
}

/** Writes the files of a run, and the prompt of its first turn. Time goes on by 1 s a chunk, from 2 s after the epoch. */
export class RunWriter {
  readonly folder: string;
  readonly #sizes: Record<StreamKey, number> = { o: 0, e: 0, i: 0, k: 0 };
  now = 1000;

  /** @param run the number of the run; the turn of the same number is the one whose prompt is written. */
  constructor(sessionFolder: string, run = 1, prompt = 'Do it.') {
    this.folder = path.join(sessionFolder, 'runs', String(run));
    mkdirSync(this.folder, { recursive: true });
    writePrompt(sessionFolder, run, prompt);
  }

  file(name: keyof typeof RUN_FILES): string {
    return path.join(this.folder, RUN_FILES[name]);
  }

  /** A chunk and its line in times.log. */
  chunk(stream: StreamKey, data: string | Buffer): void {
    this.bytes(stream, data);
    this.time(stream, this.#sizes[stream]);
  }

  /** Bytes without a line in times.log. */
  bytes(stream: StreamKey, data: string | Buffer): void {
    appendFileSync(this.file(stream), data);
    this.#sizes[stream] += Buffer.byteLength(data);
  }

  time(stream: StreamKey, end: number): void {
    this.now += 1000;
    appendFileSync(this.file('times'), `${stream} ${this.now} ${end}\n`);
  }

  exit(exit: Partial<ExitRecord> = {}): void {
    writeFileSync(this.file('exit'), JSON.stringify({ ...EXIT, ...exit }));
  }
}

/** A session each of whose turns has a run of its own. */
export function source(folder: string, format: string, ...over: boolean[]): TimelineSource {
  const turns = over.map((one, i) => ({ number: i + 1, run: i + 1, text: `turn-${i + 1}`, over: one, resumes: i > 0 }));
  return { session: 'ses_test', folder, format, turns };
}

export const quiet = { warn: (): void => undefined };

export async function openIndex(of: TimelineSource): Promise<SessionIndex> {
  return new SessionIndex(await sqlJs(), readerFor(of.format), of, quiet);
}

/** Reads all that is there. */
export function drain(index: SessionIndex): void {
  while (index.ingest(Infinity) === 'more');
}

export function allRows(index: SessionIndex): readonly Row[] {
  const rows: Row[] = [];
  for (;;) {
    const page = index.page(ALL_ROWS, rows.length, 1000);
    rows.push(...page.rows);
    if (rows.length >= page.total) return rows;
  }
}

/** What must be the same after every rebuild. */
export function lasting(rows: readonly Row[]): readonly unknown[] {
  return rows.map((row) => ({ ...row, rev: 0 }));
}

/** The same, where the chunks and with them the times may differ. */
export function timeless(rows: readonly Row[]): readonly unknown[] {
  return rows.map((row) => ({ ...row, rev: 0, at: 0, tool: row.tool && { ...row.tool, durationMs: 0 } }));
}

/** The rows of a fresh index without a snapshot. */
export async function rebuilt(of: TimelineSource): Promise<readonly Row[]> {
  const index = await openIndex(of);
  drain(index);
  const rows = allRows(index);
  index.close();
  return rows;
}
