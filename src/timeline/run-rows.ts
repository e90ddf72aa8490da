import type { AgentEvent } from '../agents/events.ts';
import type { Usage } from '../store/model.ts';
import type { Content } from './content.ts';
import type { Place } from './index-db.ts';
import type { RowKind } from '../protocol/rows.ts';
import type { TailLine } from './tailer.ts';

/** Where a line stands; its bytes are there only until the next one is read. */
export type LinePlace = Omit<TailLine, 'bytes'>;

/** What makes rows of one run, as it is read. */
export interface RunRows {
  /** New rows belong to this turn from now on. */
  begin(turn: number): void;
  /** @param used what the turn has used up so far. */
  event(event: AgentEvent, place: Place, at: number, used: Usage | undefined): void;
  /** A row that shows its line as it is. */
  line(kind: RowKind, line: LinePlace, problem: boolean): void;
  /** A row that shows what no line says. */
  own(kind: RowKind, content: Content | null, at: number, problem: boolean, place?: Place): void;
  /** The turn is over: what it left open was cut short. A result that comes later still counts. */
  endTurn(): void;
  /** Brings the rows of messages up to date that are still being written: once for all pieces that came together. */
  flush(): void;
}

/** For a run that nobody looks at. */
export const NO_ROWS: RunRows = {
  begin: () => undefined,
  event: () => undefined,
  line: () => undefined,
  own: () => undefined,
  endTurn: () => undefined,
  flush: () => undefined,
};
