import type { AgentAdapter } from '../agents/adapter.ts';
import type { Detector } from '../agents/detect.ts';
import type { Repository } from '../git/types.ts';
import type { Log } from '../platform/log.ts';
import type { ProcessId } from '../platform/process-id.ts';
import type { Store } from '../store/store.ts';
import type { Settings } from './settings.ts';

/** What all that is done for one repository's sessions shares. */
export interface Context {
  readonly repository: Repository;
  /** The repository's store folder. */
  readonly folder: string;
  readonly store: Store;
  readonly settings: () => Settings;
  /** The adapter of an agent id; throws TreelineError when there is none any more. */
  readonly adapter: (id: string) => AgentAdapter;
  readonly detector: Detector;
  /** This process. */
  readonly self: ProcessId;
  readonly log: Log;
}
