import { statSync } from 'node:fs';
import { Emitter, type Dispose } from '../platform/emitter.ts';
import { errorText, TreelineError } from '../platform/errors.ts';
import { say } from '../words/saying.ts';
import type { Log } from '../platform/log.ts';
import { catalogueFile, damagedFile, journalFile, privateFolder } from '../platform/paths.ts';
import { watchFile } from '../platform/watch.ts';
import { Catalogue, type Snapshot } from './catalogue.ts';
import type { Fact, FactEntry, Writer } from './facts.ts';
import { JournalReader, type Damaged } from './journal-reader.ts';
import { Journal } from './journal.ts';
import { NOBODY } from './leadership.ts';
import { knowsMore } from './lifecycle.ts';
import type { Leadership, Session } from './model.ts';
import { quarantine } from './quarantine.ts';
import { State } from './state.ts';

/** A journal up to this size (about a hundred sessions) is read in a few ms, with or without its snapshot. */
const REPLAY_BYTES = 256 * 1024;

/** The catalogue is saved when nothing has changed for this long, in ms. */
const IDLE_MS = 2_000;

/** How many damaged pieces are kept for a report. */
const REPORTED_PIECES = 100;

interface StoreEvents {
  /** Ids of the sessions that changed; the changes of one moment are one event. */
  readonly onDidChange: (listener: (ids: ReadonlySet<string>) => void) => Dispose;
  /** Facts as they are read, void ones too, once the state has them, but no acts of who does not lead. What is read from the beginning (at first, or after the journal was replaced) is left out. */
  readonly onFacts: (listener: (facts: readonly Fact[]) => void) => Dispose;
}

/** The sessions of one repository, as every window on it and every keeper writes them down. */
export class Store implements StoreEvents {
  /** Resolves when the state on disk is loaded; until then `list` is empty, and nothing can be appended. Never rejects. */
  readonly ready: Promise<void>;
  readonly onDidChange: StoreEvents['onDidChange'];
  readonly onFacts: StoreEvents['onFacts'];
  readonly folder: string;

  readonly #log: Log;
  readonly #journal: Journal;
  readonly #catalogue: Catalogue;
  readonly #changes: Emitter<ReadonlySet<string>>;
  readonly #facts: Emitter<readonly Fact[]>;
  readonly #damaged: Damaged[] = [];
  #reader: JournalReader;
  /** What is shown. */
  #state = new State();
  /** What is being read from the start of the journal, at first and after it was replaced; shown when it is complete. */
  #building: State | undefined = new State();
  /** The journal is read anew, and what it has lost of what was shown, or was in the catalogue, is still to be written back. */
  #recovering = false;
  #isReady = false;
  #disposed = false;
  #pulling = false;
  #problem: string | undefined;
  #changed = new Set<string>();
  #idle: NodeJS.Timeout | undefined;
  #unwatch: Dispose = () => undefined;

  /**
   * Opens the store in `folder` (made when missing).
   * @param by who this process is, for the facts it writes.
   */
  static open(folder: string, by: Writer, log: Log): Store {
    privateFolder(folder);
    return new Store(folder, by, log);
  }

