import { firstFree, takenRefs } from '../git/branch-name.ts';
import type { Repository, Worktree } from '../git/types.ts';
import { listWorktrees } from '../git/worktree-list.ts';

/** What a new session has to fit in with, as git told it. */
export class Surroundings {
  readonly worktrees: readonly Worktree[];
  readonly #refs: string[];

  private constructor(worktrees: readonly Worktree[], refs: string[]) {
    this.worktrees = worktrees;
    this.#refs = refs;
  }

  static async of(repository: Repository): Promise<Surroundings> {
    return new Surroundings(...(await Promise.all([listWorktrees(repository), takenRefs(repository)])));
  }

  /** `wanted`, or the same with -2, -3 …: a name that nobody has, whoever asked here before included. */
  branch(wanted: string): string {
    const branch = firstFree(wanted, this.#refs);
    this.#refs.push(`refs/heads/${branch}`);
    return branch;
  }
}

/**
 * Asks git once for all who ask while the answer is under way: sessions that are spawned together. Each start of a git holds
 * the event loop up, the longer the busier the machine is.
 */
export class Surveyor {
  readonly #repository: Repository;
  #answer: Promise<Surroundings> | undefined;
  #last: Surroundings | undefined;

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  /** @param options.isUnique the name to be found a place for is nobody else's, whatever has changed: what git told last will do. */
  look({ isUnique }: { readonly isUnique: boolean }): Promise<Surroundings> {
    if (isUnique && this.#last !== undefined) return Promise.resolve(this.#last);
    this.#answer ??= Surroundings.of(this.#repository)
      .then((found) => (this.#last = found))
      .finally(() => (this.#answer = undefined));
    return this.#answer;
  }

  /** After a failure: what git told last may have been the reason. */
  forget(): void {
    this.#last = undefined;
  }
}
