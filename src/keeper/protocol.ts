import type { ExitRecord } from '../store/model.ts';
import type { Saying } from '../words/saying.ts';

/**
 * A run's folder, `sessions/<id>/runs/<n>/`. The names of its files.
 *
 * `times.log` is the one order of everything that the keeper recorded: a line `<stream> <ms since the epoch> <end offset>`
 * per chunk, appended after the chunk itself, where stream is the key below and the offset is that file's size after the chunk.
 */
export const RUN_FILES = {
  spec: 'spec.json',
  times: 'times.log',
  exit: 'exit.json',
  /** What a keeper says that cannot even start; empty otherwise. */
  errors: 'keeper.err',
  /** The streams. */
  o: 'stdout.log',
  e: 'stderr.log',
  /** What went to the stdin of an agent that reads lines, the prompt first: one JSON object `{at, key, text, turn?}` a line. */
  i: 'stdin.log',
  /** What the keeper did: one JSON object `{at, level, said, exit?, undelivered?}` a line. */
  k: 'keeper.log',
} as const;

export const STREAM_KEYS = ['o', 'e', 'i', 'k'] as const;
export type StreamKey = (typeof STREAM_KEYS)[number];

/** A line of keeper.log. */
export interface KeeperNote {
  readonly at: number;
  readonly level: 'info' | 'warning' | 'error';
  readonly said: Saying;
  /** Of the note that tells how the agent's process ended: what the exit record will say too. */
  readonly exit?: Pick<ExitRecord, 'code' | 'signal'>;
  /** The key of a message that did not reach the agent, whatever stdin.log says. It may be sent again. */
  readonly undelivered?: string;
}

/** What is sent to an agent that reads lines. */
export interface Message {
  /** Whoever sends it again, for want of an answer, gives the same key: it is delivered once. */
  readonly key: string;
  readonly text: string;
  /** The number of the turn that it begins. */
  readonly turn?: number;
}

/** A line of stdin.log: written before the message is delivered. */
export interface SentMessage extends Message {
  readonly at: number;
}

/** What a keeper starts, detached, when nobody who acts for the repository has been connected for some seconds. */
export interface StewardProgram {
  /** It ends by itself where somebody acts already. What the keeper was told to remember comes on its stdin. */
  readonly argv: readonly string[];
  /** The store: its errors go to a file there. */
  readonly folder: string;
  /** For the program; the keeper makes no use of it. */
  readonly lease: string;
}

/** How far a stream is recorded: the size of its file, and when it came to that. */
export interface Grown {
  readonly stream: StreamKey;
  readonly at: number;
  readonly end: number;
}

/** spec.json: all that a keeper needs. No environment stands in it, for it may hold secrets: the keeper hands on its own. */
export interface KeeperSpec {
  readonly v: 1;
  readonly session: string;
  readonly run: number;
  readonly journal: string;
  /** Path of the local socket, or the name of the pipe on Windows. */
  readonly socket: string;
  /** What a client must say first. 32 hex digits, new for every run. */
  readonly token: string;
  readonly argv: readonly string[];
  readonly worktree: string;
  readonly stdin: 'closed' | 'prompt' | 'lines';
  /** The live protocol, for whoever acts; the keeper makes no use of it. */
  readonly protocol?: string;
  /** The file with the first prompt, absolute; the key by which it is sent, and the number of its turn. */
  readonly prompt: string;
  readonly key: string;
  readonly turn: number;
  /** The program that acts for the repository, and what the keeper starts when nobody does. */
  readonly steward?: StewardProgram;
  /** Paths relative to the worktree to look for at the end. */
  readonly expects: readonly string[];
  /** ms from SIGINT to SIGTERM, and from SIGTERM to SIGKILL. */
  readonly grace: { readonly interrupt: number; readonly terminate: number };
}

/** The longest message to an agent, as JSON, and the longest text to remember: bytes. A line of the socket may be twice as long. */
export const MESSAGE_LIMIT = 1024 * 1024;

/** Variables that this agent alone is given. They may hold secrets, and are written down nowhere. */
export type Additions = Readonly<Record<string, string>>;

/** What is said with the word `start`. */
export interface StartWith {
  /** What is added to the environment of the agent. */
  readonly env?: Additions;
  /** What a steward is to be given that the keeper starts. It is held in memory and written down nowhere. */
  readonly later?: string;
}

/** Client to keeper, one JSON object a line. The first must be `hello`. */
export type KeeperRequest =
  /** Who follows is told of everything that is recorded. A steward that is connected needs no other one. */
  | {
      readonly id: number;
      readonly do: 'hello';
      readonly token: string;
      readonly follow?: true;
      readonly role?: 'steward';
    }
  /** Start the agent; the keeper waits for it, so that its own start hides behind the making of the worktree. */
  | ({ readonly id: number; readonly do: 'start' } & StartWith)
  /** Replaces `later` of the start. */
  | { readonly id: number; readonly do: 'remember'; readonly text: string }
  /** Answered with `again` where this key was delivered before. */
  | ({ readonly id: number; readonly do: 'send' } & Message)
  /** End the agent and all its descendants; answered when all are gone. Idempotent. */
  | { readonly id: number; readonly do: 'stop' };

/** Keeper to client. `ended` comes unasked to every client, once, when the exit record is written. */
export type KeeperReply =
  | { readonly id: number; readonly ok: true; readonly exit?: ExitRecord; readonly pid?: number; readonly again?: true }
  | { readonly id: number; readonly ok: false; readonly code: string; readonly why: Saying }
  | { readonly event: 'ended'; readonly exit: ExitRecord }
  /** To those who follow; of several within a moment only the last. */
  | ({ readonly event: 'grew' } & Grown);
