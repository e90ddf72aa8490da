import { mkdir, readdir, rename, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { hasCode, TreelineError, reasonOf } from '../platform/errors.ts';
import { renameGuarded, unguarded, type Guard } from '../platform/guard.ts';
import { say } from '../words/saying.ts';
import { refuseMounts } from '../platform/mounts.ts';
import { removeTree } from '../platform/remove-tree.ts';
import { isBranchName } from './branch-name.ts';
import { gitText, tryGit, type GitOptions, type GitResult } from './git.ts';
import { gitError, lastWords } from './git-error.ts';
import { clearHalfMade } from './half-made.ts';
import { hasReady, WarmWorktree } from './pool.ts';
import { noCommit } from './refs.ts';
import { recordOf } from './registration.ts';
import { resolveCommit } from './repository.ts';
import { reserveFolder, type ReservedFolder } from './reserved-folder.ts';
import { retrying } from './retry.ts';
import type { Repository, Worktree } from './types.ts';
import { exists, INITIALIZING, listWorktrees } from './worktree-list.ts';

export { listWorktrees } from './worktree-list.ts';

export interface AddWorktree {
  /** Absolute path of a folder that is not there yet. Folders above it are made. */
  readonly path: string;
  /** Short name of a branch that is not there yet. */
  readonly branch: string;
  /** Branch, tag or commit that the new branch starts at. */
  readonly base: string;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for the checkout and its hook; 10 minutes by default. */
  readonly timeoutMs?: number;
  /** Variables for git and its hooks, by which their processes can be found if this one dies. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether a worktree of the pool will do, if one is ready. */
  readonly warm?: boolean;
  /** Called, perhaps twice, when git is at work on the files: what is to run beside it can be started. */
  readonly onBegun?: (() => void) | undefined;
  /** After it throws, nothing more is made, and what was made is left to whoever has taken over. */
  readonly guard?: Guard | undefined;
}

export interface AddedWorktree {
  /** The real path. */
  readonly path: string;
  /** The commit that the branch was made at. */
  readonly commit: string;
  /** One sentence about a hook that failed after a complete checkout. */
  readonly warning?: string;
  /** True when it came out of the pool. */
  readonly warm?: true;
}

/** What addWorktree made, for its undo. */
export interface MadeWorktree {
  readonly path: string;
  readonly branch: string;
  readonly commit: string;
}

const CHECKOUT_TIMEOUT_MS = 600_000;
/** In the git directory: git's folders of worktrees that it is not to see. */
const REGISTRATIONS = 'treeline';

/**
 * Makes a branch at `base` and a worktree with it checked out. After a failure, a cancel or a timeout, nothing of it is left;
 * a post-checkout hook that fails once the checkout is complete is a warning, as it is to git.
 *
 * The branch is made first, by itself. git refuses where one of that name exists, so this never resets somebody's branch; and
 * after a failure it is certain that the branch is ours and may be deleted.
 */
export async function addWorktree(repository: Repository, request: AddWorktree): Promise<AddedWorktree> {
  const { branch, signal, guard = unguarded } = request;
  if (!isBranchName(branch)) {
    throw new TreelineError(say('bad-branch-name', { branch: JSON.stringify(branch) }));
  }
  const commit = /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(request.base)
    ? request.base
    : await resolveCommit(repository, request.base, signal);

  guard();
  const folder = await reserveFolder(request.path);
  const made = { path: folder.path, branch, commit };
  const isWarm = request.warm === true && (await hasReady(repository));
  // Brought to its commit while the branch is made.
  const warm = isWarm ? WarmWorktree.take(repository, commit, request) : undefined;
  if (isWarm) request.onBegun?.();
  try {
    guard();
    await createBranch(repository, made, request.env);
  } catch (error) {
    await (await warm)?.giveBack();
    await folder.release();
    throw error;
  }
  try {
    return { path: made.path, commit, ...(await checkOut(repository, folder, made, request, await warm)) };
  } catch (error) {
    guard();
    try {
      await deleteUntouchedBranch(repository, made, guard);
    } catch (left) {
      throw new TreelineError(say('branch-left', { problem: reasonOf(error), branch, reason: reasonOf(left) }), {
        cause: error,
      });
    }
    throw error;
  }
}

/** Checks a branch out into a reserved folder, or moves a worktree of the pool there. After a failure the folder is gone again. */
async function checkOut(
  repository: Repository,
  folder: ReservedFolder,
  { branch, commit }: Pick<MadeWorktree, 'branch' | 'commit'>,
  {
    signal,
    timeoutMs = CHECKOUT_TIMEOUT_MS,
    env = {},
    onBegun,
    guard = unguarded,
  }: Omit<AddWorktree, 'path' | 'branch' | 'base'>,
  warm?: WarmWorktree,
): Promise<Pick<AddedWorktree, 'warm' | 'warning'>> {
  const isDone = (): Promise<boolean> => isComplete(repository, folder.path);
  try {
    const isThere = (await warm?.moveTo(folder.path, branch, guard)) ?? false;
    const from = isThere ? { warm: true as const } : {};
    if (isThere && warm?.mayHaveHook === false) return from;
    const hook = ['hook', 'run', '--ignore-missing', 'post-checkout', '--', noCommit(commit), commit, '1'];
    const args = isThere
      ? ['-C', folder.path, ...hook]
      : ['--git-dir', repository.commonDir, 'worktree', 'add', '--', folder.path, branch];
    const run = (): Promise<GitResult> => {
      guard();
      return tryGit(repository.commonDir, args, { signal, timeoutMs, env, writes: true });
    };
    const running = retrying(run, isDone);
    onBegun?.();
    const result = await running;
    if (result.exitCode === 0) return from;
    // git removes what it made when the checkout fails. If it is there, the checkout is complete, and the exit code is the hook's.
    if (!(await isDone())) throw gitError({ args, cwd: repository.root, ...result });
    const how = `exit ${String(result.exitCode)}`;
    return {
      ...from,
      warning: `The repository's post-checkout hook failed (${how}) after the checkout: ${lastWords(result) ?? 'it said nothing.'}`,
    };
  } catch (error) {
    const failure = await namingHook(repository, folder.path, error);
    guard();
    try {
      await discardFolder(repository, folder.path, branch, { isOurs: await folder.isOurs(), guard });
      await folder.release();
    } catch (left) {
      throw new TreelineError(
        say('worktree-left', { problem: reasonOf(failure), worktree: folder.path, reason: reasonOf(left) }),
        { cause: failure },
      );
    }
    throw failure;
  }
}

/**
 * Takes back a worktree that addWorktree made and that nobody has used. The branch goes only if it is still at the commit it was
 * made at. Refuses (`worktree-in-use`) when the worktree holds anything that git does not, ignored files included. What is
 * already gone is fine, so that it can be repeated after a crash. A worktree that git never finished is removed whole.
 */
export async function undoWorktree(
  repository: Repository,
  made: MadeWorktree,
  guard: Guard = unguarded,
): Promise<{ readonly branchDeleted: boolean }> {
  guard();
  await settleRemoval(repository, made.path);
  await clearHalfMade(repository, made.path, guard);
  const worktrees = await listWorktrees(repository);
  const found = worktrees.find((worktree) => worktree.path === made.path);
  if (found?.main === true) {
    throw new TreelineError(say('worktree-in-use.main', { worktree: made.path }));
  }
  if (found?.locked === INITIALIZING && (found.branch ?? made.branch) === made.branch) {
    await discardFolder(repository, made.path, made.branch, { isOurs: false, guard });
  } else if (found === undefined) {
    guard();
    // rmdir removes an empty folder only, so whatever else is there stays.
    await rmdir(made.path).catch((error: unknown) => {
      if (hasCode(error, 'ENOENT')) return;
      throw new TreelineError(say('worktree-in-use.unknown', { worktree: made.path, repository: repository.name }), {
        cause: error,
      });
    });
  } else {
    if (found.locked !== undefined) {
      throw new TreelineError(
        say('worktree-in-use.locked', { worktree: made.path, reason: found.locked || say('no-reason') }),
      );
    }
    if (await exists(made.path)) await refuseIfUsed(made, found);
    else await refuseIfStray(repository, found, made.branch);
    // Once more where nobody finds it any more: somebody may have written meanwhile.
    const look = (aside: string): Promise<void> => refuseIfUsed(made, found, aside);
    await removeWorktree(repository, made.path, guard, { look });
  }
  return { branchDeleted: await deleteUntouchedBranch(repository, made, guard) };
}

/**
 * Checks the branch out again at a path whose worktree folder is missing. Only the stale registration of that path is pruned.
 * Throws a TreelineError: `branch-missing`, `branch-checked-out` (naming where), `path-taken`, `worktree-locked`.
 */
export async function recreateWorktree(
  repository: Repository,
  { path: wanted, branch, signal, env = {}, guard = unguarded }: Omit<AddWorktree, 'base'>,
): Promise<AddedWorktree> {
  const ref = await tryGit(
    repository.commonDir,
    ['--git-dir', repository.commonDir, 'rev-parse', '--verify', '--quiet', `refs/heads/${branch}^{commit}`],
    { signal },
  );
  const commit = ref.stdout.toString('utf8').trim();
  if (ref.exitCode !== 0) {
    if (await holdsFiles(wanted)) {
      throw new TreelineError(say('branch-missing.files', { worktree: wanted, branch }));
    }
    throw new TreelineError(say('branch-missing', { branch, worktree: wanted }));
  }
  const worktrees = await listWorktrees(repository, { signal });
  const elsewhere = worktrees.find((worktree) => worktree.branch === branch && worktree.path !== wanted);
  if (elsewhere) {
    throw new TreelineError(say('branch-checked-out', { branch, folder: elsewhere.path }));
  }
  let stale = worktrees.find((worktree) => worktree.path === wanted);
  if (stale?.locked === INITIALIZING) {
    // A checkout that was killed. Nobody ever worked in it.
    await discardFolder(repository, wanted, branch, { isOurs: false, guard });
    stale = undefined;
  }
  guard();
  await settleRemoval(repository, wanted);
  const taken = new TreelineError(say('path-taken.other', { folder: wanted, branch }));
  if ((await exists(wanted)) && !(await isRemovedEmpty(wanted))) throw taken;
  if (stale) {
    if (stale.locked !== undefined) {
      throw new TreelineError(
        say('worktree-locked.missing', { worktree: wanted, reason: stale.locked || say('no-reason') }),
      );
    }
    await refuseIfStray(repository, stale, branch);
    // Its registration and no other, where `git worktree prune` takes all. A folder that has come back meanwhile stays.
    await removeWorktree(repository, wanted, guard, { look: () => Promise.reject(taken) });
  }
  guard();
  const folder = await reserveFolder(wanted);
  return {
    path: folder.path,
    commit,
    ...(await checkOut(repository, folder, { branch, commit }, { signal, env, guard })),
  };
}

/** Whether there is a folder with anything in it. */
async function holdsFiles(folder: string): Promise<boolean> {
  return readdir(folder).then(
    (names) => names.length > 0,
    () => false,
  );
}

/** Removes a folder that is empty, as one that was reserved and never filled; whether it is gone. */
async function isRemovedEmpty(folder: string): Promise<boolean> {
  return rmdir(folder).then(
    () => true,
    () => false,
  );
}

/**
 * Makes the branch if there is none of that name: the all-zero old id tells git so. Takes no signal: after a cancel in the
 * middle, it would be unknown whether the branch is there and ours.
 */
async function createBranch(
  repository: Repository,
  { branch, commit }: MadeWorktree,
  env: GitOptions['env'] = {},
): Promise<void> {
  const message = `branch: Created from ${commit}`;
  await mustGit(repository, ['update-ref', '-m', message, `refs/heads/${branch}`, commit, noCommit(commit)], { env });
}

/**
 * Removes what an unfinished checkout of `branch` left: only for worktrees that were never handed out.
 * @param isOurs whether the folder is known to be ours though git does not have it registered, or not any more.
 */
async function discardFolder(
  repository: Repository,
  folder: string,
  branch: string,
  { isOurs, guard }: { readonly isOurs: boolean; readonly guard: Guard },
): Promise<void> {
  const found = (await listWorktrees(repository)).find((worktree) => worktree.path === folder);
  const registered = found !== undefined && (found.branch ?? branch) === branch;
  // git may hold a record of an older worktree of that path, which is none of ours.
  if (isOurs || registered) await removeWorktree(repository, folder, guard, { record: registered });
}

/**
 * Removes a worktree's files and git's record of it. Both are renamed first, and deleted under names that nobody else uses: a
 * deletion that goes on late never meets what somebody has made in their place.
 * @param record whether git's record goes as well; true by default.
 * @param look at the files where they are then; when it throws, they are put back.
 */
async function removeWorktree(
  repository: Repository,
  folder: string,
  guard: Guard,
  {
    record: takesRecord = true,
    look,
  }: { readonly record?: boolean; readonly look?: (aside: string) => Promise<void> } = {},
): Promise<void> {
  const aside = asideOf(repository, folder);
  await refuseMounts(folder, 'deleted');
  guard();
  await settleRemoval(repository, folder);
  if (await exists(folder)) {
    await renameGuarded(folder, aside.files, guard);
    try {
      await look?.(aside.files);
    } catch (error) {
      guard();
      await rename(aside.files, folder);
      throw error;
    }
  }
  const record = takesRecord ? await recordOf(repository, folder) : undefined;
  if (record !== undefined) {
    await mkdir(path.dirname(aside.record), { recursive: true });
    await renameGuarded(record, aside.record, guard);
  }
  await removeTree(aside.files);
  await removeTree(aside.record);
  for (const empty of [aside.record, record ?? folder]) await rmdir(path.dirname(empty)).catch(() => undefined);
}

/** Brings to an end what a crash left of a removal: what was decided is done, else the files are put back. */
async function settleRemoval(repository: Repository, folder: string): Promise<void> {
  const aside = asideOf(repository, folder);
  if (await exists(aside.record)) {
    await removeTree(aside.files);
    await removeTree(aside.record);
  } else if ((await exists(aside.files)) && !(await exists(folder))) {
    await rename(aside.files, folder);
  }
}

/** Where the two parts of a worktree lie while they are being deleted: on the same file systems as before. */
function asideOf({ commonDir }: Repository, folder: string): { readonly files: string; readonly record: string } {
  const leaf = path.basename(folder);
  return {
    files: path.join(path.dirname(folder), `.treeline-deleted-${leaf}`),
    record: path.join(commonDir, REGISTRATIONS, `deleted-${leaf}`),
  };
}

/** Deletes the branch if it is at the commit it was made at and checked out nowhere; returns whether there is none of that name now. */
async function deleteUntouchedBranch(
  repository: Repository,
  { branch, commit }: MadeWorktree,
  guard: Guard,
): Promise<boolean> {
  const ref = `refs/heads/${branch}`;
  const used = (await listWorktrees(repository)).some((worktree) => worktree.branch === branch);
  guard();
  if (!used && (await writeGit(repository, ['update-ref', '-d', ref, commit])).exitCode === 0) {
    try {
      guard();
    } catch (error) {
      // Somebody else's by now, at the same commit.
      await writeGit(repository, ['update-ref', ref, commit, noCommit(commit)]);
      throw error;
    }
    return true;
  }
  const there = await tryGit(repository.commonDir, [
    '--git-dir',
    repository.commonDir,
    'rev-parse',
    '--verify',
    '--quiet',
    ref,
  ]);
  return there.exitCode !== 0;
}

/** Throws when the worktree holds anything that git does not hold for it. */
async function refuseIfUsed(
  { path: folder, branch }: MadeWorktree,
  worktree: Worktree,
  files: string = folder,
): Promise<void> {
  if (worktree.branch !== branch) {
    throw new TreelineError(
      say('worktree-in-use.branch', { worktree: folder, branch: worktree.branch ?? say('no-branch'), wanted: branch }),
    );
  }
  const status = await gitText(files, [
    'status',
    '--porcelain=v1',
    '-z',
    '--ignored=matching',
    '--untracked-files=normal',
    '--ignore-submodules=none',
  ]);
  const [first] = status.split('\0');
  if (first !== undefined && first !== '') {
    throw new TreelineError(say('worktree-in-use.files', { worktree: folder, file: first.slice(3) }));
  }
}

/** A missing worktree's registration can be the last thing that keeps a commit: a detached HEAD. Throws when it is. */
async function refuseIfStray(repository: Repository, worktree: Worktree, branch: string): Promise<void> {
  if (worktree.head === undefined || worktree.branch !== undefined) return;
  const holder = await gitText(repository.commonDir, [
    '--git-dir',
    repository.commonDir,
    'for-each-ref',
    '--count=1',
    `--contains=${worktree.head}`,
  ]);
  if (holder !== '') return;
  throw new TreelineError(say('stray-commit', { worktree: worktree.path, commit: worktree.head, branch }));
}

/** Whether git knows the worktree and has finished its checkout. */
export async function isComplete(repository: Repository, folder: string): Promise<boolean> {
  const found = (await listWorktrees(repository)).find((worktree) => worktree.path === folder);
  return found !== undefined && found.locked !== INITIALIZING && (await exists(path.join(folder, '.git')));
}

/** A timeout after a complete checkout is a hook that hangs: the error names it. */
async function namingHook(repository: Repository, folder: string, error: unknown): Promise<unknown> {
  if (!(error instanceof TreelineError) || error.code !== 'timeout' || !(await isComplete(repository, folder))) {
    return error;
  }
  return new TreelineError(say('hook-timeout', { folder }), { cause: error });
}

async function mustGit(repository: Repository, args: readonly string[], options: GitOptions = {}): Promise<void> {
  const result = await writeGit(repository, args, options);
  if (result.exitCode !== 0) throw gitError({ args, cwd: repository.commonDir, ...result });
}

/** A git that writes to the repository, with retries. */
function writeGit(repository: Repository, args: readonly string[], options: GitOptions = {}): Promise<GitResult> {
  const whole = ['--git-dir', repository.commonDir, ...args];
  return retrying(() => tryGit(repository.commonDir, whole, { ...options, writes: true }));
}
