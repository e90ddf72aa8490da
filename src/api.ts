/**
 * What other extensions get from `vscode.extensions.getExtension<TreelineApi>('treeline.treeline').activate()`.
 *
 * This file stands for itself: it may be copied. Within version 1, fields and functions may be added, none is changed or
 * removed. All times are milliseconds since the epoch. A refusal is an `Error` whose message is one sentence for the user and
 * whose `code` is a stable word, such as `turn-runs`.
 */
export interface TreelineApi {
  readonly version: 1;
  /**
   * Starts an agent in a worktree of its own. Resolves when the agent runs, or when the session waits in the queue (`queued`).
   * Nothing is asked; what was made before a failure is undone.
   */
  spawn(request: ApiSpawn, options?: ApiOptions): Promise<ApiSession>;
  /** Ends the session's agent and every process it started. Resolves when none is left; does nothing where none runs. */
  stop(session: string): Promise<ApiExit | undefined>;
  /** Starts the next turn. Refused while a turn runs. */
  resume(session: string, request: ApiResume, options?: ApiOptions): Promise<ApiSession>;
  /** Sends a message to an agent that reads while it runs (a custom agent with `"stdin": "lines"`). */
  send(session: string, text: string): Promise<void>;
  /** All sessions of the repositories that are open in this window, newest first in each. */
  sessions(): Promise<readonly ApiSession[]>;
  session(id: string): Promise<ApiSession | undefined>;
  /** Part of a session's timeline, in the order of arrival; the last 100 events by default. */
  events(session: string, range?: ApiRange): Promise<ApiEvents>;
  /** Called with the ids of the sessions whose state or output changed; several changes at once are one call. */
  onDidChange(listener: (sessions: readonly string[]) => void): { dispose(): void };
}

export interface ApiSpawn {
  /** The id of a built-in agent, such as `claude`, or of a custom agent of the settings. */
  readonly agent: string;
  readonly prompt: string;
  /** Branch, tag or commit to start from; the current branch by default. */
  readonly base?: string;
  /** Taken from the prompt by default. */
  readonly name?: string;
  /** Files, relative to the worktree, whose presence is noted when a turn ends. */
  readonly expects?: readonly string[];
  /** Root folder of the repository, where several are open; the one of the active editor, else the first, by default. */
  readonly repository?: string;
}

export interface ApiResume {
  readonly prompt: string;
  /** Begin a new conversation, with a summary of the earlier prompts. */
  readonly fresh?: boolean;
}

export interface ApiOptions {
  /** Cancels what has not started yet, and undoes it. */
  readonly signal?: AbortSignal;
  /** Told of each step, in English. */
  readonly progress?: (step: string) => void;
}

export interface ApiRange {
  /** Counted from 0; negative: from the end. */
  readonly from?: number;
  /** 1 to 1000. */
  readonly count?: number;
}

export type ApiStatus =
  | 'queued'
  | 'preparing'
  | 'starting'
  | 'working'
  | 'stopping'
  | 'needs-input'
  | 'needs-permission'
  | 'idle'
  | 'stopped'
  | 'failed'
  | 'lost'
  | 'archived';

export interface ApiSession {
  readonly id: string;
  readonly name: string;
  readonly agent: { readonly id: string; readonly name: string };
  readonly status: ApiStatus;
  /** The fact that the status rests on. */
  readonly evidence: { readonly type: string; readonly at: number; readonly detail: string };
  /** Root folder of the repository in this window. */
  readonly repository: string;
  readonly worktree: string;
  readonly branch: string;
  readonly base: { readonly ref: string; readonly commit: string };
  /** The id that the agent itself gave the conversation. */
  readonly agentSession?: string;
  readonly createdAt: number;
  readonly turns: readonly ApiTurn[];
  /** Arrival of the last output. */
  readonly lastEventAt?: number;
  /** Sums over all turns, as the agent reported them. Cost in US dollars. */
  readonly usage?: { readonly input: number; readonly output: number; readonly cached: number };
  readonly cost?: number;
}

export interface ApiTurn {
  /** From 1. */
  readonly number: number;
  /** The start of the prompt. */
  readonly prompt: string;
  readonly requestedAt: number;
  readonly startedAt?: number;
  readonly exit?: ApiExit;
  readonly outcome?: 'completed' | 'failed' | 'interrupted' | 'killed' | 'unknown';
  /** The agent's last words, or the reason of a failure. */
  readonly summary?: string;
  /** Folder of the turn's raw logs: stdout.log, stderr.log, keeper.log. */
  readonly folder: string;
}

export interface ApiExit {
  readonly endedAt: number;
  /** null where a signal ended it, or nobody saw the end. */
  readonly code: number | null;
  readonly signal: string | null;
  /** Present when a stop was asked for. */
  readonly stop?: {
    readonly requestedAt: number;
    readonly steps: readonly { readonly signal: string; readonly at: number }[];
  };
  readonly expected: readonly { readonly path: string; readonly present: boolean }[];
  readonly problem?: string;
}

export interface ApiEvents {
  /** How many events there are in all. */
  readonly total: number;
  /** The position of the first of `events`. */
  readonly from: number;
  readonly events: readonly ApiEvent[];
}

/** One row of the timeline; texts are cut (`cut`), the raw logs hold all. */
export interface ApiEvent {
  /** From 1, without gaps; the same after every rebuild. */
  readonly seq: number;
  readonly turn: number;
  /** `text`, `tool`, `error`, `turn-start`, … ; more kinds may come. */
  readonly kind: string;
  readonly at: number;
  /** How many sub-agents deep. */
  readonly depth: number;
  readonly text: string;
  readonly cut: boolean;
  readonly problem: boolean;
  readonly tool?: {
    readonly name: string;
    readonly argument: string;
    readonly state: 'running' | 'ok' | 'failed' | 'denied';
    readonly exitCode?: number;
    readonly durationMs?: number;
    readonly output?: string;
  };
  /** What the agent waits for, and what came of it. */
  readonly request?: {
    readonly about: 'permission' | 'question' | 'plan';
    /** `lapsed`: the turn ended first. */
    readonly state: 'open' | 'answered' | 'cancelled' | 'lapsed';
    readonly choices: readonly { readonly id: string; readonly label: string }[];
    readonly input?: string;
    /** The id of the choice that was made. */
    readonly choice?: string;
    /** What somebody wrote. */
    readonly answer?: string;
  };
}
