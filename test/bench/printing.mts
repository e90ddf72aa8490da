/** Agents that print, and the bare way to follow one: fs.watch and JSON.parse. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readSync, watch } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { now } from './place.mts';

/** How many agents print beside the one that is followed. */
export const OTHERS = 20;

/** 20 lines a second, as an agent that streams its words. */
const COMMAND = [process.execPath, path.join(import.meta.dirname, 'printer.mjs'), '20'];

/** As a custom agent of a window. */
export const PRINTER = { id: 'printer', command: COMMAND, format: 'claude' };

/** When the printer wrote this text: ms since the epoch; undefined for another text. */
export function printedAt(text: string): number | undefined {
  const at = /@(\d+)@/.exec(text)?.[1];
  return at === undefined ? undefined : Number(at) / 1e6;
}

/** ms from the print of each line to its parsed text, printed straight to a file that is watched. */
export async function throughBareWatch(file: string, seconds: number): Promise<number[]> {
  const output = openSync(file, 'w');
  const input = openSync(file, 'r');
  const late: number[] = [];
  const buffer = Buffer.alloc(64 * 1024);
  let rest = '';
  const watcher = watch(file, () => {
    for (let n = readSync(input, buffer); n > 0; n = readSync(input, buffer)) {
      const lines = (rest + buffer.toString('utf8', 0, n)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const { message } = JSON.parse(line) as { message?: { content: { text: string }[] } };
        const at = printedAt(message?.content[0]?.text ?? '');
        if (at !== undefined) late.push(now() - at);
      }
    }
  });
  const [program = '', ...args] = COMMAND;
  const child = spawn(program, args, { stdio: ['ignore', output, 'inherit'] });
  await delay(1000);
  late.length = 0;
  await delay(seconds * 1000);
  watcher.close();
  child.kill();
  closeSync(input);
  closeSync(output);
  return late;
}

/** A row's word for a way that lost what was printed. */
export function enough(late: readonly number[], seconds: number): readonly number[] {
  if (late.length < seconds * 10) throw new Error(`Only ${late.length} lines came in ${seconds} s.`);
  return late;
}
