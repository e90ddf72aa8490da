import { chmod, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { git } from '../support.ts';

/** Everything that git and a person can tell two worktrees apart by, but their names. */
export async function looks(worktree: string): Promise<unknown> {
  const names = (await readdir(worktree, { recursive: true })).filter((name) => name !== '.git').sort();
  const files = await Promise.all(
    names.map(async (name) => {
      const { mode } = await stat(path.join(worktree, name));
      const isFile = (mode & 0o170000) === 0o100000;
      return [name, mode, isFile ? await readFile(path.join(worktree, name), 'utf8') : ''];
    }),
  );
  return {
    files,
    mode: (await stat(worktree)).mode,
    status: await git(worktree, 'status', '--porcelain', '--ignored'),
    index: await git(worktree, 'ls-files', '--stage', '-v'),
    tree: await git(worktree, 'write-tree'),
    head: await git(worktree, 'rev-parse', 'HEAD'),
    top: path.relative(worktree, await git(worktree, 'rev-parse', '--show-toplevel')),
    upstream: await git(worktree, 'status', '--porcelain=v2', '--branch', '--untracked-files=no').then((text) =>
      /branch.upstream/.test(text),
    ),
  };
}

/** Commits what is more than a plain file: a link to one, and a program. */
export async function commitLinkAndProgram(repo: string, linked: string): Promise<void> {
  await symlink(linked, path.join(repo, 'link'));
  await writeFile(path.join(repo, 'run.sh'), '#!/bin/sh\n');
  await chmod(path.join(repo, 'run.sh'), 0o755);
  await git(repo, 'add', '--all');
  await git(repo, 'commit', '--quiet', '--message', 'A link and a program');
}
