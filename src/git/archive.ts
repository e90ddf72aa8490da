import { mkdir, readdir, readFile, rename, rmdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readIfExists, syncFolder } from '../platform/atomic-file.ts';
import { hasCode, TreelineError, reasonOf } from '../platform/errors.ts';
import { renameGuarded, unguarded, type Guard } from '../platform/guard.ts';
import { say, type Saying } from '../words/saying.ts';
import { refuseMounts } from '../platform/mounts.ts';
import { isInside, PRIVATE_FOLDER } from '../platform/paths.ts';
import { refuseUnremovable } from '../platform/removable.ts';
import { removeTree } from '../platform/remove-tree.ts';
import { git, gitRecords, tryGit } from './git.ts';
import { gitError } from './git-error.ts';
import { archiveIn } from './archive-place.ts';
import { releaseObjects, retainObjects } from './held-objects.ts';
import { recordOf } from './registration.ts';
import type { Archive, Repository, WorktreeMove } from './types.ts';
import { exists, listWorktrees } from './worktree-list.ts';

export type { Archive, WorktreeMove } from './types.ts';

/** Added to the name of what is being deleted. */
const CONDEMNED = '.deleted';
/** The folder beside a worktree that serves as trash where the usual one is on another file system. */
const TRASH_BESIDE = '.treeline-trash';
/** Where git's folders of archived worktrees lie: two levels below the git directory, so that the `commondir` file in each stays true. */
const REGISTRATIONS = 'treeline';

/**
 * Looks whether a worktree can be archived, and says where everything goes. Nothing is changed. Both parts go by rename(2), at
 * once and untouched, whatever is in them: git's folder stays inside the git directory, and the files go to `trash` or, where
 * that is on another file system, to a hidden folder beside the worktree. A folder that is gone leaves only git's to move.
 *
 * @param trash a folder of Treeline's own.
 * @param name for the folders in it; -2, -3 … is added where it is taken.
 * @throws TreelineError `main-worktree`, `worktree-locked`, `worktree-in-use`, `not-our-worktree`, `mounted`
 */
export async function planArchive(
  repository: Repository,
  worktree: string,
  { trash, name, beside = false }: { readonly trash: string; readonly name: string; readonly beside?: boolean },
): Promise<Archive> {
  const all = await listWorktrees(repository);
  const found = all.find((each) => each.path === worktree);
  if (found?.main === true || isInside(repository.commonDir, worktree)) {
    throw new TreelineError(say('main-worktree', { worktree }));
  }
  if (found?.locked !== undefined) {
    throw new TreelineError(say('worktree-locked', { worktree, reason: found.locked || say('no-reason') }));
  }
  const inner = all.find((each) => each.path !== worktree && isInside(each.path, worktree));
  if (inner !== undefined) {
    throw new TreelineError(say('worktree-in-use.inner', { inner: inner.path, worktree }));
  }
  await refuseMounts(worktree, 'moved');
  const registered = await recordOf(repository, worktree);
  if (registered === undefined) await refuseStranger(repository, worktree);
  else await refuseWhileGitRuns(registered);

  const root =
    beside || !(await isSameDevice(worktree, trash)) ? path.join(path.dirname(worktree), TRASH_BESIDE) : trash;
  for (let count = 1; ; count++) {
    const leaf = count === 1 ? name : `${name}-${count}`;
    const files = path.join(root, leaf, 'worktree');
    const to = path.join(repository.commonDir, REGISTRATIONS, leaf);
    if ((await exists(files)) || (await exists(to))) continue;
    return {
      files,
      ...(registered !== undefined && { registration: { from: registered, to } }),
      ...(found?.branch !== undefined && { branch: found.branch }),
      ...(found?.head !== undefined && { commit: found.head }),
    };
  }
}

/**
 * Moves a worktree into the trash. May be called again after a crash in the middle: what is done is done. git's folder goes
 * first, so that its index is at rest when what only it knows of is put under a ref.
 * @throws TreelineError `other-device` where the trash cannot be reached by a rename, `worktree-busy`
 */
export async function moveToTrash(
  repository: Repository,
  { worktree, archive: archived }: WorktreeMove,
  guard: Guard = unguarded,
): Promise<void> {
  const archive = archiveIn(repository, archived);
  const { registration, files } = archive;
  if (registration !== undefined) await moveOnce(registration.from, registration.to, guard);
  guard();
  await retainObjects(repository, archive);
  await moveOnce(worktree, files, guard);
}

/**
 * Looks whether an archive can come back, and says how. Nothing is changed.
 * @throws TreelineError `path-taken`, `mounted`
 */