  private constructor(folder: string, by: Writer, log: Log) {
    this.folder = folder;
    this.#log = log;
    const journal = journalFile(folder);
    this.#journal = new Journal(journal, by, {
      // After a lost journal the sessions are written back first: a fact about a session that the file does not have is void.
      beforeWrite: (file) => {
        if (this.#recovering || this.#reader.mayBe(file)) return false;
        this.refresh();
        return true;
      },
    });
    this.#reader = new JournalReader(journal);
    this.#catalogue = new Catalogue(catalogueFile(folder), journal, log);
    this.#changes = new Emitter((error) => log.error(`A listener of the store failed: ${errorText(error)}`));
    this.onDidChange = this.#changes.event;
    this.#facts = new Emitter((error) => log.error(`A listener of the store failed: ${errorText(error)}`));
    this.onFacts = this.#facts.event;
    this.ready = this.#load(journal);
  }

  /** All sessions, newest first. */
  list(): readonly Session[] {
    return this.#state.list();
  }

  get(id: string): Session | undefined {
    return this.#state.get(id);
  }

  /** How many turns are live, of all sessions: what a limit is compared with. */
  get live(): number {
    return this.#state.live;
  }

  /** Pieces of the journal that are no facts, as far as this window has read it: the first hundred. */
  get damaged(): readonly Damaged[] {
    return this.#damaged;
  }

  /** How many facts this build does not know: another build wrote them, and they are not shown. */
  get unknown(): number {
    return this.#reader.unknown;
  }

  /** Who acts for the repository. */
  get leadership(): Leadership {
    return this.#state.leadership;
  }

  /**
   * Writes facts and reads the journal up to them, so that the state holds them, and all that other processes wrote
   * before, when this returns. Whether a request or a claim won is then seen in the state: `turn.request` and
   * `turn.claim.fact` name the winner.
   */
  append(...entries: readonly FactEntry[]): Fact[] {
    if (this.#disposed) {
      throw new TreelineError(say('not-ready.closed'));
    }
    if (!this.#isReady) {
      throw new TreelineError(say('not-ready'));
    }
    try {
      const facts = this.#journal.append(...entries);
      const last = facts.at(-1);
      // The journal has just made sure that the path names the file.
      while (this.#read({ sameFile: true }));
      if (last === undefined || this.#reader.hasRead(last.id)) return facts;
      while (this.#read());
      if (this.#reader.hasRead(last.id)) return facts;
    } catch (error) {
      // Some of the facts may be in the file: the state is to show what it holds.
      void this.#pull();
      throw error;
    }
    throw new TreelineError(say('journal-write.replaced', { file: journalFile(this.folder) }));
  }

  /** Reads what other processes have written so far, so that the state holds it when this returns. */
  refresh(): void {
    while (!this.#disposed && this.#read());
  }

  /** Resolves when everything appended so far survives a loss of power. */
  flush(): Promise<void> {
    return this.#journal.flush();
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#unwatch();
    await this.ready;
    const unsaved = this.#idle !== undefined;
    clearTimeout(this.#idle);
    if (unsaved) await this.#save();
    this.#journal.dispose();
    this.#reader.dispose();
  }

  async #load(journal: string): Promise<void> {
    try {
      const size = statSync(journal, { throwIfNoEntry: false })?.size ?? 0;
      const snapshot = size >= REPLAY_BYTES ? await this.#catalogue.load() : undefined;
      const lost = snapshot === undefined ? await this.#catalogue.loadLost(size) : undefined;
      if (snapshot !== undefined) {
        this.#building = new State(snapshot.state);
        this.#reader = new JournalReader(journal, snapshot.position);
      } else if (lost !== undefined) {
        this.#log.warn(`The journal ${journal} was deleted or cut: the catalogue tells what it has lost.`);
        this.#state = new State({ sessions: lost, leadership: NOBODY });
        this.#recovering = true;
      }
      if (this.#disposed) return;
      this.#unwatch = watchFile(journal, () => void this.#pull());
    } catch (error) {
      this.#log.error(errorText(error));
    }
    await this.#pull();
    this.#isReady = true;
    if (this.#state.size > 0 && !this.#catalogue.exists()) this.#saveWhenIdle();
  }

  /** Reads what is new, with a pause after each part. */
  async #pull(): Promise<void> {
    if (this.#pulling) return;
    this.#pulling = true;
    try {
      while (!this.#disposed && this.#read()) await new Promise((resolve) => setImmediate(resolve));
      this.#problem = undefined;
    } catch (error) {
      // Once, not at every look.
      if (this.#problem !== errorText(error)) this.#log.error(errorText(error));
      this.#problem = errorText(error);
    } finally {
      this.#pulling = false;
    }
  }

  /** Reads and applies one part of the journal; whether there is more. */
  #read(options?: { readonly sameFile: boolean }): boolean {
    const { facts, damaged, restarted, more } = this.#reader.read(options);
    if (restarted) {
      this.#log.warn(`The journal ${journalFile(this.folder)} was replaced: reading it from its beginning.`);
      this.#building = new State();
      this.#recovering ||= this.#isReady;
      this.#catalogue.reset();
    }
    if (damaged.length > 0) this.#report(damaged);
    const { changed, counted } = (this.#building ?? this.#state).apply(facts);
    if (this.#building === undefined) {
      this.#announce(changed);
      if (counted.length > 0) this.#facts.fire(counted);
    } else if (!more && !this.#recover(this.#building)) this.#show(this.#building);
    return more || this.#building !== undefined;
  }

  /**
   * Writes back what the journal does not hold any more of what was shown, or was in the catalogue: somebody deleted, cut or
   * replaced it while agents run, and without their sessions nobody could stop them. Whether anything was written, to be read
   * next. Throws where the journal cannot be written: until it can, all is shown as it was.
   */
  #recover(complete: State): boolean {
    if (!this.#recovering) return false;
    const lost = this.#state.list().filter((session) => knowsMore(session, complete.get(session.id)));
    for (const known of lost.toReversed()) {
      try {
        this.#journal.append({ type: 'session.known', session: known.id, known });
      } catch (error) {
        if (!(error instanceof TreelineError && error.code === 'fact-too-large')) throw error;
        this.#log.error(`“${known.name}” (${known.id}) could not be written back: ${error.message}`);
      }
    }
    this.#recovering = false;
    if (lost.length > 0) {
      this.#log.warn(`${lost.length} session(s) that it had lost were written back into the journal.`);
    }
    return lost.length > 0;
  }

  /** Shows what was read from the beginning, all at once. */
  #show(complete: State): void {
    const before = this.#state;
    this.#state = complete;
    this.#building = undefined;
    // Of the first reading, the catalogue's snapshot may be a part; what was replaced later is not.
    if (this.#isReady) this.#catalogue.reset();
    this.#announce([...before.ids(), ...complete.ids()]);
  }

  #announce(ids: Iterable<string>): void {
    const first = this.#changed.size === 0;
    for (const id of ids) this.#changed.add(id);
    if (this.#changed.size === 0) return;
    if (this.#isReady) this.#saveWhenIdle();
    if (!first) return;
    queueMicrotask(() => {
      const changed = this.#changed;
      this.#changed = new Set();
      this.#changes.fire(changed);
    });
  }

  #saveWhenIdle(): void {
    if (this.#disposed) return;
    if (this.#idle !== undefined) {
      this.#idle.refresh();
      return;
    }
    this.#idle = setTimeout(() => {
      this.#idle = undefined;
      void this.#save();
    }, IDLE_MS).unref();
  }

  #save(): Promise<void> {
    return this.#catalogue.save((): Snapshot | undefined =>
      this.#building === undefined ? { state: this.#state.data, position: this.#reader.position } : undefined,
    );
  }

  #report(damaged: readonly Damaged[]): void {
    this.#damaged.push(...damaged.slice(0, REPORTED_PIECES - this.#damaged.length));
    const [first] = damaged;
    this.#log.warn(
      `${damaged.length} damaged piece(s) in the journal, copied to ${damagedFile(this.folder)}. The first, at byte ${first?.offset ?? 0}: ${first?.reason ?? ''}`,
    );
    try {
      quarantine(damagedFile(this.folder), damaged, Date.now());
    } catch (error) {
      this.#log.warn(`The damaged pieces could not be copied: ${errorText(error)}`);
    }
  }
}
