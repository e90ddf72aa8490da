import type { Dispose } from '../platform/emitter.ts';
import type { Judgement } from '../store/model.ts';
import type { Activity } from '../protocol/rows.ts';
import type { TimelineSource } from './source.ts';

/** What agents' output comes to, for who acts on it. */
export interface Outputs {
  /** Reads a session's output until the result is called, for what it comes to. Whoever follows it hints at all that is recorded. */
  follow(source: TimelineSource): Dispose;
  /** Whether the session is read. */
  has(session: string): boolean;
  /** Tells of turns that came or ended; the source is the whole of what is known now. Ignored for a session that is not read. */
  update(source: TimelineSource): void;
  /** There may be something new to read. */
  hint(session: string): void;
  /** What the agent's adapter makes of a turn that is over, after reading its output to the end. */
  judge(session: string, turn: number): Promise<Judgement>;
  /** What the output of a session that is read came to: always all that is known, at most some 60 times a second. */
  readonly onActivity: (listener: (activity: Activity) => void) => Dispose;
}