export async function planRestore(
  repository: Repository,
  { worktree, archive: archived }: WorktreeMove,
  original: string,
): Promise<WorktreeMove> {
  const archive = archiveIn(repository, archived);
  const { registration, files } = archive;
  if ((await exists(files)) && (await exists(worktree)) && !(await isEmptyFolder(worktree))) {
    throw new TreelineError(say('path-taken.files', { folder: worktree }));
  }
  await refuseMounts(files, 'moved');
  await refuseMounts(worktree, 'replaced');
  if (registration === undefined || !(await exists(registration.to))) return { worktree, archive };
  const all = await listWorktrees(repository);
  if (all.some((each) => each.path === worktree)) {
    throw new TreelineError(say('path-taken.registered', { folder: worktree }));
  }
  const from = await freeName(registration.from);
  if ((from !== registration.from || worktree !== original) && (await exists(path.join(registration.to, 'modules')))) {
    throw new TreelineError(say('path-taken.submodules', { folder: original, registration: registration.from }));
  }
  return { worktree, archive: { ...archive, registration: { ...registration, from } } };
}

/**
 * Brings a worktree back from the trash, as planRestore said. May be called again after a crash in the middle. The branch that
 * was checked out is made again where it is gone; where it has moved on or is checked out elsewhere, HEAD stays at the commit
 * it was at, detached, so that the restored index does not look like a change of the newer commits.
 *
 * @returns what is said of what is not as it was, a HEAD or branch, or files that somebody deleted; undefined when all is.
 * @throws TreelineError `path-taken`, `worktree-busy`, `other-device`
 */
export async function moveBack(
  repository: Repository,
  asked: WorktreeMove,
  guard: Guard = unguarded,
): Promise<Saying | undefined> {
  const move = { ...asked, archive: archiveIn(repository, asked.archive) };
  const { worktree, archive } = move;
  const { registration, files } = archive;
  if (await exists(files)) {
    guard();
    if (await isEmptyFolder(worktree)) await rmdir(worktree);
    if (await exists(worktree)) {
      throw new TreelineError(say('path-taken.meanwhile', { folder: worktree }));
    }
    await moveOnce(files, worktree, guard, 0o777);
  }
  let note: Saying | undefined;
  if (registration !== undefined) {
    if (await exists(registration.to)) {
      if (await exists(registration.from)) {
        throw new TreelineError(say('path-taken.registration', { folder: registration.from }));
      }
      guard();
      note = await settleHead(repository, registration.to, archive);
      await point(path.join(registration.to, 'gitdir'), registration.from, path.join(worktree, '.git'), '');
      await moveOnce(registration.to, registration.from, guard, 0o777);
    }
    if ((await isFolder(worktree)) && (await exists(registration.from))) {
      guard();
      await point(path.join(worktree, '.git'), worktree, registration.from, 'gitdir: ');
    }
  }
  note = (await whatIsGone(move)) ?? note;
  guard();
  await releaseObjects(repository, archive, false);
  await rmdir(path.dirname(files)).catch(() => undefined);
  return note;
}

/**
 * Looks whether all that an archive set aside can be deleted. Nothing is changed.
 * @throws TreelineError `mounted`, `not-deletable`
 */
export async function planPurge(repository: Repository, archived: Archive): Promise<void> {
  const archive = archiveIn(repository, archived);
  for (const tree of treesOf(archive)) await refuseUnremovable(tree);
}

/**
 * Deletes what an archive set aside, or nothing where {@link planPurge} finds a reason. May be called again after a crash in the
 * middle. The branch stays, and the commit that was checked out stays under a ref of Treeline's where no branch or tag holds it.
 */
export async function purgeArchive(repository: Repository, archived: Archive, guard: Guard = unguarded): Promise<void> {
  const archive = archiveIn(repository, archived);
  await planPurge(repository, archived);
  for (const tree of treesOf(archive)) await removeGuarded(tree, guard);
  guard();
  await releaseObjects(repository, archive, true);
  await rmdir(path.dirname(archive.files)).catch(() => undefined);
}

/** Under another name first: what is archived here later is out of reach of a deletion that goes on late. */
async function removeGuarded(tree: string, guard: Guard): Promise<void> {
  const condemned = `${tree}${CONDEMNED}`;
  guard();
  // A deletion that a crash cut short. What is left goes back first: where it cannot be deleted, a restore finds it.
  if (await exists(tree)) await removeTree(condemned);
  else if (await exists(condemned)) await renameGuarded(condemned, tree, guard);
  else return;
  await renameGuarded(tree, condemned, guard);
  try {
    await removeTree(condemned);
  } catch (error) {
    guard();
    await rename(condemned, tree).catch(() => undefined);
    throw error;
  }
}

function treesOf({ files, registration }: Archive): readonly string[] {
  return registration === undefined ? [files] : [files, registration.to];
}

/** How many files of an archive git does not hold as they are: changed, staged, untracked and ignored ones. */
export async function countFilesNotInGit(
  repository: Repository,
  archive: Archive,
  signal?: AbortSignal,
): Promise<number> {
  const { files, registration } = archiveIn(repository, archive);
  if (registration === undefined || !(await exists(files)) || !(await exists(registration.to))) return 0;
  const args = ['--git-dir', registration.to, '--work-tree', files, 'status', '--porcelain=v1', '-z', '--no-renames'];
  const all = [...args, '--untracked-files=all', '--ignored=traditional', '--ignore-submodules=all'];
  let count = 0;
  for await (const _record of gitRecords(files, all, { signal })) count++;
  return count;
}

