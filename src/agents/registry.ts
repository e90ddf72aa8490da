import type { AgentAdapter, OutputReader } from './adapter.ts';
import { claude } from './claude.ts';
import { claudeReader } from './claude-output.ts';
import { codex } from './codex.ts';
import { codexReader } from './codex-output.ts';
import { customAdapter, type CustomAgent } from './custom.ts';
import type { ProgramOptions } from './program.ts';
import { textReader } from './text-output.ts';

const READERS: Readonly<Record<string, OutputReader>> = {
  claude: claudeReader,
  codex: codexReader,
  text: textReader,
};

/** How output of this format is read. */
export function readerFor(format: string): OutputReader {
  return READERS[format] ?? textReader;
}

/** Every agent that can be spawned: the built-in ones, then the user's own in the order of the settings. */
export function adapters(
  custom: readonly CustomAgent[],
  programs: { readonly claude?: ProgramOptions; readonly codex?: ProgramOptions } = {},
): readonly AgentAdapter[] {
  return [claude(programs.claude), codex(programs.codex), ...custom.map(customAdapter)];
}
