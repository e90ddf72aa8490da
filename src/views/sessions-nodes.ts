import type { FileChange } from '../git/types.ts';
import type { StatusGroup } from '../protocol/statuses.ts';

/** The nodes of the sessions tree. The editor tells nodes apart by identity, so each exists once (except files). */
export type SessionsNode =
  | { readonly kind: 'repository'; readonly id: string }
  | GroupNode
  | SessionNode
  | FileNode
  | MoreNode
  /** A line that is there to be read. */
  | { readonly kind: 'note'; readonly id: string; readonly session: string; readonly text: string };

export interface GroupNode {
  readonly kind: 'group';
  readonly id: string;
  readonly repository: string;
  readonly group: StatusGroup;
}

/** Stands for the sessions of a group that are not listed yet. */
export interface MoreNode {
  readonly kind: 'more';
  readonly id: string;
  readonly group: GroupNode;
}

export interface SessionNode {
  readonly kind: 'session';
  readonly id: string;
  readonly session: string;
}

export interface FileNode {
  readonly kind: 'file';
  readonly id: string;
  readonly session: string;
  readonly change: FileChange;
}
