import type { CustomAgent } from '../agents/custom/adapter.ts';
import type { Programs } from '../agents/program.ts';
import { AGENTS } from '../agents/table.ts';

/** The settings under `treeline.` that work below the views needs, validated. */
export interface Settings {
  /** Turns that may run at once on one repository, over all windows. */
  readonly maxConcurrent: number;
  /** Template of the folder that holds the worktrees. */
  readonly worktreeFolder: string;
  /** Worktrees that are kept ready for the next sessions of a repository; 0: none. */
  readonly warmWorktrees: number;
  /** Template of a branch name. */
  readonly branchName: string;
  /** What is set of the built-in agents' programs, by the agents' ids. */
  readonly programs: Programs;
  readonly customAgents: readonly CustomAgent[];
  /** Days that an archived worktree is kept; 0 keeps it until the user deletes it. */
  readonly trashDays: number;
  /** ms from a stop's interrupt to SIGTERM, and from SIGTERM to SIGKILL. */
  readonly grace: { readonly interrupt: number; readonly terminate: number };
}

export const DEFAULT_SETTINGS: Settings = {
  maxConcurrent: 6,
  worktreeFolder: '${repositoryParent}/${repositoryName}.worktrees',
  warmWorktrees: 3,
  branchName: 'treeline/${slug}-${id}',
  programs: Object.fromEntries(AGENTS.map(({ id }) => [id, { args: [] }])),
  customAgents: [],
  trashDays: 14,
  grace: { interrupt: 5000, terminate: 5000 },
};
