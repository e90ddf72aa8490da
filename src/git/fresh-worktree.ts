import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { TreelineError } from '../platform/errors.ts';
import { emptyFolder, removeTree } from '../platform/remove-tree.ts';
import type { GitOptions } from './git.ts';
import { checkOutFiles, headOn, namesIn, register } from './registration.ts';
import { surveyed, surveyedLately, wasSuited, type Survey } from './survey.ts';
import type { Repository } from './types.ts';

/** A registration's name becomes a part of refs' names: where it may not be one, git makes something of its own. */
const PLAIN_NAME = /^[A-Za-z0-9](?:[\w-]|\.(?![.]|lock$|$))*$/;

/**
 * A worktree that is checked out where it is wanted, by one git in place of the three that `git worktree add -b` takes one after
 * the other: the registration is written by us, and the branch can be made meanwhile.
 */
export class FreshWorktree {
  readonly #registration: string;
  readonly #folder: string;
  readonly #ended = new AbortController();
  readonly #files: Promise<void>;
  readonly #repository: Repository;
  #survey: Promise<Survey | undefined> | undefined;

  /**
   * Begins to check a commit out in an empty folder of the caller's; until {@link moveTo} it is locked as `git worktree add`
   * locks it. Undefined where git had better make it: in a repository of another form, and where it cannot be begun. Never throws.
   */
  static async begin(
    repository: Repository,
    folder: string,
    commit: string,
    options: Pick<GitOptions, 'signal' | 'env' | 'timeoutMs'>,
  ): Promise<FreshWorktree | undefined> {
    const { commonDir } = repository;
    const leaf = path.basename(folder);
    const worktrees = path.join(commonDir, 'worktrees');
    const registration = path.join(worktrees, leaf);
    try {
      // What has a like name may be a registration of this very folder, from the time before it was deleted.
      if (!PLAIN_NAME.test(leaf) || (await namesIn(worktrees)).some((name) => name.startsWith(leaf))) return undefined;
      if (!wasSuited(repository) && (await surveyed(repository)) === undefined) return undefined;
      await mkdir(worktrees, { recursive: true });
      await mkdir(registration);
    } catch {
      return undefined;
    }
    try {
      await register(registration, folder, commit);
      return new FreshWorktree(repository, registration, folder, commit, options);
    } catch {
      await discard(registration, folder).catch(() => undefined);
      return undefined;
    }
  }

  private constructor(
    repository: Repository,
    registration: string,
    folder: string,
    commit: string,
    { signal, env = {}, timeoutMs }: Pick<GitOptions, 'signal' | 'env' | 'timeoutMs'>,
  ) {
    this.#registration = registration;
    this.#folder = folder;
    const ended = signal === undefined ? this.#ended.signal : AbortSignal.any([this.#ended.signal, signal]);
    const limits = timeoutMs === undefined ? {} : { timeoutMs };
    this.#files = checkOutFiles(registration, folder, commit, { signal: ended, env, ...limits });
    // Awaited later; a failure before then is not an unhandled one.
    this.#files.catch(() => undefined);
    this.#repository = repository;
  }

  /** Whether the repository may have a post-checkout hook, which has not run yet. */
  async mayHaveHook(): Promise<boolean> {
    return (await this.#surveyed())?.mayHaveHook ?? true;
  }

  /**
   * Puts it on its branch, which is there by now, and hands it to git. False, and the folder is as it was, when git failed, since
   * it tells why when it is asked to do all; throws what is no failure of git's: cancelled, out of time.
   */
  async moveTo(_: string, branch: string): Promise<boolean> {
    const isMade = await this.#files.then(
      () => true,
      (error: unknown) => {
        if (error instanceof TreelineError && ['cancelled', 'timeout'].includes(error.code)) throw error;
        return false;
      },
    );
    if (!isMade || (await this.#surveyed()) === undefined) {
      await discard(this.#registration, this.#folder);
      return false;
    }
    await writeFile(path.join(this.#registration, 'HEAD'), headOn(branch));
    await rm(path.join(this.#registration, 'locked'));
    return true;
  }

  /** Takes it back before that; the folder is as it was. */
  async giveBack(): Promise<void> {
    this.#ended.abort();
    await this.#files.catch(() => undefined);
    await discard(this.#registration, this.#folder);
  }

  /** A look at the repository while the files are checked out, as late as possible: it may have changed its form. */
  #surveyed(): Promise<Survey | undefined> {
    this.#survey ??= surveyedLately(this.#repository).catch(() => undefined);
    return this.#survey;
  }
}

async function discard(registration: string, folder: string): Promise<void> {
  await emptyFolder(folder);
  await removeTree(registration);
}
