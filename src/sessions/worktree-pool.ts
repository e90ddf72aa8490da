import { fillPool, poolSize, tidyPool } from '../git/pool.ts';
import { worktreeFolder } from '../git/worktree-path.ts';
import type { AddedWorktree } from '../git/worktrees.ts';
import { errorText } from '../platform/errors.ts';
import type { Context } from './context.ts';

/** How long to wait after a turn was started before a worktree is made for the next one: ms. Turns are often started several at a time. */
const FILL_AFTER = 3000;
/** How long to wait after a repository was opened before what earlier windows left behind is tidied: ms. */
const TIDY_AFTER = 10_000;
/**
 * How many worktrees are made beyond the pool's size while none is used. Then no more are made, because something in this
 * repository makes every one of them unfit.
 */
const MOST_UNUSED = 2;

type PoolContext = Pick<Context, 'repository' | 'settings' | 'log'>;

/**
 * Keeps worktrees ready for the next sessions: as many as were last spawned together, but no more than the setting
 * `treeline.warmWorktrees` allows. They are made one after the other, at low priority, a few seconds after a session got its
 * worktree and never while another session is getting its own. A repository without sessions has none.
 */
export class WorktreePool {
  readonly #context: PoolContext;
  readonly #abort = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #work: Promise<void> = Promise.resolve();
  #starting = 0;
  /** How many sessions got their worktrees together, without a pause of {@link FILL_AFTER}. */
  #burst = 0;
  /** How many were made here since the last one was given out. */
  #made = 0;
  /** Worktrees of this repository depend on more than the pool looks at, so it has none. */
  #unsuited = false;

  constructor(context: PoolContext) {
    this.#context = context;
    this.#timer = setTimeout(() => this.tidy(), TIDY_AFTER).unref();
  }

  /** Has a session's worktree made, out of the pool where there is one ready, and sees to the next one. */
  async acquire(commit: string, make: (warm: boolean) => Promise<AddedWorktree>): Promise<AddedWorktree> {
    clearTimeout(this.#timer);
    this.#starting++;
    this.#burst++;
    try {
      const made = await make(this.#size > 0);
      if (made.warm === true) this.#made = 0;
      return made;
    } finally {
      this.#starting--;
      if (this.#starting === 0 && !this.#abort.signal.aborted) {
        this.#timer = setTimeout(() => {
          const together = this.#burst;
          this.#burst = 0;
          this.#then(() => this.#fill(commit, together));
        }, FILL_AFTER).unref();
      }
    }
  }

  /** Removes what is more than the setting says, and what windows that died have left. Starts no git. */
  tidy(): void {
    this.#then(() => this.#tidy());
  }

  async dispose(): Promise<void> {
    clearTimeout(this.#timer);
    this.#abort.abort();
    await this.#work;
  }

  get #size(): number {
    return this.#context.settings().warmWorktrees;
  }

  get #isWorthwhile(): boolean {
    return this.#starting === 0 && !this.#unsuited && this.#made < this.#size + MOST_UNUSED;
  }

  get #folder(): string {
    return worktreeFolder(this.#context.settings().worktreeFolder, this.#context.repository);
  }

  #then(work: () => Promise<unknown>): void {
    this.#work = this.#work.then(async () => {
      if (this.#abort.signal.aborted) return;
      try {
        await work();
      } catch (error) {
        // Nobody waits for it: the next session gets its worktree from git.
        this.#context.log.info(`No worktree was kept ready: ${errorText(error)}`);
      }
    });
  }

  async #tidy(): Promise<void> {
    const { repository, log } = this.#context;
    if (await tidyPool(repository, this.#folder, this.#size)) log.info('Worktrees that were kept ready were removed.');
  }

  async #fill(commit: string, together: number): Promise<void> {
    const { repository } = this.#context;
    const { signal } = this.#abort;
    await this.#tidy();
    while (this.#isWorthwhile && (await poolSize(repository)) < Math.min(together, this.#size)) {
      this.#made++;
      this.#unsuited = !(await fillPool(repository, { folder: this.#folder, commit, signal }));
    }
  }
}
