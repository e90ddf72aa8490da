// Loaded into a window process (--import die-at.mjs?step=N): from the moment that it is asked to archive, to restore or to delete, it kills itself with
// SIGKILL before the step of that number. A step is whatever changes the disk, or starts a program that may; with `&of=NAME` only
// the calls of that name count, with `&on=TEXT` only those on a path that holds the text.
import childProcess from 'node:child_process';
import fs from 'node:fs';
import fsPromises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const dieAt = Number(new URL(import.meta.url).searchParams.get('step'));
const only = new URL(import.meta.url).searchParams.get('of');
const on = new URL(import.meta.url).searchParams.get('on') ?? '';
let armed = false;
let step = 0;

function count(object, name) {
  if (only !== null && only !== name) return;
  const real = object[name];
  object[name] = function (...args) {
    if (armed && args.some((arg) => String(arg).includes(on)) && ++step === dieAt) {
      process.kill(process.pid, 'SIGKILL');
      for (;;); // The signal comes before the next step.
    }
    return Reflect.apply(real, this, args);
  };
}

for (const name of ['rename', 'mkdir', 'rmdir', 'rm', 'writeFile']) count(fsPromises, name);
for (const name of ['writeSync', 'appendFileSync', 'writevSync']) count(fs, name);
count(childProcess, 'spawn');
syncBuiltinESMExports();
process.on(
  'message',
  ({ call }) => (armed ||= call?.do === 'archive' || call?.do === 'unarchive' || call?.do === 'purge'),
);
