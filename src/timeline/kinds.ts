import type { AgentEvent } from '../agents/events.ts';
import { oneOf, type Read } from '../platform/check.ts';
import { ROW_GROUPS, type RowGroup, type RowKind } from './rows.ts';

/** Where each kind of row is found. */
const GROUP_OF: Readonly<Record<RowKind, RowGroup>> = {
  session: 'system',
  prompt: 'messages',
  text: 'messages',
  thinking: 'thinking',
  tool: 'tools',
  files: 'files',
  todo: 'messages',
  denial: 'problems',
  retry: 'system',
  notice: 'system',
  warning: 'problems',
  error: 'problems',
  result: 'messages',
  output: 'messages',
  raw: 'system',
  'turn-start': 'messages',
  'turn-end': 'system',
  sent: 'messages',
  keeper: 'system',
  stderr: 'system',
};

/** Reads the name of a kind. */
export const readKind: Read<RowKind> = oneOf(Object.keys(GROUP_OF) as RowKind[]);

/**
 * Kinds whose words may rest on more than their own line (a total, a list that grows step by step): kept in the index. The others are
 * read from the log again whenever they are shown, and may be of any size.
 */
const KEPT: ReadonlySet<RowKind> = new Set([
  'session',
  'todo',
  'denial',
  'retry',
  'notice',
  'warning',
  'error',
  'result',
  'turn-end',
]);

export const isKept = (kind: RowKind): boolean => KEPT.has(kind);

/** What the index knows of a row in one byte: its group, and these. */
export const PROBLEM = 1 << 3;
export const OVERSIZE = 1 << 4;
/** A tool call that had not ended when its turn did. */
export const UNENDED = 1 << 5;
/** A tool call that was refused, which its result alone may not tell. */
export const DENIED = 1 << 6;
const GROUP_MASK = 7;

/** The flags of a row that is no tool call and no event. */
export function flagsOf(kind: RowKind, problem: boolean): number {
  return ROW_GROUPS.indexOf(GROUP_OF[kind]) | (problem ? PROBLEM : 0);
}

/** The flags of an event's row. A tool call that edits a file stands with the files. */
export function eventFlags(event: Exclude<AgentEvent, { kind: 'tool-result' }>): number {
  switch (event.kind) {
    case 'tool':
      return ROW_GROUPS.indexOf(event.diff === undefined ? 'tools' : 'files');
    case 'files':
    case 'result':
      return flagsOf(event.kind, !event.ok);
    case 'denial':
    case 'warning':
    case 'error':
      return flagsOf(event.kind, true);
    default:
      return flagsOf(event.kind, false);
  }
}

/** Whether flags fit the wanted groups, as bits by place in ROW_GROUPS; 0 for all. */
export function inGroups(flags: number, groups: number): boolean {
  return (
    groups === 0 ||
    (groups & (1 << (flags & GROUP_MASK))) !== 0 ||
    ((flags & PROBLEM) !== 0 && (groups & PROBLEMS) !== 0)
  );
}

const PROBLEMS = 1 << ROW_GROUPS.indexOf('problems');

export function groupBits(groups: readonly RowGroup[]): number {
  return groups.reduce((bits, group) => bits | (1 << ROW_GROUPS.indexOf(group)), 0);
}
