// How the scripts talk: short lines that say what is being done, and one sentence when something is missing.
import { spawn } from 'node:child_process';

/** A thing that the machine lacks: its message is one sentence that says what to do. */
export class Missing extends Error {}

/** @param {string} text */
export function say(text) {
  console.log(`treeline: ${text}`);
}

/** How long something took, for people: "0.4 s", "1 min 12 s". @param {number} ms */
export function duration(ms) {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  return seconds < 60 ? `${Math.round(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/**
 * Runs a program and resolves with its exit code (128 + n after a signal is reported as 1) and what it printed.
 * `show` passes the output through as it comes; otherwise it is only collected.
 * @param {string[]} argv
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, show?: boolean }} [options]
 * @returns {Promise<{ code: number, output: string }>}
 */
export function run(argv, { cwd, env, show = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(argv[0], argv.slice(1), { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const [stream, target] of [
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        output += text;
        if (show) target.write(text);
      });
    }
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}
