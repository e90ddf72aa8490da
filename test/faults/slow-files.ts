/**
 * A file system on which each call takes TREELINE_TEST_SLOW ms: those that name a path below TREELINE_TEST_SLOW_BELOW, and
 * those on a descriptor that was opened there. To be imported before everything else.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

const ms = Number(process.env['TREELINE_TEST_SLOW'] ?? 50);
const below = process.env['TREELINE_TEST_SLOW_BELOW'] ?? '';
const cell = new Int32Array(new SharedArrayBuffer(4));
const opened = new Set<unknown>();

type Call = (...args: unknown[]) => unknown;

function isSlow(first: unknown): boolean {
  return below !== '' && (typeof first === 'string' ? first.startsWith(below) : opened.has(first));
}

function slowed(name: string, call: Call): Call {
  const slowly: Call = (...args) => {
    const slow = isSlow(args[0]);
    if (slow) Atomics.wait(cell, 0, 0, ms);
    const result = call(...args);
    if (name === 'openSync' && slow) opened.add(result);
    if (name === 'closeSync') opened.delete(args[0]);
    return result;
  };
  // realpathSync.native
  return Object.assign(slowly, call);
}

const all = fs as unknown as Record<string, Call>;
for (const [name, call] of Object.entries(all)) if (/^[a-z]\w+Sync$/.test(name)) all[name] = slowed(name, call);

const promises = fs.promises as unknown as Record<string, Call>;
for (const [name, call] of Object.entries(promises)) {
  if (typeof call !== 'function' || name === 'watch') continue;
  promises[name] = async (...args) => {
    if (isSlow(args[0])) await sleep(ms);
    return call(...args);
  };
}
syncBuiltinESMExports();
