import type { Status } from '../store/model.ts';

/** `vscode.l10n.t`, handed in so that what words a person reads can be tested without the editor. */
export type Translate = (message: string, ...args: (string | number)[]) => string;

/** How the tree groups sessions, in the order of the groups. */
export const STATUS_GROUPS = ['working', 'needs-attention', 'idle', 'ended', 'archived'] as const;

export type StatusGroup = (typeof STATUS_GROUPS)[number];

interface StatusLook {
  readonly group: StatusGroup;
  /** A codicon. */
  readonly icon: string;
  /** A theme colour of VS Code's own, so that every theme has a value for it. */
  readonly color: string;
}

const LOOKS: Readonly<Record<Status, StatusLook>> = {
  queued: { group: 'working', icon: 'clock', color: 'descriptionForeground' },
  preparing: { group: 'working', icon: 'loading~spin', color: 'descriptionForeground' },
  starting: { group: 'working', icon: 'loading~spin', color: 'charts.blue' },
  working: { group: 'working', icon: 'loading~spin', color: 'charts.blue' },
  stopping: { group: 'working', icon: 'loading~spin', color: 'charts.orange' },
  'needs-input': { group: 'needs-attention', icon: 'question', color: 'charts.yellow' },
  'needs-permission': { group: 'needs-attention', icon: 'shield', color: 'charts.yellow' },
  idle: { group: 'idle', icon: 'pass', color: 'testing.iconPassed' },
  stopped: { group: 'ended', icon: 'circle-slash', color: 'descriptionForeground' },
  failed: { group: 'ended', icon: 'error', color: 'testing.iconFailed' },
  lost: { group: 'ended', icon: 'debug-disconnect', color: 'testing.iconErrored' },
  archived: { group: 'archived', icon: 'archive', color: 'descriptionForeground' },
};

export function lookOf(status: Status): StatusLook {
  return LOOKS[status];
}

export function statusLabel(status: Status, t: Translate): string {
  switch (status) {
    case 'queued':
      return t('Queued');
    case 'preparing':
      return t('Preparing');
    case 'starting':
      return t('Starting');
    case 'working':
      return t('Working');
    case 'stopping':
      return t('Stopping');
    case 'needs-input':
      return t('Needs your input');
    case 'needs-permission':
      return t('Needs your permission');
    case 'idle':
      return t('Idle');
    case 'stopped':
      return t('Stopped');
    case 'failed':
      return t('Failed');
    case 'lost':
      return t('Lost');
    case 'archived':
      return t('Archived');
  }
}

export function groupLabel(group: StatusGroup, t: Translate): string {
  switch (group) {
    case 'working':
      return t('Working');
    case 'needs-attention':
      return t('Needs Attention');
    case 'idle':
      return t('Idle');
    case 'ended':
      return t('Ended');
    case 'archived':
      return t('Archived');
  }
}

/** How many sessions are in each group. */
export function countGroups(statuses: Iterable<Status>): Readonly<Record<StatusGroup, number>> {
  const counts: Record<StatusGroup, number> = { working: 0, 'needs-attention': 0, idle: 0, ended: 0, archived: 0 };
  for (const status of statuses) {
    counts[LOOKS[status].group] += 1;
  }
  return counts;
}

/** The status bar's text, without its icon: what happens now, or how many sessions there are when nothing does. */
export function summary(counts: Readonly<Record<StatusGroup, number>>, t: Translate): string {
  const parts: string[] = [];
  if (counts.working > 0) {
    parts.push(t('{0} working', counts.working));
  }
  if (counts['needs-attention'] > 0) {
    parts.push(
      counts['needs-attention'] === 1 ? t('1 needs attention') : t('{0} need attention', counts['needs-attention']),
    );
  }
  if (parts.length === 0) {
    const all = counts.idle + counts.ended;
    parts.push(all === 1 ? t('1 session') : t('{0} sessions', all));
  }
  return parts.join(' · ');
}

/** The words that hold, for the `viewItem` of a tree's item. */
export function held(words: Readonly<Record<string, boolean>>): readonly string[] {
  return Object.keys(words).filter((word) => words[word]);
}
