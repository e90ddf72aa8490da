import { parseCustomAgents } from '../agents/custom/settings.ts';
import { parseProgram, type ProgramOptions } from '../agents/program.ts';
import { AGENTS } from '../agents/table.ts';
import { isRecord, natural, nonEmpty, number, positive, type Read } from '../platform/check.ts';
import { errorText } from '../platform/errors.ts';
import { DEFAULT_SETTINGS, type Settings } from './settings.ts';

/** What the settings came to: usable in any case, with one sentence for each thing that is wrong and left out. */
export interface ParsedSettings {
  readonly settings: Settings;
  readonly problems: readonly string[];
}

const MOST_SECONDS = 600;
/** Each takes the space of a whole checkout. */
const MOST_WARM = 10;

/** Reads the object of all settings below `treeline.`, as a person may have written them. Times in it are seconds. */
export function parseSettings(value: unknown): ParsedSettings {
  const given = isRecord(value) ? value : {};
  const problems: string[] = [];
  const read = <T>(key: string, reader: Read<T>, otherwise: T): T => {
    if (given[key] === undefined) {
      return otherwise;
    }
    try {
      return reader(given[key], `treeline.${key}`);
    } catch (error) {
      problems.push(errorText(error));
      return otherwise;
    }
  };
  const program = (agent: string): ProgramOptions => {
    const parsed = parseProgram(agent, isRecord(given[agent]) ? given[agent] : {});
    problems.push(...parsed.problems);
    return parsed.options;
  };
  const custom = parseCustomAgents(given['customAgents']);
  problems.push(...custom.problems);
  const { maxConcurrent, worktreeFolder, warmWorktrees, branchName, trashDays, grace } = DEFAULT_SETTINGS;
  return {
    settings: {
      maxConcurrent: read('maxConcurrent', positive, maxConcurrent),
      worktreeFolder: read('worktreeFolder', nonEmpty, worktreeFolder),
      warmWorktrees: Math.min(MOST_WARM, read('warmWorktrees', natural, warmWorktrees)),
      branchName: read('branchName', nonEmpty, branchName),
      programs: Object.fromEntries(AGENTS.map(({ id }) => [id, program(id)])),
      customAgents: custom.agents,
      trashDays: read('trashDays', natural, trashDays),
      grace: {
        interrupt: read('stopGraceInterrupt', seconds, grace.interrupt),
        terminate: read('stopGraceTerminate', seconds, grace.terminate),
      },
    },
    problems,
  };
}

/** Seconds of a setting as ms; more than ten minutes is taken for ten. */
const seconds: Read<number> = (value, what) => Math.min(MOST_SECONDS, Math.max(0, number(value, what))) * 1000;
