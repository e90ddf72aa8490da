/** The list of changes of a worktree with 1,000 changed files, beside a bare `git diff` of the same. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { changes } from '../../../src/git/diff.ts';
import { timed } from '../figure.mts';
import { git, makeRepository, plainGit } from '../place.mts';
import { row } from '../row.mts';

/** As many as a diff editor is given at first. */
const FIRST = 20;
const CHANGED_LINES = 100;

plainGit();
await row(async ({ scratch, quick }) => {
  const files = quick ? 100 : 1000;
  const repo = await makeRepository(path.join(scratch, 'diff/repo'), files * 2);
  const base = await git(repo, 'rev-parse', 'HEAD');
  const tracked = (await git(repo, 'ls-files')).split('\n').slice(0, files);
  for (const [n, name] of tracked.entries()) {
    const file = path.join(repo, name);
    const added = Array.from({ length: CHANGED_LINES }, (_, line) => `changed ${n} ${line}\n`).join('');
    writeFileSync(file, readFileSync(file, 'utf8') + added);
  }
  const first: number[] = [];
  const all: number[] = [];
  const baseline: number[] = [];
  for (let round = 0; round < (quick ? 2 : 7); round++) {
    baseline.push(await timed(() => bare(repo, base)));
    const start = performance.now();
    let seen = 0;
    for await (const change of changes(repo, base)) {
      if (change.kind !== 'modified') throw new Error(`${change.path} is ${change.kind}.`);
      if (++seen === FIRST) first.push(performance.now() - start);
    }
    all.push(performance.now() - start);
    if (seen !== files) throw new Error(`${seen} of ${files} changes were found.`);
  }
  const what = `diff of ${files.toLocaleString('en')} files, ${(files * CHANGED_LINES).toLocaleString('en')} lines`;
  return [
    { what: `${what}: first files`, unit: 'ms', values: first, baseline, goal: { more: 300 } },
    { what: `${what}: all files`, unit: 'ms', values: all, baseline },
  ];
});

async function bare(repo: string, base: string): Promise<void> {
  const child = spawn('git', ['diff', base], { cwd: repo, stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.resume();
  await once(child, 'close');
}
