/**
 * Ingest of a 120 MB stream-json log of 100,000 lines to a timeline that answers, beside a bare loop of read, split and
 * JSON.parse over the same bytes. Prints the median times and their ratio, and the memory that the ingest took.
 *   node test/bench/ingest.mts [--json] [lines] [rounds]
 */
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import initSqlJs from 'sql.js';
import { readerFor } from '../../src/agents/registry.ts';
import { SessionIndex } from '../../src/timeline/index.ts';
import { writeTurn } from './stream-json.mts';

const [lines = 100_000, rounds = 5] = process.argv.slice(2).map(Number).filter(Number.isFinite);
const wasm = fileURLToPath(new URL('../../node_modules/sql.js/dist/sql-wasm.wasm', import.meta.url));
const sql = await initSqlJs({ wasmBinary: new Uint8Array(readFileSync(wasm)).buffer });
const folder = mkdtempSync(path.join(os.tmpdir(), 'treeline-bench-'));
const log = { warn: (message: string) => console.warn(message) };

function bare(file: string): number {
  const fd = openSync(file, 'r');
  const buffer = Buffer.alloc(256 * 1024);
  const decoder = new TextDecoder();
  let [rest, count] = ['', 0];
  for (let n = readSync(fd, buffer); n > 0; n = readSync(fd, buffer)) {
    const parts = (rest + decoder.decode(buffer.subarray(0, n), { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) {
      JSON.parse(line);
      count += 1;
    }
  }
  closeSync(fd);
  return count;
}

function ingest(): SessionIndex {
  const source = {
    session: 'ses_bench',
    folder,
    format: 'claude' as const,
    turns: [{ number: 1, over: true, resumes: false }],
  };
  const index = new SessionIndex(sql, readerFor('claude'), source, log);
  while (index.ingest(performance.now() + 15) === 'more');
  return index;
}

const time = (work: () => void): number => {
  const start = performance.now();
  work();
  return performance.now() - start;
};
const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
const MB = 1024 * 1024;

try {
  const bytes = writeTurn(path.join(folder, 'turns', '1'), { lines, bytes: Math.round((120 * MB) / 100_000) });
  const stdout = path.join(folder, 'turns', '1', 'stdout.log');
  const times: { bare: number[]; ingest: number[] } = { bare: [], ingest: [] };
  let pages = {};
  const rss = process.memoryUsage().rss;
  let peak = rss;
  for (let round = 0; round <= rounds; round++) {
    const base = time(() => bare(stdout));
    let index: SessionIndex | undefined;
    const own = time(() => (index = ingest()));
    peak = Math.max(peak, process.memoryUsage().rss);
    // The first round warms the compiler up.
    if (round > 0) {
      times.bare.push(base);
      times.ingest.push(own);
    }
    if (round === rounds && index !== undefined) {
      const timed = index;
      const all = { groups: [], query: '' } as const;
      const total = timed.page(all, 0, 0).total;
      const query = { groups: [], query: `git log -n ${total - 2}` } as const;
      pages = {
        rows: total,
        lastPageMs: time(() => timed.page(all, -100, 100)),
        middlePageMs: time(() => timed.page(all, total >> 1, 100)),
        firstGroupPageMs: time(() => timed.page({ groups: ['problems'], query: '' }, -100, 100)),
        groupPageMs: time(() => timed.page({ groups: ['problems'], query: '' }, 500, 100)),
        firstQueryMs: time(() => timed.page(query, -100, 100)),
        queryPageMs: time(() => timed.page(query, -100, 100)),
      };
      await timed.save();
      timed.close();
      let again: SessionIndex | undefined;
      pages = { ...pages, openSnapshotMs: time(() => (again = ingest())) };
      again?.close();
    } else {
      index?.close();
    }
  }
  const result = {
    lines,
    megabytes: Math.round(bytes / MB),
    bareMs: Math.round(median(times.bare)),
    ingestMs: Math.round(median(times.ingest)),
    ratio: Number((median(times.bare) / median(times.ingest)).toFixed(2)),
    peakRssMb: Math.round(peak / MB),
    rssBeforeMb: Math.round(rss / MB),
    ...pages,
  };
  if (process.argv.includes('--json')) console.log(JSON.stringify(result));
  else console.table(Object.entries(result).map(([what, value]) => ({ what, value: Math.round(value * 100) / 100 })));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
