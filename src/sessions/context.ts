import type { AgentAdapter } from '../agents/adapter.ts';
import type { Detector } from '../agents/detect.ts';
import type { Repository } from '../git/types.ts';
import type { Log } from '../platform/log.ts';
import type { ProcessId } from '../platform/process-id.ts';
import type { Store } from '../store/store.ts';
import type { Timelines } from '../timeline/timelines.ts';
import type { Settings } from './settings.ts';
import type { WorktreePool } from './worktree-pool.ts';

/** What the parts of one repository's sessions share. */
export interface Context {
  readonly repository: Repository;
  /** The repository's store folder. */
  readonly folder: string;
  readonly store: Store;
  readonly timelines: Timelines;
  readonly settings: () => Settings;
  readonly pool: WorktreePool;
  /** The adapter of an agent id; throws TreelineError when there is none any more. */
  readonly adapter: (id: string) => AgentAdapter;
  readonly detector: Detector;
  /** Path of the keeper's bundle. */
  readonly keeper: string;
  /** The process of this window. */
  readonly self: ProcessId;
  readonly log: Log;
}
