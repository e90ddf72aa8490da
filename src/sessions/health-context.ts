import type { Session } from '../store/model.ts';
import type { Context } from './context.ts';
import type { SessionActions } from './service-types.ts';

/** What an examination of one repository looks at. */
export interface HealthContext {
  readonly context: Context;
  readonly sessions: Pick<SessionActions, 'archive' | 'purge' | 'removeWorktree'>;
  /** Archived sessions whose files are kept longer than the setting says. */
  readonly expired: () => readonly Session[];
  /** Has whoever acts look at the facts again. */
  readonly nudge: () => void;
}
