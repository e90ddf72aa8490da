import type { ControlRequest, TurnOutcome } from '../agents/text/control.ts';

/** A line that went to a run's agent or came from it, in the order in which its keeper recorded them. */
export interface DriverLine {
  readonly stream: 'in' | 'out' | 'err';
  /** Without its line end. Of `in`: a message as it was sent, which may have several lines. */
  readonly text: string;
  /** ms since the epoch. */
  readonly at: number;
  /** Of `in`: the key that the message was sent with. */
  readonly key?: string;
  /** Of `in`: the turn that the message begins. */
  readonly turn?: number;
}

/** Something to send to the agent. The keeper delivers a key at most once: the same wish has the same key. */
export interface Outgoing {
  readonly key: string;
  readonly text: string;
  /** The turn that it begins. */
  readonly turn?: number;
}

/** What an agent waits for: a permission, an answer, the approval of a plan. */
export type DriverRequest = ControlRequest;

/** What a line meant. */
export type DriverEvent =
  /** The agent can be spoken to. */
  | { readonly type: 'ready' }
  | { readonly type: 'turn-began'; readonly turn: number }
  | { readonly type: 'turn-ended'; readonly turn: number; readonly outcome: TurnOutcome; readonly summary?: string }
  | ({ readonly type: 'request-opened' } & DriverRequest)
  | {
      readonly type: 'request-closed';
      readonly id: string;
      readonly how: 'answered' | 'withdrawn';
      readonly choice?: string;
    }
  /** The agent has taken up a message. */
  | { readonly type: 'message-received'; readonly key: string }
  | { readonly type: 'identified'; readonly agentSession: string };

/** Why nothing is sent. */
export type Refusal =
  /** A message that begins no turn, while none is under way. */
  | 'no-turn'
  /** A message that begins a turn, while another one is under way. */
  | 'turn-under-way'
  /** A message for a turn that is over. */
  | 'turn-over'
  /** The process serves one turn. */
  | 'one-turn'
  /** A text that the agent would take for something else. */
  | 'reserved-text'
  | 'unknown-request'
  | 'already-answered'
  | 'unknown-choice'
  | 'cannot-interrupt';

/** What comes of a wish: something to send, or the reason why not. */
export type Wish = { readonly send: readonly Outgoing[] } | { readonly refused: Refusal };

/** What a line comes to. */
export interface Step<S> {
  readonly state: S;
  readonly events: readonly DriverEvent[];
  readonly send: readonly Outgoing[];
}

/** What a driver knows of a run before its first line. */
export interface DriverSpec {
  /** The turn whose prompt the process is started with; absent when the prompt comes as a message. */
  readonly turn?: number;
}

/**
 * The knowledge of one live protocol. A driver is a pure function: its state is plain JSON and follows from the lines alone, so
 * that whoever replays a run's logs goes on where another one died.
 */
export interface Driver<S = unknown> {
  readonly protocol: string;
  start(spec: DriverSpec): S;
  step(state: S, line: DriverLine): Step<S>;
  /** @param turn the turn that the message begins; without it, it steers the turn under way. */
  message(state: S, message: { readonly key: string; readonly text: string; readonly turn?: number }): Wish;
  /** Answers a request, once. @param text what somebody wrote, beside a choice or where there is none to make. */
  answer(state: S, answer: { readonly request: string; readonly choice?: string; readonly text?: string }): Wish;
  /** Cuts the turn under way short. */
  interrupt(state: S): Wish;
}
