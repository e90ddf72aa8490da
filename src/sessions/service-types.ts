import type { Repository } from '../git/types.ts';
import type { Dispose } from '../platform/emitter.ts';
import type { ExitRecord, Session, Turn } from '../store/model.ts';
import type { Activity } from '../protocol/rows.ts';
import type { Saying } from '../words/saying.ts';
import type { Finding } from './finding.ts';
import type { TrashAnswer } from './trash-record.ts';

/** What a spawn is asked for. */
export interface SpawnRequest {
  /** The id of a built-in agent, or of a custom one. */
  readonly agent: string;
  readonly prompt: string;
  /** Branch, tag or commit; the current HEAD of the repository's folder by default. */
  readonly base?: string;
  /** Display name; from the prompt's first meaningful line by default. */
  readonly name?: string;
  /** Files (relative to the worktree) whose presence is looked up when a turn ends. */
  readonly expects?: readonly string[];
}

export interface ResumeRequest {
  readonly prompt: string;
  /** Start a new conversation in the same worktree, with a summary of the earlier prompts, in place of the agent's own memory. */
  readonly fresh?: boolean;
}

/** A step of a longer action, for a progress display. */
export type Progress = (step: string) => void;

export interface ActionOptions {
  readonly signal?: AbortSignal;
  readonly progress?: Progress;
}

export interface Restored {
  readonly session: Session;
  /** What is said of a branch or HEAD that is not as it was. */
  readonly note?: Saying;
}

/** What lies in the trash for a session. */
export interface ArchiveContents {
  readonly bytes: number;
  /** False when there are too many files to count, and `bytes` is the least that it can be. */
  readonly complete: boolean;
  /** Files that git does not hold as they are: changed, staged, untracked and ignored ones. */
  readonly unheld: number;
}

/** Archives that are older than the trash keeps, and that nobody has been asked about yet. */
export interface OldArchives {
  readonly sessions: readonly Session[];
  /** What their deletion would free, at least. */
  readonly bytes: number;
}

/** What the sessions of a repository do on the user's word. Everything throws TreelineError on refusal. */
export interface SessionActions {
  /** Resolves when the agent runs, or when the session is queued behind the limit; what was made before a failure is undone. */
  spawn(request: SpawnRequest, options?: ActionOptions): Promise<Session>;
  resume(session: string, request: ResumeRequest, options?: ActionOptions): Promise<Session>;
  /** A follow-up message for a live agent that reads lines. */
  send(session: string, text: string): Promise<void>;
  /** Resolves when no process of the session's turn is left. Idempotent: a session that does not run gives its last exit, or undefined. */
  stop(session: string): Promise<ExitRecord | undefined>;
  rename(session: string, name: string): Promise<void>;
  /** Moves the session's worktree, with all that git does not hold, to the trash; the branch stays. Idempotent. */
  archive(session: string): Promise<Session>;
  /** Brings an archived worktree back, byte for byte. @param to another folder than the one that it came from. */
  unarchive(session: string, to?: string): Promise<Restored>;
  /** Deletes an archived worktree's files for good; the session and its branch stay. */
  purge(session: string): Promise<Session>;
  /** What a purge would delete. */
  archiveContents(session: string, signal?: AbortSignal): Promise<ArchiveContents>;
  /** What is due for deletion as long as the user has not said whether it may go: it is kept until then. */
  oldArchives(signal?: AbortSignal): Promise<OldArchives | undefined>;
  /** The user's word for this repository: old archives are deleted, now and from now on, or kept. */
  answerOldArchives(answer: TrashAnswer): Promise<void>;
  /** Moves any worktree of the repository but the main one to the trash; the archived entry that it gives can be restored. */
  removeWorktree(path: string): Promise<Session>;
  /** Everything about this repository's sessions that is not as it should be, what matters most first. */
  examine(signal?: AbortSignal): Promise<readonly Finding[]>;
}

/** The sessions of one repository, as all windows on it share them. */
export interface RepositorySessions extends SessionActions {
  readonly repository: Repository;
  /** `<globalStorage>/repos/<key>` */
  readonly store: string;
  /** Resolves when the state on disk is loaded; until then `list` is empty. */
  readonly ready: Promise<void>;
  /** All sessions, newest first. */
  list(): readonly Session[];
  get(id: string): Session | undefined;
  /** What the tree shows of a session's output; undefined until something is known of it. */
  activity(id: string): Activity | undefined;
  /** The folder of the run that serves a turn, with its logs. */
  turnFolder(id: string, turn: number): string;
  /** The file of a turn's whole prompt. */
  promptFile(id: string, turn: Turn): string;
  /** Ids of the sessions whose facts or activity changed; several changes at once are one event. */
  readonly onDidChange: (listener: (ids: ReadonlySet<string>) => void) => Dispose;
  /** Whether it falls to this process to tell the user of the session: it asked for the last turn, or who did is gone and it acts. */
  speaksFor(session: Session): boolean;
  dispose(): void;
}

/** An agent that can be spawned, as found on this machine. */
export interface AgentChoice {
  readonly id: string;
  readonly name: string;
  readonly custom: boolean;
  readonly found: boolean;
  readonly version?: string;
  /** How to install it, or what is wrong with its settings entry. */
  readonly hint: string;
}
