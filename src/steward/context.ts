import type { Context } from '../sessions/context.ts';
import type { WorktreePool } from '../sessions/worktree-pool.ts';
import type { Outputs } from '../timeline/outputs.ts';

/** What the parts of a repository's steward share. */
export interface StewardContext extends Context {
  readonly outputs: Outputs;
  readonly pool: WorktreePool;
  /** Path of the keeper's bundle. */
  readonly keeper: () => Promise<string>;
  /** What is started when nobody acts here any more while agents run. */
  readonly successor?: Successor;
}

export interface Successor {
  readonly argv: () => Promise<readonly string[]>;
  /** What it is to be given; undefined where this process does not know all of it. It may hold secrets. */
  readonly text: () => string | undefined;
}
