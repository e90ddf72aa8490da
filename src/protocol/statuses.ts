import type { Status } from '../store/model.ts';

/** How the tree groups sessions, in the order of the groups. */
export const STATUS_GROUPS = ['working', 'needs-attention', 'idle', 'ended', 'archived'] as const;
export type StatusGroup = (typeof STATUS_GROUPS)[number];

/** What a status looks like, in the tree and on the page. */
export interface StatusLook {
  /** In English. */
  readonly title: string;
  readonly group: StatusGroup;
  /** A codicon. */
  readonly icon: string;
  readonly spins?: true;
  readonly color: 'quiet' | 'blue' | 'green' | 'yellow' | 'orange' | 'red';
  /** Something went wrong: a notification warns of it. */
  readonly problem?: true;
}

/** The one table of statuses. */
export const STATUS_LOOKS: Readonly<Record<Status, StatusLook>> = {
  queued: { title: 'Queued', group: 'working', icon: 'clock', color: 'quiet' },
  preparing: { title: 'Preparing', group: 'working', icon: 'loading', spins: true, color: 'quiet' },
  starting: { title: 'Starting', group: 'working', icon: 'loading', spins: true, color: 'blue' },
  working: { title: 'Working', group: 'working', icon: 'loading', spins: true, color: 'blue' },
  stopping: { title: 'Stopping', group: 'working', icon: 'loading', spins: true, color: 'orange' },
  'needs-input': { title: 'Needs your input', group: 'needs-attention', icon: 'question', color: 'yellow' },
  'needs-permission': { title: 'Needs your permission', group: 'needs-attention', icon: 'shield', color: 'yellow' },
  idle: { title: 'Idle', group: 'idle', icon: 'pass', color: 'green' },
  stopped: { title: 'Stopped', group: 'ended', icon: 'circle-slash', color: 'quiet' },
  failed: { title: 'Failed', group: 'ended', icon: 'error', color: 'red', problem: true },
  lost: { title: 'Lost', group: 'ended', icon: 'debug-disconnect', color: 'red', problem: true },
  archived: { title: 'Archived', group: 'archived', icon: 'archive', color: 'quiet' },
};
