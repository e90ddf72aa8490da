import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { reasonOf, TreelineError } from '../platform/errors.ts';
import { say } from '../words/saying.ts';
import { isInside } from '../platform/paths.ts';
import type { Repository, Worktree } from './types.ts';
import { exists } from './worktree-list.ts';

const LEAF_LENGTH = 60;

/**
 * The folder for a repository's worktrees, from the setting. Placeholders: `${repositoryParent}` (the folder that the repository
 * lies in; a submodule's is that of its outermost superproject, so that worktrees do not show up in it), `${repositoryName}`.
 */
export function worktreeFolder(template: string, repository: Repository): string {
  const values: Readonly<Record<string, string>> = {
    repositoryParent: path.dirname(repositoryFolder(repository.commonDir)),
    repositoryName: repository.name,
  };
  const folder = template.replace(/\$\{(\w+)\}/g, (whole, key: string) =>
    Object.hasOwn(values, key) ? (values[key] ?? '') : whole,
  );
  if (!path.isAbsolute(folder) || folder.includes('${')) {
    throw new TreelineError(
      say('bad-worktree-folder', {
        template: JSON.stringify(template),
        folder: JSON.stringify(folder),
        places: ['${repositoryParent}', '${repositoryName}'],
      }),
    );
  }
  return path.resolve(folder);
}

/** `/x/thing` for `/x/thing/.git` and `/x/thing/.git/modules/sub`; the git directory itself for any other. */
function repositoryFolder(commonDir: string): string {
  for (let dir = commonDir; dir !== path.dirname(dir); dir = path.dirname(dir)) {
    if (path.basename(dir) === '.git') return path.dirname(dir);
  }
  return commonDir;
}

/** The last part of a worktree's path: the branch without its slashes, fit for every file system. */
export function worktreeLeaf(branch: string): string {
  const leaf = branch
    .replace(/^treeline\//, '')
    .replace(/[^\p{L}\p{N}._-]+/gu, '-')
    .replace(/^[-.]+/, '')
    .slice(0, LEAF_LENGTH)
    .replace(/[-.]+$/, '');
  // Names that Windows keeps for devices, also with an extension.
  return /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(leaf) || leaf === ''
    ? `worktree-${leaf}`.replace(/-$/, '')
    : leaf;
}

/**
 * Where the worktree of a new branch goes: `folder/leaf`, with -2, -3 … when that is taken on disk or registered with git.
 * Everything is looked at and nothing made; somebody else can still take the path, addWorktree then fails with `path-taken`.
 * Throws a TreelineError when the folder is inside one of the repository's worktrees or its git directory, or cannot be written.
 */
export async function freeWorktreePath(
  repository: Repository,
  worktrees: readonly Worktree[],
  folder: string,
  branch: string,
): Promise<string> {
  const real = await writableFolder(folder);
  for (const taken of [
    repository.commonDir,
    ...worktrees.filter(({ bare }) => !bare).map((worktree) => worktree.path),
  ]) {
    if (isInside(real, taken)) {
      throw new TreelineError(say('bad-worktree-folder.inside', { folder, other: taken }));
    }
  }
  const registered = new Set(worktrees.map((worktree) => worktree.path.toLowerCase()));
  const leaf = worktreeLeaf(branch);
  for (let count = 1; ; count++) {
    const wanted = path.join(real, count === 1 ? leaf : `${leaf}-${count}`);
    if (!registered.has(wanted.toLowerCase()) && !(await exists(wanted))) return wanted;
  }
}

/** The real path of a folder that is there or could be made. */
async function writableFolder(folder: string): Promise<string> {
  let there = folder;
  while (!(await exists(there))) there = path.dirname(there);
  try {
    const real = await realpath(there);
    if (!(await stat(real)).isDirectory()) throw new Error(`${there} is a file`);
    await access(real, constants.W_OK | constants.X_OK);
    return path.join(real, path.relative(there, folder));
  } catch (error) {
    throw new TreelineError(say('path-unwritable.permissions', { folder, reason: reasonOf(error) }), { cause: error });
  }
}
