import { parseCustomAgents } from '../agents/custom/settings.ts';
import { parseProgram, type ProgramOptions } from '../agents/program.ts';
import { AGENTS } from '../agents/table.ts';
import { isRecord } from '../platform/check.ts';
import { readSetting } from './read-setting.ts';
import type { SettingName, Settings, SettingValue } from './settings.ts';

/** What the settings came to: usable in any case, with one sentence for each thing that is wrong and left out. */
export interface ParsedSettings {
  readonly settings: Settings;
  readonly problems: readonly string[];
}

/** Reads the object of all settings below `treeline.`, as a person may have written them. Times in it are seconds. */
export function parseSettings(value: unknown): ParsedSettings {
  const given = isRecord(value) ? value : {};
  const problems: string[] = [];
  const read = <Name extends SettingName>(name: Name): SettingValue<Name> =>
    readSetting(name, given[name], (problem) => problems.push(problem));
  const milliseconds = (name: 'stopGraceInterrupt' | 'stopGraceTerminate'): number => Math.round(read(name) * 1000);
  const program = (agent: string): ProgramOptions => {
    const parsed = parseProgram(agent, isRecord(given[agent]) ? given[agent] : {});
    problems.push(...parsed.problems);
    return parsed.options;
  };
  const custom = parseCustomAgents(given['customAgents']);
  problems.push(...custom.problems);
  return {
    settings: {
      maxConcurrent: read('maxConcurrent'),
      worktreeFolder: read('worktreeFolder'),
      warmWorktrees: read('warmWorktrees'),
      branchName: read('branchName'),
      programs: Object.fromEntries(AGENTS.map(({ id }) => [id, program(id)])),
      customAgents: custom.agents,
      trashDays: read('trashDays'),
      grace: { interrupt: milliseconds('stopGraceInterrupt'), terminate: milliseconds('stopGraceTerminate') },
    },
    problems,
  };
}
