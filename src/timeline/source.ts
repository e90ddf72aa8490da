import { boolean, listOf, nonEmpty, optional, positive, shape, string, type Read } from '../platform/check.ts';
import { exitRecord } from '../store/facts-parse.ts';
import type { ExitRecord } from '../store/facts.ts';

/** What is known of a turn whose output is wanted. */
export interface TurnSource {
  readonly number: number;
  /** Nothing more will be written to its folder. */
  readonly over: boolean;
  /** The agent session id that was asked for. */
  readonly agentSession?: string;
  readonly resumes: boolean;
  /** The end as the journal tells it, for a turn without an exit.json. */
  readonly exit?: ExitRecord;
  /** Why the turn never started. */
  readonly withdrawn?: string;
}

/** A session whose timeline is wanted. */
export interface TimelineSource {
  readonly session: string;
  /** `sessions/<id>`, absolute. */
  readonly folder: string;
  readonly format: string;
  /** In their order; numbers may be left out. */
  readonly turns: readonly TurnSource[];
}

export const readSource: Read<TimelineSource> = shape({
  session: nonEmpty,
  folder: nonEmpty,
  format: nonEmpty,
  turns: listOf(
    shape({
      number: positive,
      over: boolean,
      agentSession: optional(string),
      resumes: boolean,
      exit: optional(exitRecord),
      withdrawn: optional(string),
    }),
  ),
});
