import { oneOf, type Read } from '../platform/check.ts';
import { KINDS } from '../protocol/kinds.ts';
import { ROW_GROUPS, type RowGroup } from '../protocol/names.ts';
import type { RowEvent } from './content.ts';
import type { RowKind } from '../protocol/rows.ts';

/** Reads the name of a kind. */
export const readKind: Read<RowKind> = oneOf(Object.keys(KINDS) as RowKind[]);

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
  return ROW_GROUPS.indexOf(KINDS[kind].group) | (problem ? PROBLEM : 0);
}

/** The flags of an event's row. A tool call that edits a file stands with the files. */
export function eventFlags(event: RowEvent): number {
  if (event.kind === 'tool') return ROW_GROUPS.indexOf(event.diff === undefined ? KINDS.tool.group : KINDS.files.group);
  return flagsOf(event.kind, KINDS[event.kind].problem === true || ('ok' in event && !event.ok));
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
