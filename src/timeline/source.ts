import path from 'node:path';
import { boolean, listOf, nonEmpty, optional, positive, shape, string, type Read } from '../platform/check.ts';
import { TreelineError } from '../platform/errors.ts';
import { exitRecord, type ExitRecord } from '../store/model.ts';
import { saying } from '../store/read-saying.ts';
import type { Saying } from '../words/saying.ts';

/** What is known of a turn whose output is wanted. */
export interface TurnSource {
  readonly number: number;
  /** The run that serves it. */
  readonly run: number;
  /** The name of the prompt's file, without its ending. */
  readonly text: string;
  /** Nothing more will be written to the folder of its run. */
  readonly over: boolean;
  /** The turn is over, as the journal tells, though its run may go on. */
  readonly ended?: boolean;
  /** The agent session id that was asked for. */
  readonly agentSession?: string;
  readonly resumes: boolean;
  /** The end of its run as the journal tells it, for a run without an exit.json. */
  readonly exit?: ExitRecord;
  /** Why the turn never started. */
  readonly withdrawn?: Saying;
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

/** The turn of this number. Throws TreelineError `no-turn`: no row is of a turn that the source does not name. */
export function turnOf(source: TimelineSource, number: number): TurnSource {
  const turn = source.turns.find((one) => one.number === number);
  if (turn === undefined) throw new TreelineError('no-turn', `There is no turn ${number} in this session.`);
  return turn;
}

/** A run, with the turns that it serves in their order. */
export interface RunSource {
  readonly number: number;
  readonly folder: string;
  readonly turns: readonly TurnSource[];
  /** Nothing more will be written to its folder. */
  readonly over: boolean;
  readonly exit?: ExitRecord;
}

/** The runs of a session in their order. One that is followed by another is over, whatever is known of it. */
export function runsOf(source: TimelineSource): readonly RunSource[] {
  const groups: TurnSource[][] = [];
  for (const turn of source.turns) {
    const last = groups.at(-1);
    if (last?.[0]?.run === turn.run) last.push(turn);
    else groups.push([turn]);
  }
  return groups.map((turns, i) => {
    const number = turns[0]?.run ?? 0;
    const served = turns.filter(({ withdrawn }) => withdrawn === undefined);
    const exit = turns.findLast((turn) => turn.exit !== undefined)?.exit;
    return {
      number,
      folder: runFolder(source, number),
      turns,
      over: i + 1 < groups.length || (served.length === 0 ? turns : served).some(({ over }) => over),
      ...(exit !== undefined && { exit }),
    };
  });
}

function runFolder(source: TimelineSource, run: number): string {
  return path.join(source.folder, 'runs', String(run));
}

/** The folder of the run that serves the turn. */
export function runFolderOf(source: TimelineSource, turn: TurnSource): string {
  return runFolder(source, turn.run);
}

/** The file of the turn's prompt. */
export function promptFileOf(source: TimelineSource, turn: TurnSource): string {
  return path.join(source.folder, 'texts', `${turn.text}.md`);
}

export const readSource: Read<TimelineSource> = shape({
  session: nonEmpty,
  folder: nonEmpty,
  format: nonEmpty,
  turns: listOf(
    shape({
      number: positive,
      run: positive,
      text: nonEmpty,
      over: boolean,
      ended: optional(boolean),
      agentSession: optional(string),
      resumes: boolean,
      exit: optional(exitRecord),
      withdrawn: optional(saying),
    }),
  ),
});
