/** The keeper, killed at the moment when its agent runs and nobody has heard of it. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { writeSync } = fs;
fs.writeSync = ((...args: Parameters<typeof writeSync>) => {
  if (Buffer.from(args[1]).includes('"type":"agent.started"')) process.kill(process.pid, 'SIGKILL');
  return writeSync(...args);
}) as typeof writeSync;
syncBuiltinESMExports();

await import('../../src/keeper/main.ts');
