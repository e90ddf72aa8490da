import { firstFree, takenRefs } from '../git/branch-name.ts';
import { head, resolveCommit } from '../git/repository.ts';
import type { Repository, Worktree } from '../git/types.ts';
import { listWorktrees } from '../git/worktree-list.ts';
import type { Session } from '../store/model.ts';

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
 * Finds free branch names. Sessions that are spawned together share one question to git, because each start of a git process
 * blocks the event loop for some milliseconds.
 */
export class BranchNames {
  readonly #repository: Repository;
  #answer: Promise<Surroundings> | undefined;
  #last: Surroundings | undefined;

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  /**
   * The branches and worktrees that a new session must not collide with.
   * @param options.isUnique whether the wanted name contains the session's own id. Nobody else can have taken such a name, so
   * git's last answer will do, however old it is.
   */
  surroundings({ isUnique }: { readonly isUnique: boolean }): Promise<Surroundings> {
    if (isUnique && this.#last !== undefined) return Promise.resolve(this.#last);
    this.#answer ??= Surroundings.of(this.#repository)
      .then((found) => (this.#last = found))
      .finally(() => (this.#answer = undefined));
    return this.#answer;
  }

  /** To be called after a failure, because git's last answer may have caused it. */
  forget(): void {
    this.#last = undefined;
  }
}

/** What to branch from: the ref that was asked for, else what is checked out where the repository is open. */
export async function startingPoint(repository: Repository, ref: string | undefined): Promise<Session['base']> {
  if (ref === undefined) {
    const { branch, commit } = await head(repository);
    if (commit !== undefined) return { ref: branch ?? commit, commit };
  }
  const wanted = ref ?? 'HEAD';
  return { ref: wanted, commit: await resolveCommit(repository, wanted) };
}
