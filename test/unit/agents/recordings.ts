/** The recordings of real runs in test/fixtures/captures: stdout, stderr and exit of each, and what the readers make of them. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Before, Seen } from '../../../src/agents/adapter.ts';
import type { AgentEvent, AgentEventKind } from '../../../src/agents/events.ts';
import { readerFor } from '../../../src/agents/registry.ts';
import { FORMATS } from '../../../src/agents/table.ts';
import type { ExitRecord, StopStep } from '../../../src/store/model.ts';

const captures = path.join(import.meta.dirname, '../../fixtures/captures');

/** `claude/fresh`, `codex/todo`, … */
export const recordings: readonly string[] = readdirSync(captures).flatMap((folder) =>
  readdirSync(path.join(captures, folder))
    .filter((file) => file.endsWith('.jsonl'))
    .map((file) => `${folder}/${file.slice(0, -'.jsonl'.length)}`),
);

/** A folder is named for the format, with a word behind it where there are several. */
export function formatOf(recording: string): string {
  return FORMATS.find((format) => recording.startsWith(`${format}/`) || recording.startsWith(`${format}-`)) ?? 'text';
}

export function stdout(recording: string): readonly string[] {
  const text = readFileSync(path.join(captures, `${recording}.jsonl`), 'utf8');
  return text.split('\n').filter((line) => line !== '');
}

export function stderr(recording: string): string {
  return readFileSync(path.join(captures, `${recording}.stderr`), 'utf8');
}

export function read(
  recording: string,
  before: Before = {},
): { readonly events: readonly AgentEvent[]; readonly seen: Seen } {
  return readLines(formatOf(recording), stdout(recording), before);
}

export function readLines(
  format: string,
  lines: readonly string[],
  before: Before = {},
): { readonly events: readonly AgentEvent[]; readonly seen: Seen } {
  const parser = readerFor(format).parser(before);
  return { events: lines.flatMap((line) => parser.line(line)), seen: parser.seen };
}

/** The lines of a Claude Code that says of refused calls nothing before its result: 2.1.197 has neither of what is left out. */
export function mute(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => {
    const { tool_result_meta: _, ...message } = JSON.parse(line) as Record<string, unknown>;
    return message['subtype'] === 'permission_denied' ? [] : [JSON.stringify(message)];
  });
}

/** The events of one kind, with the fields of that kind. */
export function only<K extends AgentEventKind>(
  events: readonly AgentEvent[],
  kind: K,
): readonly Extract<AgentEvent, { kind: K }>[] {
  return events.filter((event): event is Extract<AgentEvent, { kind: K }> => event.kind === kind);
}

export const startedAt = Date.UTC(2026, 10, 20, 22);

export function exited(how: Partial<ExitRecord>): ExitRecord {
  return { startedAt, endedAt: startedAt + 9000, code: null, signal: null, survivors: [], expected: [], ...how };
}

/** A stop that somebody asked for one second before the end. */
export function stoppedBy(...signals: readonly StopStep['signal'][]): Pick<ExitRecord, 'stop'> {
  const requestedAt = startedAt + 8000;
  return { stop: { requestedAt, steps: signals.map((signal) => ({ signal, at: requestedAt })) } };
}

/** How the recorded process ended: `.exit` holds the exit code, or what a driver saw that sent it a signal. */
export function recordedExit(recording: string): ExitRecord {
  const said: unknown = JSON.parse(readFileSync(path.join(captures, `${recording}.exit`), 'utf8'));
  if (typeof said === 'number') return exited({ code: said });
  const { code, signal, sent } = said as { code: number | null; signal: string | null; sent?: StopStep['signal'] };
  return exited({ code, signal, ...(sent && stoppedBy(sent)) });
}
