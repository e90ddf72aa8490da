import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { nonEmpty, parseJson, shape } from '../platform/check.ts';
import { hasCode, TreelineError } from '../platform/errors.ts';
import { say } from '../words/saying.ts';
import { isInside, PRIVATE_FOLDER } from '../platform/paths.ts';
import { renameGuarded, unguarded, type Guard } from '../platform/guard.ts';
import { refuseMounts } from '../platform/mounts.ts';
import { removeTree } from '../platform/remove-tree.ts';
import { checkoutProfile } from './checkout-profile.ts';
import { git, gitText, type GitOptions } from './git.ts';
import { checkOutFiles, gitdirOf, headOn, namesIn, pointTo, QUIET, register, registrationOf } from './registration.ts';
import type { Repository } from './types.ts';
import { exists, INITIALIZING } from './worktree-list.ts';

/**
 * Worktrees that are checked out before anybody asks for them. git does not know of them, because it looks in the folder
 * `worktrees` of the common git directory, and their registrations lie in a folder of their own beside it. So neither
 * `git worktree list` nor `prune` sees them. Two renames give one out; the first decides which of two windows gets it.
 *
 * A registration's name tells its state: `<id>` is ready, `making-<id>` is being checked out, `taken-<id>` is being given out.
 */
const REGISTRATIONS = 'treeline-warm';
/** Their files lie beside those of the worktrees, because a rename needs the same file system. */
const TREES = '.treeline-warm';

const READY = /^[0-9a-f]{12}$/;
const UNDER_WAY = /^(?:making|taken)-([0-9a-f]{12})$/;
/** What takes longer than a checkout may take was left behind by a process that died. */
const ABANDONED_MS = 15 * 60_000;
const FILL_TIMEOUT_MS = 600_000;
/** git reads each file again that is not at least a second older than its index (git's racy-git.txt). */
const REST_MS = 1100;

/** In a registration, until it is git's: what the pool knows of it. */
const NOTE = 'treeline-note.json';

interface Note {
  /** Its files. git's own `gitdir` says so too, but is the first to change when they are given out. */
  readonly tree: string;
  /** What the checkout depended on. */
  readonly fingerprint: string;
}

const readNote = shape({ tree: nonEmpty, fingerprint: nonEmpty });

export interface FillOptions {
  /** The folder of the repository's worktrees. */
  readonly folder: string;
  /** What to check out; what is asked for later is likely to be this or near it. */
  readonly commit: string;
  readonly signal?: AbortSignal | undefined;
  /** How long the files rest before git looks at them once more, so that it need not read them when they are wanted: ms. */
  readonly restMs?: number;
}

/**
 * Checks one more worktree out into the pool, at low priority. Whether one was: a repository whose worktrees depend on more than
 * a commit and the configuration (sparse, partial, its own configuration for each worktree) gets none.
 */
export async function fillPool(
  repository: Repository,
  { folder, commit, signal, restMs = REST_MS }: FillOptions,
): Promise<boolean> {
  const found = await checkoutProfile(repository);
  if (found === undefined) return false;
  const id = randomBytes(6).toString('hex');
  const entry = entryOf(repository, `making-${id}`);
  const trees = path.join(folder, TREES);
  await mkdir(trees, { recursive: true });
  await chmod(trees, PRIVATE_FOLDER);
  const tree = path.join(trees, id);
  const note: Note = { tree, fingerprint: found.fingerprint };
  try {
    await mkdir(entry, { recursive: true });
    await writeFile(path.join(entry, NOTE), JSON.stringify(note));
    await mkdir(tree);
    await register(entry, tree, commit);
    const options = { signal, low: true, writes: true, timeoutMs: FILL_TIMEOUT_MS };
    await checkOutFiles(entry, tree, commit, { ...options, config: QUIET });
    await delay(restMs, undefined, signal && { signal });
    await git(tree, ['--git-dir', entry, '--work-tree', tree, ...QUIET, 'update-index', '--refresh'], options);
    await rename(entry, entryOf(repository, id));
    return true;
  } catch (error) {
    await removeTree(entry);
    await removeTree(tree);
    throw error;
  }
}

