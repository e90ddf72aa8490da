/** The bare way to a listener: a process that gives it what is appended to a watched file. `relay.mts FILE OUTPUT COMMAND` */
import { spawn } from 'node:child_process';
import { openSync, readSync, watch } from 'node:fs';

const [, , file = '', output = '', command = '[]'] = process.argv;
const [program = '', ...args] = JSON.parse(command) as string[];
const listener = spawn(program, args, { stdio: ['pipe', openSync(output, 'w'), 'inherit'] });
const { stdin } = listener;
if (stdin === null) throw new Error('The listener has no stdin.');
const input = openSync(file, 'r');
const buffer = Buffer.alloc(64 * 1024);
watch(file, () => {
  for (let n = readSync(input, buffer); n > 0; n = readSync(input, buffer)) {
    stdin.write(Buffer.from(buffer.subarray(0, n)));
  }
});
process.on('disconnect', () => {
  listener.kill();
  process.exit(0);
});
process.send?.('ready');