/** What is said of a part that was not there to be brought back. */
async function whatIsGone({ worktree, archive: { files, registration } }: WorktreeMove): Promise<Saying | undefined> {
  if (!(await exists(worktree))) {
    return say('files-gone', { worktree, trash: files });
  }
  if (registration === undefined || (await exists(registration.from))) return undefined;
  return say('registration-gone', { worktree, registration: registration.to });
}

/** A rename that may have been done before: then, or when there is nothing to move, it does nothing. */
async function moveOnce(from: string, to: string, guard: Guard, mode = PRIVATE_FOLDER): Promise<void> {
  if (!(await exists(from)) || (await exists(to))) return;
  await refuseMounts(from, 'moved');
  try {
    await mkdir(path.dirname(to), { recursive: true, mode });
  } catch (cause) {
    throw new TreelineError(say('no-folder.parent', { folder: path.dirname(to), reason: reasonOf(cause) }), { cause });
  }
  try {
    await renameGuarded(from, to, guard);
  } catch (error) {
    guard();
    if (hasCode(error, 'ENOENT')) return; // Another window did it.
    if (hasCode(error, 'EXDEV')) {
      throw new TreelineError(say('other-device', { folder: from, target: to }), { cause: error });
    }
    throw new TreelineError(say('worktree-busy', { folder: from, reason: reasonOf(error) }), { cause: error });
  }
  await syncFolder(path.dirname(to));
  await syncFolder(path.dirname(from));
}

/** A folder that git does not know may be moved only if it is not the worktree or the clone of some other repository. */
async function refuseStranger({ commonDir, name }: Repository, worktree: string): Promise<void> {
  const file = path.join(worktree, '.git');
  if (!(await exists(file))) return;
  const text = await readFile(file).catch(() => Buffer.alloc(0));
  const target = path.resolve(worktree, withoutNewline(text).replace(/^gitdir: /, ''));
  if (isInside(target, path.join(commonDir, 'worktrees'))) return;
  throw new TreelineError(say('not-our-worktree', { worktree, repository: name }));
}

async function refuseWhileGitRuns(registration: string): Promise<void> {
  const lock = path.join(registration, 'index.lock');
  if (!(await exists(lock))) return;
  throw new TreelineError(say('worktree-in-use.git', { file: lock }));
}

/** Whether a rename between the two can work: a first guess, the rename itself is the judge. */
async function isSameDevice(worktree: string, trash: string): Promise<boolean> {
  const device = async (file: string): Promise<number> => {
    for (let there = file; ; there = path.dirname(there)) {
      const found = await stat(there).catch(() => undefined);
      if (found !== undefined) return found.dev;
    }
  };
  return (await device(path.dirname(worktree))) === (await device(trash));
}

/** `…/worktrees/name`, or with -2, -3 … where that is another worktree's by now. */
async function freeName(wanted: string): Promise<string> {
  for (let count = 1; ; count++) {
    const name = count === 1 ? wanted : `${wanted}-${count}`;
    if (!(await exists(name))) return name;
  }
}

/** Sees to it that the archived HEAD means what it meant. */
async function settleHead(
  repository: Repository,
  gitDir: string,
  { branch, commit }: Archive,
): Promise<Saying | undefined> {
  if (branch === undefined || commit === undefined) return undefined;
  const common = ['--git-dir', repository.commonDir];
  const ref = `refs/heads/${branch}`;
  const found = await tryGit(repository.commonDir, [...common, 'rev-parse', '--verify', '--quiet', ref]);
  const tip = withoutNewline(found.stdout);
  if (found.exitCode !== 0) {
    const args = ['update-ref', '-m', 'branch: Restored from an archive', ref, commit, '0'.repeat(commit.length)];
    const made = await tryGit(repository.commonDir, [...common, ...args], { writes: true });
    if (made.exitCode === 0) return say('branch-again', { branch });
    if (!/already exists|exists; cannot create/.test(made.stderr)) {
      throw gitError({ args, cwd: repository.commonDir, ...made });
    }
  }
  const elsewhere = (await listWorktrees(repository)).find((each) => each.branch === branch);
  if (tip === commit && elsewhere === undefined) return undefined;
  // As git does it, because a repository may keep its refs in another form than in files.
  await git(repository.commonDir, ['--git-dir', gitDir, 'update-ref', '--no-deref', 'HEAD', commit], { writes: true });
  const at = { branch, commit: commit.slice(0, 10) };
  return elsewhere === undefined
    ? say('head-detached.moved', at)
    : say('head-detached.elsewhere', { ...at, folder: elsewhere.path });
}

/** Has one of git's two pointer files say `target`, if it does not, or is gone; it may say so by a relative path. */
async function point(file: string, base: string, target: string, prefix: string): Promise<void> {
  const text = await readIfExists(file);
  if (text !== undefined && path.resolve(base, withoutNewline(text).slice(prefix.length)) === target) return;
  await writeFile(file, `${prefix}${target}\n`);
}

async function isFolder(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined))?.isDirectory() === true;
}

async function isEmptyFolder(folder: string): Promise<boolean> {
  return readdir(folder).then(
    (names) => names.length === 0,
    () => false,
  );
}

function withoutNewline(text: Uint8Array): string {
  return Buffer.from(text)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}
