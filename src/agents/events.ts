import type { Said } from '../words/saying.ts';

/**
 * What an agent's output says, in words that fit every agent. Texts are whole here; the timeline cuts them for display. A saying
 * stands where the words are ours and not the agent's.
 */
export type AgentEvent = AgentEventBody & {
  /** ms since the epoch, where the agent itself said when; else the arrival time of the line counts. */
  readonly at?: number;
  /** The tool call (its `id`) of the sub-agent that this event belongs to. */
  readonly parent?: string;
};

export interface FileChange {
  readonly path: string;
  readonly change: 'add' | 'update' | 'delete';
}

export interface Todo {
  readonly text: string;
  readonly state: 'open' | 'doing' | 'done';
}

/** One of the answers that a request allows. */
export interface Choice {
  readonly id: string;
  readonly label: string;
}

export type AgentEventBody =
  /** The conversation began or was taken up again. */
  | { readonly kind: 'session'; readonly agentSession: string; readonly model?: string }
  /** What the user (or the parent agent) said. */
  | { readonly kind: 'prompt'; readonly text: string }
  /** A message; `id` where pieces of it came before, which it replaces. */
  | { readonly kind: 'text'; readonly text: string; readonly id?: string }
  /** The next piece of a message that is still being written: of the message `id`, or of the last one. */
  | { readonly kind: 'text-part'; readonly text: string; readonly id?: string }
  | { readonly kind: 'thinking'; readonly text: string }
  /** A tool call begins. `argument` is the one that tells most (command, path, pattern), one line. */
  | {
      readonly kind: 'tool';
      readonly id: string;
      readonly name: string;
      readonly argument: string;
      /** The file it is about, as the agent named it. */
      readonly file?: string;
      readonly line?: number;
      /** What an edit would change, as unified-diff lines (`-old`, `+new`, ` context`), where the call tells. */
      readonly diff?: string;
      /** A call that starts a sub-agent. */
      readonly subagent?: boolean;
      /** The whole input, as JSON text (or the command, where there is nothing else); absent where `diff` says it all. */
      readonly input?: string;
    }
  /** The tool call `id` ended (or moved on: `done` false, with the output so far). Folded into the row of its call. */
  | {
      readonly kind: 'tool-result';
      readonly id: string;
      readonly done: boolean;
      readonly ok: boolean;
      readonly output: string;
      readonly exitCode?: number;
      readonly durationMs?: number;
      /** The change that was really made, where the result tells, and the first line of it in the changed file. */
      readonly diff?: string;
      readonly line?: number;
      /** The call was refused: no permission. */
      readonly denied?: boolean;
    }
  /** Files changed without a tool call of their own. */
  | {
      readonly kind: 'files';
      readonly changes: readonly FileChange[];
      readonly ok: boolean;
    }
  /** The whole todo list as it is now. */
  | {
      readonly kind: 'todo';
      readonly items: readonly Todo[];
    }
  /** The agent waits until somebody decides. `detail` is what exactly it is about: the command, the plan. */
  | {
      readonly kind: 'request';
      readonly id: string;
      readonly about: 'permission' | 'question' | 'plan';
      readonly title: string;
      readonly detail?: string;
      readonly choices: readonly Choice[];
    }
  /** The request `id` is settled; `choice` is the id of one of its choices, `text` what somebody wrote. Folded into its row. */
  | {
      readonly kind: 'request-closed';
      readonly id: string;
      readonly how: 'answered' | 'cancelled';
      readonly choice?: string;
      readonly text?: string;
    }
  | { readonly kind: 'denial'; readonly tool: string; readonly reason: string }
  | { readonly kind: 'retry'; readonly text: Said; readonly attempt?: number; readonly of?: number }
  | { readonly kind: 'notice'; readonly text: Said }
  | { readonly kind: 'warning'; readonly text: Said }
  | { readonly kind: 'error'; readonly text: Said }
  /** The agent's terminal event. */
  | {
      readonly kind: 'result';
      readonly ok: boolean;
      readonly text: Said;
      readonly durationMs?: number;
      readonly cost?: number;
      readonly input?: number;
      readonly output?: number;
      /** Calls (their ids) that were refused, which their own results may not have told. */
      readonly denied?: readonly string[];
    }
  /** A line of a program that prints plain text. */
  | { readonly kind: 'output'; readonly text: string }
  /** A line that no parser knows. */
  | { readonly kind: 'raw'; readonly text: string };

export type AgentEventKind = AgentEventBody['kind'];
