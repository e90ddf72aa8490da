/** What a window costs while its 100 sessions are idle, beside a window without any: at the same time, each in its process. */
import { fork } from 'node:child_process';
import path from 'node:path';
import { findRepository } from '../../../src/git/repository.ts';
import { storeFolder } from '../../../src/store/store-folder.ts';
import { countingGit, gitCalls } from '../counting-git.mts';
import { writeHistory } from '../history.mts';
import { git, makeRepository, plainGit } from '../place.mts';
import { row } from '../row.mts';

plainGit();
await row(async ({ scratch, quick }) => {
  const seconds = quick ? 5 : 60;
  const count = quick ? 10 : 100;
  const place = path.join(scratch, 'idle');
  const repo = await makeRepository(path.join(place, 'repo'), 10);
  for (let n = 0; n < count; n++) {
    await git(repo, 'worktree', 'add', '--quiet', '-b', `session-${n}`, `../worktrees/${n}`);
  }
  const found = await findRepository(repo);
  if (found === undefined) throw new Error(`${repo} is no repository.`);
  writeHistory(storeFolder(path.join(place, 'full'), found.commonDir), count);
  const [full, empty] = await Promise.all(
    ['full', 'empty'].map((name) => idle(repo, path.join(place, name), seconds, path.join(place, `bin-${name}`))),
  );
  if (full === undefined || empty === undefined) throw new Error('A window is missing.');
  const what = `${count} idle sessions, ${seconds} s`;
  return [
    { what: `${what}: git processes`, unit: 'count', values: [full.gits], baseline: [empty.gits], goal: { most: 0 } },
    { what: `${what}: CPU of a core`, unit: '%', values: [full.cpu], baseline: [empty.cpu], goal: { most: 0.2 } },
  ];
});

/** Opens a window in its own process, lets it be, and asks what it used. */
async function idle(
  repo: string,
  storage: string,
  seconds: number,
  bin: string,
): Promise<{ gits: number; cpu: number }> {
  const git = await countingGit(bin);
  const child = fork(path.join(import.meta.dirname, '../idle-window.mts'), [repo, storage, String(seconds), git.file], {
    env: git.env,
  });
  const cpu = await new Promise<number>((resolve, reject) => {
    child.once('message', (message) => resolve(message as number));
    child.once('exit', (code) => reject(new Error(`The idle window ended with code ${String(code)}.`)));
  });
  return { gits: gitCalls(git), cpu };
}
