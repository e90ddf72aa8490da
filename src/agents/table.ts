import type { AgentEntry, OutputReader } from './adapter.ts';
import { claude } from './claude/agent.ts';
import { codex } from './codex/agent.ts';
import { textReader } from './text/output.ts';

/**
 * The agents that Treeline knows. Settings, detection, spawning, reading and the examination follow from this table; a test
 * names what stands outside the code (the manifest, its texts, the recordings).
 */
export const AGENTS: readonly AgentEntry[] = [claude, codex];

/** Every output format that can be read: those of the agents, and plain text. */
export const READERS: readonly OutputReader[] = [...AGENTS.flatMap(({ readers }) => readers), textReader];

export const FORMATS: readonly string[] = READERS.map(({ format }) => format);
