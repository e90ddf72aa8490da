/** A long stream-json log to a timeline that answers, beside a bare loop of read, split and JSON.parse over the same bytes. */
import path from 'node:path';
import { readAndParse } from '../bare.mts';
import { timed } from '../figure.mts';
import { ingest } from '../indexed.mts';
import { row } from '../row.mts';
import { writeTurn } from '../stream-json.mts';

const MB = 1024 * 1024;
const LINE_BYTES = Math.round((120 * MB) / 100_000);

await row(async ({ scratch, quick }) => {
  const lines = quick ? 10_000 : 100_000;
  const rounds = quick ? 2 : 5;
  const folder = path.join(scratch, 'ingest');
  const bytes = writeTurn(folder, { lines, bytes: LINE_BYTES });
  const values: number[] = [];
  const baseline: number[] = [];
  const memory: number[] = [];
  // The ingests alone first: what the bare loop leaves behind is not ours.
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.();
    const before = process.memoryUsage.rss();
    const watch = watchMemory();
    ingest(folder).close();
    memory.push((watch.peak() - before) / MB);
  }
  for (let round = 0; round < rounds; round++) {
    baseline.push(lines / ((await timed(() => readAndParse(path.join(folder, 'runs/1/stdout.log')))) / 1000));
    values.push(lines / ((await timed(() => ingest(folder).close())) / 1000));
  }
  const size = `${lines.toLocaleString('en')} lines, ${Math.round(bytes / MB)} MB`;
  return [
    { what: `ingest of ${size}`, unit: 'lines/s', values, baseline, goal: { ratioAtLeast: 0.5 } },
    {
      what: `ingest of ${size}: memory`,
      unit: 'MB',
      values: memory.slice(0, 1),
      goal: { most: 120 },
      note: 'how much the resident memory of a process grows while it makes the index, garbage included: less than the log itself',
    },
  ];
});

/** The most that is resident, seen between the slices of the work. */
function watchMemory(): { peak(): number } {
  // The kernel keeps the highest value since the start; it cannot be set back without privileges everywhere, so the first ingest counts.
  return { peak: () => process.resourceUsage().maxRSS * 1024 };
}
