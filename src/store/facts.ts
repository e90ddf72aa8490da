import type { Archive } from '../git/archive.ts';
import type { ProcessId } from '../platform/process-id.ts';
import type { Session } from './lifecycle.ts';

/** The version of the fact format that this code writes. A reader keeps, but does not apply, facts of a newer one. */
export const FACT_VERSION = 1;

/** What every fact carries. `id` is a UUIDv7; `at` is milliseconds since the epoch by the writer's clock. */
export interface FactBase {
  readonly v: number;
  readonly id: string;
  readonly at: number;
  readonly session: string;
  readonly by: { readonly role: 'window' | 'keeper'; readonly process: ProcessId };
}

/** The agent of a session, as it was when the session was created. */
export interface AgentRef {
  /** Adapter id (`claude`, `codex`) or the id of a custom agent in the settings. */
  readonly id: string;
  readonly name: string;
  /** How its stdout reads: the name of a reader, which another version of Treeline may not have. */
  readonly format: string;
}

/** How a turn came to its end. */
export type Outcome = 'completed' | 'failed' | 'interrupted' | 'killed' | 'unknown';

/** Tokens of one turn (not cumulative), as the agent reported them. */
export interface Usage {
  readonly input: number;
  readonly output: number;
  /** Input tokens that were read from a cache; part of `input`. */
  readonly cached: number;
}

/** What the agent waits for after a turn, with the words that show it. */
export interface Attention {
  readonly for: 'input' | 'permission';
  readonly what: string;
}

/** One signal of a stop, in the order sent. `at` is ms since the epoch. */
export interface StopStep {
  readonly signal: 'interrupt' | 'SIGINT' | 'SIGTERM' | 'SIGKILL';
  readonly at: number;
}

/** exit.json, and the body of `turn.exited`: what the operating system says of the agent's process. */
export interface ExitRecord {
  readonly startedAt: number | null;
  readonly endedAt: number;
  /** null where a signal ended it, where it never started, or where nobody saw the end. */
  readonly code: number | null;
  readonly signal: string | null;
  /** Present when somebody asked it to stop. */
  readonly stop?: { readonly requestedAt: number; readonly steps: readonly StopStep[] };
  /** Processes of the turn that were still alive after the agent's own end, and were ended. */
  readonly survivors: readonly { readonly pid: number; readonly command: string }[];
  /** The files the user expected (paths relative to the worktree), and whether each was there at the end. */
  readonly expected: readonly { readonly path: string; readonly present: boolean }[];
  /** Why there is no agent, or nobody saw its end: it could not be started, its keeper died, the machine restarted. */
  readonly problem?: string;
}

/** What the adapter made of a turn when it was over. */
export interface Judgement {
  readonly outcome: Outcome;
  /** One line: the agent's last words, or the reason of a failure. */
  readonly summary: string;
  readonly usage?: Usage;
  /** US dollars of this turn. */
  readonly cost?: number;
  readonly attention?: Attention;
  /** True when the agent says that it does not know the agent session id it was asked to resume. */
  readonly unknownSession?: boolean;
}

/** Where a move of a worktree leads: out of sight, back to work, or away for good. */
export type MoveTo = 'trash' | 'worktree' | 'nowhere';

export const MOVES: readonly MoveTo[] = ['trash', 'worktree', 'nowhere'];

export type FactBody =
  /** Reserves the id; everything that will be made is named before it is made. */
  | {
      readonly type: 'session.created';
      readonly name: string;
      readonly agent: AgentRef;
      readonly base: { readonly ref: string; readonly commit: string };
      readonly worktree: string;
      readonly branch: string;
      readonly expects: readonly string[];
      /** A worktree that Treeline did not make, and that the user had it remove: there is no agent and no turn. */
      readonly foreign?: boolean;
    }
  | { readonly type: 'session.renamed'; readonly name: string }
  /**
   * What a window knew of a session when the journal lost it: somebody deleted, cut or replaced the file. It counts where the
   * journal before it knows less.
   */
  | { readonly type: 'session.known'; readonly known: Session }
  /** The worktree exists and its checkout is done. */
  | { readonly type: 'worktree.ready' }
  /** A turn is wanted. The first such fact in the journal for a session's next number wins; later ones are void. */
  | {
      readonly type: 'turn.requested';
      readonly turn: number;
      /** The start of the prompt, at most 200 characters; the whole stands in the turn's prompt.md. */
      readonly prompt: string;
      /** The agent session id that is resumed, or that is given to a new conversation; absent when the agent chooses. */
      readonly agentSession?: string;
      readonly resumes: boolean;
    }
  /** A window wants to start a queued turn; void when `limit` turns are live at this place of the journal. */
  | { readonly type: 'turn.claimed'; readonly turn: number; readonly limit: number }
  /** The turn will not start: cancelled while queued, or its preparation failed and was undone. */
  | {
      readonly type: 'turn.withdrawn';
      readonly turn: number;
      readonly reason: 'cancelled' | 'failed';
      /** The step that failed, why, and what was undone: one sentence. */
      readonly message: string;
    }
  | { readonly type: 'keeper.started'; readonly turn: number; readonly keeper: ProcessId; readonly socket: string }
  | { readonly type: 'agent.started'; readonly turn: number; readonly agent: ProcessId }
  /** The agent said which conversation this is. */
  | { readonly type: 'agent.identified'; readonly turn: number; readonly agentSession: string }
  /** The user wants the turn to stop. */
  | { readonly type: 'turn.stopping'; readonly turn: number }
  | { readonly type: 'turn.exited'; readonly turn: number; readonly exit: ExitRecord }
  | { readonly type: 'turn.judged'; readonly turn: number; readonly judgement: Judgement }
  /**
   * The writer is about to move the session's worktree, and nobody else may until it says how that ended. Void while a turn
   * is open, while another move is under way, and where there is nothing to move.
   */
  | {
      readonly type: 'session.moving';
      readonly to: MoveTo;
      /** The worktree's path, or the one that it comes back to. */
      readonly worktree: string;
      readonly archive: Archive;
      /** The id of the `session.moving` of a window that died in the middle, which the writer finishes. */
      readonly replaces?: string;
    }
  /** How a move ended, `move` being its `session.moving`: the worktree lies in the trash, */
  | { readonly type: 'session.archived'; readonly move: string }
  /** is where it belongs (also when it could not be moved away), */
  | { readonly type: 'session.restored'; readonly move: string }
  /** or was deleted from the trash. */
  | { readonly type: 'session.purged'; readonly move: string };

/** One fact of the journal. */
export type Fact = FactBase & FactBody;

export type FactType = FactBody['type'];
