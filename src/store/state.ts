import { isSessionFact, type Fact } from './facts.ts';
import { NOBODY, reduceLeadership } from './leadership.ts';
import { isEntitled, isLive, lastTurn, reduce } from './lifecycle.ts';
import type { Leadership, Session } from './model.ts';

/** All that a state is made of: what a snapshot has to hold. */
export interface StateData {
  /** Oldest first. */
  readonly sessions: readonly Session[];
  readonly leadership: Leadership;
}

/** What a run of facts came to. */
export interface Applied {
  /** Ids of the sessions that changed. */
  readonly changed: ReadonlySet<string>;
  /** The facts whose writers were entitled to them, void ones too. */
  readonly counted: readonly Fact[];
}

/** The sessions of a repository as a run of facts made them. Pure: the same facts in the same order give the same state. */
export class State {
  /** Oldest first: the journal's order, not that of the writers' clocks. */
  readonly #sessions: Session[];
  /** Where each stands in `#sessions`. */
  readonly #index = new Map<string, number>();
  /** The list as it was handed out last. */
  #newestFirst: readonly Session[] | undefined;
  /** The places of what has changed since then. */
  readonly #changedPlaces = new Set<number>();
  #live = 0;
  #leadership: Leadership;
  /** The next place in the queue. */
  #places = 0;

  /** @param saved a state as it was saved. */
  constructor({ sessions, leadership }: StateData = { sessions: [], leadership: NOBODY }) {
    this.#sessions = [...sessions];
    this.#leadership = leadership;
    sessions.forEach((session, place) => {
      this.#index.set(session.id, place);
      this.#count(session);
      if (hasLiveTurn(session)) this.#live++;
    });
  }

  /** How many turns are live, of all sessions. */
  get live(): number {
    return this.#live;
  }

  /** Who acts for the repository. */
  get leadership(): Leadership {
    return this.#leadership;
  }

  /** The whole of it, to be saved. */
  get data(): StateData {
    return { sessions: this.list().toReversed(), leadership: this.#leadership };
  }

  get size(): number {
    return this.#sessions.length;
  }

  /** All sessions, newest first. The list never changes; a later call gives another one if something did. */
  list(): readonly Session[] {
    const before = this.#newestFirst;
    if (before !== undefined && this.#changedPlaces.size === 0) return before;
    const list = before === undefined ? this.#sessions.toReversed() : this.#renewed(before);
    this.#changedPlaces.clear();
    this.#newestFirst = list;
    return list;
  }

  /** A list that was handed out, with what has changed since: a block copy, where to reverse 10,000 sessions took 7 µs. */
  #renewed(before: readonly Session[]): readonly Session[] {
    const created = this.#sessions.slice(before.length).reverse();
    const list = created.length === 0 ? before.slice() : created.concat(before);
    for (const place of this.#changedPlaces) {
      const session = this.#sessions[place];
      if (session !== undefined) list[list.length - 1 - place] = session;
    }
    return list;
  }

  get(id: string): Session | undefined {
    const place = this.#index.get(id);
    return place === undefined ? undefined : this.#sessions[place];
  }

  ids(): Iterable<string> {
    return this.#index.keys();
  }

  /** Applies facts in the journal's order. */
  apply(facts: Iterable<Fact>): Applied {
    const changed = new Set<string>();
    const counted: Fact[] = [];
    for (const fact of facts) {
      if (!isSessionFact(fact)) {
        this.#leadership = reduceLeadership(this.#leadership, fact);
        counted.push(fact);
        continue;
      }
      const before = this.get(fact.session);
      const { lead } = this.#leadership;
      const now = { live: this.#live, place: this.#places, lead };
      if (isEntitled(before, fact, now)) counted.push(fact);
      const after = reduce(before, fact, now);
      if (after === before || after === undefined) continue;
      this.#count(after);
      this.#put(after);
      this.#live += Number(hasLiveTurn(after)) - Number(before !== undefined && hasLiveTurn(before));
      changed.add(after.id);
    }
    return { changed, counted };
  }

  /** A session's last turn was requested last of its turns. */
  #count(session: Session): void {
    this.#places = Math.max(this.#places, (lastTurn(session)?.place ?? -1) + 1);
  }

  #put(session: Session): void {
    const place = this.#index.get(session.id) ?? this.#sessions.length;
    this.#index.set(session.id, place);
    this.#sessions[place] = session;
    if (this.#newestFirst !== undefined) this.#changedPlaces.add(place);
  }
}

/** A session has at most one live turn, its last: no turn can be requested while one is open. */
function hasLiveTurn(session: Session): boolean {
  const turn = lastTurn(session);
  return turn !== undefined && isLive(turn);
}
