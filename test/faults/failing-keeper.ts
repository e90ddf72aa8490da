/** The keeper, on a disk that fails while a file is there: see failing.ts. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

import { FAILING } from './failing.ts';

const flag = process.env[FAILING] ?? '';

function failIfAsked(): void {
  if (fs.existsSync(flag)) {
    throw Object.assign(new Error('EIO: i/o error, write'), { code: 'EIO', errno: -5, syscall: 'write' });
  }
}

const { writeSync } = fs;
const { open } = fs.promises;
fs.writeSync = ((...args: Parameters<typeof writeSync>) => {
  failIfAsked();
  return writeSync(...args);
}) as typeof writeSync;
fs.promises.open = (...args) => {
  failIfAsked();
  return open(...args);
};
syncBuiltinESMExports();

await import('../../src/keeper/main.ts');
