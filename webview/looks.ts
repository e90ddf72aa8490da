import { KINDS } from '../src/protocol/kinds.ts';
import type { KindOfRow } from '../src/protocol/kinds.ts';
import { STATUS_LOOKS, type StatusLook } from '../src/protocol/statuses.ts';
import type { Row, RowGroup, Status } from '../src/protocol/timeline.ts';

/** The groups of the filter bar, in the order of its buttons, with their codicons. */
export const GROUPS: readonly { readonly group: RowGroup; readonly icon: string }[] = [
  { group: 'messages', icon: 'comment' },
  { group: 'thinking', icon: 'lightbulb' },
  { group: 'tools', icon: 'tools' },
  { group: 'files', icon: 'files' },
  { group: 'problems', icon: 'warning' },
  { group: 'system', icon: 'server-process' },
];

type RowLook = Pick<KindOfRow, 'icon' | 'icons' | 'style' | 'lines' | 'named'>;

const OTHER: RowLook = { icon: 'circle-small', style: 'plain', lines: 4 };

/** How a row looks. A kind of a newer host reads as plain text. */
export function lookOf(row: Row): RowLook {
  const look = (KINDS as Readonly<Partial<Record<string, RowLook>>>)[row.kind] ?? OTHER;
  if (row.tool !== undefined) {
    return { ...look, icon: toolIcon(row.tool.name, row.tool.subagent === true) };
  }
  const what = row.request?.about ?? row.end?.outcome ?? (row.problem ? 'problem' : undefined);
  const icon = what && look.icons?.[what];
  return icon === undefined ? look : { ...look, icon };
}

/** By words in a tool's name, so that it fits the tools of every agent. */
const TOOL_ICONS: readonly (readonly [RegExp, string])[] = [
  [/todo|plan/i, 'checklist'],
  [/bash|shell|command|exec|terminal|run/i, 'terminal'],
  [/edit|write|patch|replace|create|notebook/i, 'edit'],
  [/grep|search|find|glob/i, 'search'],
  [/fetch|web|http|url|browser/i, 'globe'],
  [/read|view|cat|open/i, 'file'],
  [/list|^ls$/i, 'folder'],
  [/ask|question/i, 'question'],
];

function toolIcon(name: string, subagent: boolean): string {
  if (subagent) {
    return 'hubot';
  }
  return TOOL_ICONS.find(([pattern]) => pattern.test(name))?.[1] ?? 'tools';
}

/** How a status looks. One of a newer host is shown by its label alone. */
export function statusLook(status: Status): Pick<StatusLook, 'icon' | 'color' | 'spins'> {
  return (STATUS_LOOKS as Readonly<Partial<Record<string, StatusLook>>>)[status] ?? { icon: 'circle', color: 'quiet' };
}
