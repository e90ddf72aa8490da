import { AGENTS } from './agents.ts';
import { ENDS } from './ends.ts';
import { RECORDER } from './recorder.ts';
import { SESSIONS } from './sessions.ts';
import { TIMELINES } from './timelines.ts';
import { WORKTREES } from './worktrees.ts';

/** Sayings that others are made of, and how what is unknown is told. */
const COMMON = {
  /** What somebody else said: an agent, git, the system. */
  quoted: '{text}',
  sentences: '{all:sentences}',
  more: 'and {count} more',
  seconds: '{seconds} s',
  minutes: '{minutes} min',
  hours: '{hours} h {minutes} min',
  'unknown-saying': 'A newer version of Treeline recorded this ({name}). Update Treeline to read it.',
  'unknown-agent':
    'There is no agent “{agent}”. Choose one of {agents:list}, or add it to the setting treeline.customAgents.',
  'agent-environment':
    '{agent} needs {variables:list}, which only VS Code knows from its settings. Open the repository in VS Code, then try again.',
} as const;

/**
 * All that Treeline says and stores, in English, by code. `{name}` stands for a parameter, `{name:duration}` for one in ms,
 * `{name:list}` for several with commas between them, `{name:sentences}` for several with blanks.
 * The part of a code before its first dot is the code of an error that says it.
 */
export const SAYINGS = { ...COMMON, ...SESSIONS, ...ENDS, ...RECORDER, ...AGENTS, ...WORKTREES, ...TIMELINES } as const;

/** Its parts, of which each code is in one. */
export const PARTS: readonly object[] = [COMMON, SESSIONS, ENDS, RECORDER, AGENTS, WORKTREES, TIMELINES];
