import type { Session } from '../store/model.ts';
import { STATUS_GROUPS, STATUS_LOOKS, type StatusGroup } from '../protocol/statuses.ts';

/** The groups that grow over the weeks. */
const RESTING: ReadonlySet<StatusGroup> = new Set<StatusGroup>(['idle', 'ended', 'archived']);

const PAGE = 50;

export type Layout = 'grouped' | 'flat';

/** What the placement needs to know of a repository: who it is, and its sessions, newest first. */
export interface PlacedRepository {
  readonly key: string;
  readonly sessions: readonly Session[];
}

/** The nodes above a session, outermost first; ids that are unique in the tree. */
export interface Place {
  readonly repository?: string;
  readonly group?: { readonly id: string; readonly repository: string; readonly group: StatusGroup };
}

/** Where a session stands. Repositories are nodes of their own only where there are several. */
export function placeOf(session: Session, repository: string, layout: Layout, several: boolean): Place {
  const { group } = STATUS_LOOKS[session.status];
  return {
    ...(several && { repository }),
    ...(layout === 'grouped' && { group: { id: groupId(repository, group), repository, group } }),
  };
}

export function groupId(repository: string, group: StatusGroup): string {
  return `${repository}#${group}`;
}

/** The id of the node that holds the session directly; undefined at the root. */
export function parentOf(place: Place): string | undefined {
  return place.group?.id ?? place.repository;
}

/** The groups of a repository that are not empty, in their order. */
export function groupsOf(sessions: readonly Session[]): readonly StatusGroup[] {
  const present = new Set(sessions.map((session) => STATUS_LOOKS[session.status].group));
  return STATUS_GROUPS.filter((group) => present.has(group));
}

/** The sessions of a group: newest first, and among those at rest first who came to rest last. */
export function inGroup(sessions: readonly Session[], group: StatusGroup): readonly Session[] {
  const those = sessions.filter((session) => STATUS_LOOKS[session.status].group === group);
  return RESTING.has(group) ? those.sort((a, b) => b.evidence.at - a.evidence.at) : those;
}

/** How many of a group's sessions are listed until somebody asks for the rest: the editor needs its time for each row. */
export function listedFirst(group: StatusGroup): number {
  return RESTING.has(group) ? PAGE : Infinity;
}

/** Where each session stood when the tree was last told, to find what a change touches. */
export class Placements {
  readonly #parents = new Map<string, string | undefined>();
  readonly #sizes = new Map<string | undefined, number>();

  /** Forgets everything: the whole tree is shown anew. */
  clear(): void {
    this.#parents.clear();
    this.#sizes.clear();
  }

  /**
   * Notes where a session stands now.
   * @param place undefined for a session that is gone.
   * @returns the ids of the nodes to refresh: the session itself where it stayed, the nodes that it left and came to where it
   * moved; `undefined` among them is the root.
   */
  move(session: string, place: Place | undefined): readonly (string | undefined)[] {
    const known = this.#parents.has(session);
    const from = this.#parents.get(session);
    const to = place === undefined ? undefined : parentOf(place);
    if (known && place !== undefined && from === to) {
      return [session];
    }
    const touched: (string | undefined)[] = [];
    if (known) {
      const left = this.#resize(from, -1);
      touched.push(left === 0 ? undefined : from);
      this.#parents.delete(session);
    }
    if (place !== undefined) {
      this.#parents.set(session, to);
      // A node's first child makes the node itself appear.
      touched.push(this.#resize(to, 1) === 1 ? undefined : to);
    }
    return touched;
  }

  #resize(parent: string | undefined, by: number): number {
    const size = (this.#sizes.get(parent) ?? 0) + by;
    this.#sizes.set(parent, size);
    return size;
  }
}
