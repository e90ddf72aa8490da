import type { LogDocuments } from '../documents/log-documents.ts';
import type { Services } from '../views/services.ts';
import type { SessionsTree } from '../views/sessions-tree.ts';
import type { TimelinePanels } from '../views/timeline-panels.ts';
import type { WorktreesTree } from '../views/worktrees-tree.ts';
import type { ErrorReporter } from './errors.ts';
import type { PromptDocuments } from './prompt-documents.ts';

/** What commands work with. */
export interface CommandContext extends Services {
  readonly errors: ErrorReporter;
  readonly panels: TimelinePanels;
  readonly sessionsTree: SessionsTree;
  readonly worktreesTree: WorktreesTree;
  readonly logs: LogDocuments;
  readonly prompts: PromptDocuments;
}