/** Whether a worktree is ready, so that it is worth while to ask for one. */
export async function hasReady(repository: Repository): Promise<boolean> {
  const names = await namesIn(path.join(repository.commonDir, REGISTRATIONS)).catch(() => []);
  return names.some((name) => READY.test(name));
}

/** How many worktrees are ready or being made, by whichever window. */
export async function poolSize(repository: Repository): Promise<number> {
  const names = await namesIn(path.join(repository.commonDir, REGISTRATIONS));
  return names.filter((name) => READY.test(name) || name.startsWith('making-')).length;
}

/**
 * Removes what windows that died have left of the pool, and of the worktrees that are ready all but `keep`. Whether anything was
 * removed. Starts no git.
 */
export async function tidyPool(repository: Repository, folder: string, keep: number): Promise<boolean> {
  const registrations = path.join(repository.commonDir, REGISTRATIONS);
  const names = await namesIn(registrations);
  let removed = false;
  for (const name of names) {
    if (UNDER_WAY.test(name) && (await isOlder(path.join(registrations, name), ABANDONED_MS))) {
      await discard(entryOf(repository, name));
      removed = true;
    }
  }
  for (const id of names.filter((name) => READY.test(name)).slice(keep)) {
    const taken = await take(repository, id);
    if (taken === undefined) continue;
    await discard(taken);
    removed = true;
  }
  const trees = path.join(folder, TREES);
  const known = new Set((await namesIn(registrations)).map((name) => UNDER_WAY.exec(name)?.[1] ?? name));
  for (const id of (await namesIn(trees)).filter((name) => READY.test(name) && !known.has(name))) {
    const tree = path.join(trees, id);
    if (!(await isOlder(tree, ABANDONED_MS))) continue;
    const registration = await registrationOf(tree).catch(() => undefined);
    // The folder may be shared by several repositories: a tree that names another one, or none, is not ours.
    if (registration === undefined || !isInside(registration, repository.commonDir)) continue;
    await removeTree(tree);
    removed = true;
  }
  // Fails while there is something in it.
  for (const empty of [trees, registrations]) await rmdir(empty).catch(() => undefined);
  return removed;
}

/** A worktree of the pool that is this process's alone, checked out at the commit that was asked for. */
export class WarmWorktree {
  /** Whether the repository may have a post-checkout hook, which has not run yet. */
  readonly mayHaveHook: boolean;
  readonly #repository: Repository;
  readonly #entry: string;
  readonly #tree: string;

  /**
   * Takes one out of the pool and brings it to `commit`. Undefined when there is none, or none that is as a fresh checkout
   * would be: files or configuration changed meanwhile, or git failed. Never throws.
   */
  static async take(
    repository: Repository,
    commit: string,
    options: Pick<GitOptions, 'signal' | 'env'> = {},
  ): Promise<WarmWorktree | undefined> {
    const names = await namesIn(path.join(repository.commonDir, REGISTRATIONS)).catch(() => []);
    for (const id of names.filter((name) => READY.test(name))) {
      const entry = await take(repository, id).catch(() => undefined);
      if (entry === undefined) continue;
      try {
        const { tree, fingerprint } = await noteOf(entry);
        const [now] = await Promise.all([checkoutProfile(repository), bringTo(entry, tree, commit, options)]);
        if (now?.fingerprint === fingerprint) return new WarmWorktree(repository, entry, tree, now.mayHaveHook);
      } catch {
        // Whatever is wrong with it: it costs nothing to make another one.
      }
      await discard(entry).catch(() => undefined);
    }
    return undefined;
  }

  private constructor(repository: Repository, entry: string, tree: string, mayHaveHook: boolean) {
    this.mayHaveHook = mayHaveHook;
    this.#repository = repository;
    this.#entry = entry;
    this.#tree = tree;
  }

