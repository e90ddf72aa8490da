import type { Context } from '../sessions/context.ts';
import type { WorktreePool } from '../sessions/worktree-pool.ts';
import type { Timelines } from '../timeline/timelines.ts';

/** What the parts of a repository's steward share. */
export interface StewardContext extends Context {
  readonly timelines: Timelines;
  readonly pool: WorktreePool;
  /** Path of the keeper's bundle. */
  readonly keeper: () => Promise<string>;
  /** Whether the output of agents is read while they run, for somebody to see. */
  readonly follows: boolean;
  /** What is started when nobody acts here any more while agents run. */
  readonly successor?: Successor;
}

export interface Successor {
  readonly argv: () => Promise<readonly string[]>;
  /** What it is to be given; undefined where this process does not know all of it. It may hold secrets. */
  readonly text: () => string | undefined;
}
