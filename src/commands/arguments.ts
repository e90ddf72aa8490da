import { boolean, listOf, natural, nonEmpty, oneOf, optional, positive, shape, string } from '../platform/check.ts';

// What a program may hand to a command beside the session. All of it comes from outside and is read here.

/** What is missing is asked for, unless both agent and prompt are given. */
export const readSpawn = shape({
  agent: optional(nonEmpty),
  prompt: optional(nonEmpty),
  base: optional(nonEmpty),
  name: optional(string),
  expects: optional(listOf(nonEmpty)),
  /** The root folder of the repository. */
  repository: optional(nonEmpty),
});

export type SpawnArguments = ReturnType<typeof readSpawn>;

export const readSend = shape({ text: optional(nonEmpty) });

export const readResume = shape({ prompt: optional(nonEmpty), fresh: optional(boolean) });

export const readRename = shape({ name: optional(nonEmpty) });

/** `to`: the folder to restore into, where the old one is taken. */
export const readUnarchive = shape({ to: optional(nonEmpty) });

/** `confirm`: the folder's name, as the user would type it. */
export const readRemoveWorktree = shape({ confirm: optional(nonEmpty) });

export const readCheckHealth = shape({ show: optional(boolean) });

export const readOpenLog = shape({
  turn: optional(positive),
  stream: optional(oneOf(['stdout', 'stderr', 'stdin', 'treeline'])),
  /** A byte of the log, whose line is selected. */
  byte: optional(natural),
});
