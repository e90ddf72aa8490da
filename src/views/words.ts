import { STATUS_LOOKS, type StatusGroup, type StatusLook } from '../protocol/statuses.ts';
import type { Status } from '../store/model.ts';

/** `vscode.l10n.t`, handed in so that what words a person reads can be tested without the editor. */
export type Translate = (message: string, ...args: (string | number)[]) => string;

/** Theme colours of VS Code's own, so that every theme has a value for them. */
const THEME_COLORS: Readonly<Record<StatusLook['color'], string>> = {
  quiet: 'descriptionForeground',
  blue: 'charts.blue',
  green: 'testing.iconPassed',
  yellow: 'charts.yellow',
  orange: 'charts.orange',
  red: 'testing.iconFailed',
};

/** A codicon for a status, and its theme colour. */
export function statusIcon(status: Status): { readonly icon: string; readonly color: string } {
  const { icon, spins, color } = STATUS_LOOKS[status];
  return { icon: spins ? `${icon}~spin` : icon, color: THEME_COLORS[color] };
}

export function statusLabel(status: Status, t: Translate): string {
  return t(STATUS_LOOKS[status].title);
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
    counts[STATUS_LOOKS[status].group] += 1;
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