  /**
   * Makes it git's worktree at `folder`, an empty folder of the caller's, with `branch` checked out. Until the last step git has
   * it locked as being made, like a worktree that `git worktree add` is at work on, so that a death in the middle is undone in the
   * same way. False when that fails; it is gone then, and the folder is as it was.
   */
  async moveTo(folder: string, branch: string, guard: Guard = unguarded): Promise<boolean> {
    const worktrees = path.join(this.#repository.commonDir, 'worktrees');
    let registration: string | undefined;
    try {
      await mkdir(worktrees, { recursive: true });
      const leaf = path.basename(folder);
      const isTaken = await exists(path.join(worktrees, leaf));
      const wanted = path.join(worktrees, isTaken ? `${leaf}-${path.basename(this.#tree)}` : leaf);
      await Promise.all([
        writeFile(path.join(this.#entry, 'HEAD'), headOn(branch)),
        writeFile(path.join(this.#entry, 'gitdir'), gitdirOf(folder)),
        writeFile(path.join(this.#entry, 'locked'), INITIALIZING),
        pointTo(wanted, this.#tree),
        // A new worktree has neither: they name the commits that this one was at while it waited in the pool.
        ...['logs/HEAD', 'ORIG_HEAD'].map((name) => rm(path.join(this.#entry, name), { force: true })),
      ]);
      await renameGuarded(this.#entry, wanted, guard);
      registration = wanted;
      // rename(2) replaces an empty folder; Windows (not run here) does not.
      if (process.platform === 'win32') await rmdir(folder);
      await renameGuarded(this.#tree, folder, guard);
    } catch {
      // Where somebody else makes it by now, a registration of that name is his.
      if (registration !== undefined) guard();
      await discard(registration ?? this.#entry).catch(() => undefined);
      if (process.platform === 'win32') await mkdir(folder, { recursive: true });
      return false;
    }
    guard();
    await rm(path.join(registration, NOTE));
    await rm(path.join(registration, 'locked'));
    return true;
  }

  /** Puts it back for the next one. */
  async giveBack(): Promise<void> {
    const id = UNDER_WAY.exec(path.basename(this.#entry))?.[1] ?? '';
    await rename(this.#entry, entryOf(this.#repository, id)).catch(() => undefined);
  }
}

function entryOf({ commonDir }: Repository, name: string): string {
  return path.join(commonDir, REGISTRATIONS, name);
}

/** Makes a ready one ours; undefined when another window was quicker. */
async function take(repository: Repository, id: string): Promise<string | undefined> {
  const taken = entryOf(repository, `taken-${id}`);
  try {
    await rename(entryOf(repository, id), taken);
    // Its age counts from now on.
    await writeFile(path.join(taken, 'locked'), '');
    return taken;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function discard(entry: string): Promise<void> {
  // The files first: without the registration nobody would know whose they are.
  const note = await noteOf(entry).catch(() => undefined);
  if (note !== undefined) await removeTree(note.tree);
  await removeTree(entry);
}

async function noteOf(entry: string): Promise<Note> {
  return parseJson(await readFile(path.join(entry, NOTE), 'utf8'), readNote, NOTE);
}

/** Brings a waiting worktree to a commit, which touches only files that differ. Throws when it holds anything but that commit. */
async function bringTo(entry: string, tree: string, commit: string, options: GitOptions): Promise<void> {
  await refuseMounts(tree, 'used');
  const head = (await readFile(path.join(entry, 'HEAD'), 'utf8')).trim();
  if (head !== commit) await checkOutFiles(entry, tree, commit, { ...options, config: QUIET });
  const where = ['--git-dir', entry, '--work-tree', tree, ...QUIET];
  const strange = await gitText(tree, [...where, 'ls-files', '--modified', '--deleted', '--others', '-z'], options);
  if (strange !== '') throw new TreelineError(say('warm-changed', { folder: tree }));
}

async function isOlder(file: string, ms: number): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > ms;
}
