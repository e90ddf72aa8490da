import type { AgentAdapter, AgentEntry, OutputReader } from './adapter.ts';
import { customAdapter, type CustomAgent } from './custom/adapter.ts';
import { COMMON_PLACES } from './places.ts';
import type { ProgramOptions, Programs } from './program.ts';
import { AGENTS, READERS } from './table.ts';
import { unknownReader } from './unknown-output.ts';

/** How output of this format is read. What another version of Treeline wrote may have a format that this one cannot read. */
export function readerFor(format: string): OutputReader {
  return READERS.find((reader) => reader.format === format) ?? unknownReader(format);
}

/** Every agent that can be spawned: the built-in ones, then the user's own in the order of the settings. */
export function adapters(custom: readonly CustomAgent[], programs: Programs = {}): readonly AgentAdapter[] {
  return [...AGENTS.map((entry) => adapterOf(entry, programs[entry.id])), ...custom.map(customAdapter)];
}

/** A built-in agent, as the user's settings have it. */
export function adapterOf(
  entry: AgentEntry,
  { command = entry.command, args }: ProgramOptions = { args: [] },
): AgentAdapter {
  const { id, name, can, readers, install, oldestTried } = entry;
  return {
    id,
    name,
    can,
    format: readers[0].format,
    detection: {
      argv: [command, ...entry.version],
      install: `Install ${name} with \`${install}\`.`,
      places: [...entry.places, ...COMMON_PLACES],
      oldestTried,
    },
    isAgentSession: (session) => readers[0].ids?.isId(session) ?? false,
    ...entry.turns(command, args),
  };
}
