import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { git, gitText, tryGit } from './git.ts';
import type { Archive, Repository } from './types.ts';
import { exists } from './worktree-list.ts';

/** Files of git's own that may name commits (HEAD, logs, a merge or rebase under way) are small; the index is not among them. */
const LARGEST_NOTE = 1024 * 1024;

/** Treeline signs its own commits with its name: they hold objects, and are nobody's work. */
const IDENTITY = {
  GIT_AUTHOR_NAME: 'Treeline',
  GIT_AUTHOR_EMAIL: 'treeline@localhost',
  GIT_COMMITTER_NAME: 'Treeline',
  GIT_COMMITTER_EMAIL: 'treeline@localhost',
  // A partial clone must not fetch what is only looked for.
  GIT_NO_LAZY_FETCH: '1',
};

/**
 * The ref under which an archive's objects are out of reach of git's garbage collection. `git push --mirror` takes it along,
 * as it does every ref under refs/ (git-push(1)); there is no better place: the refs that it leaves out (those outside refs/,
 * and refs/worktree/ of another worktree) do not keep objects from `git gc`, as tried with 2.39, and hideRefs is for the
 * receiving side.
 */
export function heldRef({ files }: Archive): string {
  return `refs/treeline/archive/${path.basename(path.dirname(files))}`;
}

/**
 * Puts everything that only the archived index, HEAD and logs lead to under a ref: the commit that was checked out, what was
 * staged, the sides of conflicts, commits on no branch. Without it, git would collect them two weeks after they were made.
 */
export async function retainObjects(repository: Repository, archive: Archive): Promise<void> {
  const { commonDir } = repository;
  const gitDir = archive.registration?.to;
  const staged = gitDir === undefined || !(await exists(gitDir)) ? [] : await stagedObjects(commonDir, gitDir, archive);
  const noted = gitDir === undefined || !(await exists(gitDir)) ? [] : [...(await notedIds(gitDir))];
  const types = await typesOf(commonDir, [...staged, ...noted]);
  const commits = noted.filter((id) => types.get(id) === 'commit');
  const stray = await onNoBranch(commonDir, commits);
  const parents = [...new Set([...(archive.commit === undefined ? [] : [archive.commit]), ...stray])];
  const entries = staged.flatMap((id) => {
    const type = types.get(id);
    return type === 'blob' || type === 'tree'
      ? [`${type === 'tree' ? '040000' : '100644'} ${type} ${id}\t${id}\n`]
      : [];
  });
  const [only] = parents;
  if (entries.length === 0 && parents.length < 2) {
    if (only !== undefined) await setRef(commonDir, heldRef(archive), only);
    return;
  }
  const options = { writes: true, env: IDENTITY };
  const tree = await gitText(commonDir, ['--git-dir', commonDir, 'mktree'], { ...options, input: entries.join('') });
  const args = ['commit-tree', tree, ...parents.flatMap((id) => ['-p', id]), '-m', 'What an archived worktree holds'];
  await setRef(commonDir, heldRef(archive), await gitText(commonDir, ['--git-dir', commonDir, ...args], options));
}

/**
 * Gives up the ref. @param keepCommit keeps it for the commit that was checked out, where no branch, tag or remote branch
 * holds that.
 */
export async function releaseObjects(repository: Repository, archive: Archive, keepCommit: boolean): Promise<void> {
  const { commonDir } = repository;
  const ref = heldRef(archive);
  if (keepCommit && archive.commit !== undefined) {
    const [stray] = await onNoBranch(commonDir, [archive.commit]);
    if (stray !== undefined) {
      await setRef(commonDir, ref, stray);
      return;
    }
  }
  await git(commonDir, ['--git-dir', commonDir, 'update-ref', '-d', ref], { writes: true });
}

async function setRef(commonDir: string, ref: string, id: string): Promise<void> {
  await git(commonDir, ['--git-dir', commonDir, 'update-ref', ref, id], { writes: true });
}

/** What the index holds and HEAD does not, the sides of conflicts included. Links to submodules' commits are not objects of this repository. */
async function stagedObjects(commonDir: string, gitDir: string, { commit }: Archive): Promise<string[]> {
  const own = ['--git-dir', gitDir];
  const records = async (args: readonly string[]): Promise<string[]> =>
    (await git(commonDir, [...own, ...args])).toString('latin1').split('\0');
  const found = new Set<string>();
  const add = (mode: string | undefined, id: string | undefined): void => {
    if (mode !== '160000' && id !== undefined && !/^0+$/.test(id)) found.add(id);
  };
  if (commit !== undefined) {
    const changed = await records([
      'diff-index',
      '--cached',
      '--raw',
      '-z',
      '--no-abbrev',
      '--no-renames',
      commit,
      '--',
    ]);
    // `:<mode> <new mode> <id> <new id> <letter>`, then the path.
    for (let at = 0; at + 1 < changed.length; at += 2) {
      const [, mode, , id] = (changed[at] ?? '').split(' ');
      add(mode, id);
    }
  }
  // `<mode> <id> <stage>` TAB path.
  for (const record of await records(['ls-files', '-z', commit === undefined ? '--stage' : '--unmerged'])) {
    const [mode, id] = record.split('\t', 1)[0]?.split(' ') ?? [];
    add(mode, id);
  }
  return [...found];
}

/** Everything in git's own files of a worktree that looks like an id. */
async function notedIds(folder: string): Promise<Set<string>> {
  const ids = new Set<string>();
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) {
      // Submodules are repositories with objects of their own, and move whole.
      if (entry.name !== 'modules') for (const id of await notedIds(file)) ids.add(id);
    } else if (entry.isFile() && !/^(shared)?index/.test(entry.name) && (await stat(file)).size <= LARGEST_NOTE) {
      for (const [id] of (await readFile(file, 'latin1')).matchAll(/\b(?:[0-9a-f]{64}|[0-9a-f]{40})\b/g)) ids.add(id);
    }
  }
  return ids;
}

/** The types of those objects that are there. */
async function typesOf(commonDir: string, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const args = ['--git-dir', commonDir, 'cat-file', '--batch-check=%(objectname) %(objecttype)'];
  const output = await gitText(commonDir, args, { input: `${ids.join('\n')}\n`, env: IDENTITY });
  const lines = output.split('\n').map((line) => line.split(' ') as [string, string | undefined]);
  return new Map(lines.flatMap(([id, type]) => (type === undefined || type === 'missing' ? [] : [[id, type]])));
}

/** Those of the commits that no branch, remote branch or tag leads to. */
async function onNoBranch(commonDir: string, commits: readonly string[]): Promise<string[]> {
  if (commits.length === 0) return [];
  const args = ['--git-dir', commonDir, 'rev-list', '--stdin', '--not', '--branches', '--tags', '--remotes'];
  const found = await tryGit(commonDir, args, { input: `${commits.join('\n')}\n`, env: IDENTITY });
  // Where git cannot say (a history that is damaged), all of them are held.
  const stray = new Set(found.exitCode === 0 ? found.stdout.toString('latin1').split('\n') : commits);
  return commits.filter((commit) => stray.has(commit));
}
