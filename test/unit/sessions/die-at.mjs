// Loaded into a window process (--import die-at.mjs?step=N): from the moment that it is asked to archive or to restore, it kills itself with
// SIGKILL before the step of that number. A step is whatever changes the disk, or starts a program that may.
import childProcess from 'node:child_process';
import fs from 'node:fs';
import fsPromises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const dieAt = Number(new URL(import.meta.url).searchParams.get('step'));
let armed = false;
let step = 0;

function count(object, name) {
  const real = object[name];
  object[name] = function (...args) {
    if (armed && ++step === dieAt) {
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
process.on('message', ({ call }) => (armed ||= call?.do === 'archive' || call?.do === 'unarchive'));
