/**
 * A process that appends to a journal: `node writer.ts <journal> <what> <count> <session>…`, with what
 *   rename  <count> facts, one at a time, session after session
 *   claim   that it leads, and one claim of turn 1 per session, under a limit of <count>
 *   request one request of turn 1 for each session
 * Waits for a line on stdin before it begins, so that several begin at once; prints the ids it wrote, one a line.
 */
import { once } from 'node:events';
import type { FactEntry } from '../../../src/store/facts.ts';
import { Journal } from '../../../src/store/journal.ts';
import { claimed, leads, requested } from './facts.ts';

const [file, what, count, ...sessions] = process.argv.slice(2) as [string, string, string, ...string[]];
const journal = new Journal(file, { role: 'window', process: { pid: process.pid, start: 'a test' } });

function* entries(): Generator<FactEntry> {
  if (what === 'rename') {
    for (let i = 0; i < Number(count); i++) {
      const session = sessions[i % sessions.length]!;
      yield { session, type: 'session.renamed', name: `${process.pid} ${i} ${'🌲'.repeat(i % 50)}` };
    }
  } else if (what === 'claim') {
    yield leads();
    for (const session of sessions) yield { session, ...claimed(1, Number(count)) };
  } else {
    for (const session of sessions) yield { session, ...requested(1) };
  }
}

process.stdout.write('ready\n');
await once(process.stdin, 'data');
const ids: string[] = [];
for (const entry of entries()) ids.push(...journal.append(entry).map(({ id }) => id));
journal.dispose();
process.stdout.write(ids.join('\n') + '\n', () => process.exit());
