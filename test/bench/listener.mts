/** An agent that listens: each message that it reads, it answers with the time. And the bare way to reach it. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { now, type BenchAgent } from './place.mts';

/** Needs bash 5, as any Linux has it. */
export const LISTENER: BenchAgent = {
  id: 'listener',
  command: ['bash', '-c', 'while read -r line; do echo "$EPOCHREALTIME $line"; done'],
  stdin: 'lines',
};

/** When the listener has read this line: ms since the epoch, to the microsecond. */
export async function heardIn(file: string, line: string): Promise<number> {
  for (;;) {
    const said = existsSync(file) ? readFileSync(file, 'utf8') : '';
    const end = said.indexOf(` ${line}\n`);
    if (end >= 0) return Number(said.slice(said.lastIndexOf('\n', end) + 1, end).replace(',', '.')) * 1000;
    await delay(5);
  }
}

/** ms from the append of each of `count` lines to a watched file until a listener has read it. */
export async function throughBareRelay(file: string, count: number): Promise<number[]> {
  const output = `${file}.out`;
  writeFileSync(file, '');
  const relay = fork(path.join(import.meta.dirname, 'relay.mts'), [file, output, JSON.stringify(LISTENER.command)]);
  await once(relay, 'message');
  const late: number[] = [];
  for (let n = 0; n < count; n++) {
    await pause();
    const at = now();
    appendFileSync(file, `line-${n}\n`);
    late.push((await heardIn(output, `line-${n}`)) - at);
  }
  relay.disconnect();
  await once(relay, 'exit');
  return late;
}

/** Some ms, never as many as before: nothing is to keep step with a timer of anybody's. */
export function pause(): Promise<void> {
  return delay(10 + Math.random() * 40);
}
