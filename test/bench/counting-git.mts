/** A git that keeps count of its calls. */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { findProgram } from '../../src/agents/detect.ts';

export interface CountingGit {
  /** An environment in which it is git. */
  readonly env: NodeJS.ProcessEnv;
  /** The file with a line a call. */
  readonly file: string;
}

export async function countingGit(bin: string): Promise<CountingGit> {
  const real = await findProgram('git', process.env);
  mkdirSync(bin, { recursive: true });
  const file = path.join(bin, 'count');
  const program = path.join(bin, 'git');
  writeFileSync(program, `#!/bin/sh\necho "$@" >> '${file}'\nexec '${real ?? 'git'}' "$@"\n`);
  chmodSync(program, 0o755);
  return { env: { ...process.env, PATH: `${bin}${path.delimiter}${process.env['PATH'] ?? ''}` }, file };
}

export function gitCalls({ file }: CountingGit): number {
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').length : 0;
}

/** Begins to count anew. */
export function forgetCalls({ file }: CountingGit): void {
  rmSync(file, { force: true });
}
