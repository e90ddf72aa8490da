import { hunks, replacement } from '../diff.ts';
import { finite, firstText, jsonText, list, object, text, type Json } from '../json.ts';
import { oneLine } from '../text.ts';

/** What a tool call's row shows of its input. Field names: `sdk-tools.d.ts` of Claude Code 2.1.329. */
export interface ToolCall {
  readonly argument: string;
  readonly file?: string;
  readonly line?: number;
  readonly diff?: string;
  readonly subagent?: boolean;
  readonly input?: string;
}

/** Tools whose calls are about one file. */
const FILE_TOOLS = new Set(['Read', 'Write', 'Edit', 'MultiEdit', 'NotebookEdit']);
/** `Task` is the name of `Agent` in older versions. */
const SUBAGENT_TOOLS = new Set(['Agent', 'Task']);
/** Fields that tell most of a call, the most telling first; what a tool has not is passed over. */
const TELLING = [
  'command',
  'file_path',
  'notebook_path',
  'pattern',
  'query',
  'url',
  'subject',
  'skill',
  'description',
  'path',
  'prompt',
  'name',
  'plan',
];

export function toolCall(name: string, input: Json): ToolCall {
  const file = FILE_TOOLS.has(name) ? text(input['file_path'], input['notebook_path']) : undefined;
  const line = name === 'Read' ? finite(input['offset']) : undefined;
  const diff = editDiff(name, input);
  // A diff holds all that an edit's input holds, and both would make a large file's row twice as large.
  const whole = diff ? undefined : jsonText(input);
  return {
    argument: oneLine(argument(name, input)),
    ...(file && { file }),
    ...(line && { line }),
    ...(diff && { diff }),
    ...(SUBAGENT_TOOLS.has(name) && { subagent: true }),
    ...(whole && { input: whole }),
  };
}

function argument(name: string, input: Json): string {
  if (name === 'AskUserQuestion') return question(input) ?? '';
  for (const field of TELLING) {
    const value = text(input[field]);
    if (value !== undefined) return value;
  }
  return firstText(Object.values(input)) ?? '';
}

/** The first question that an AskUserQuestion call puts. */
export function question(input: Json): string | undefined {
  return text(object(list(input['questions'])[0])['question']);
}

function editDiff(name: string, input: Json): string | undefined {
  switch (name) {
    case 'Write':
      return replacement('', text(input['content']) ?? '');
    case 'NotebookEdit':
      return replacement('', text(input['new_source']) ?? '');
    case 'Edit':
      return edit(input);
    case 'MultiEdit':
      return hunks(list(input['edits']).map((one) => edit(object(one))));
    default:
      return undefined;
  }
}

function edit(input: Json): string {
  return replacement(text(input['old_string']) ?? '', text(input['new_string']) ?? '');
}

/** The change that an edit made (`structuredPatch` of its result), and its first line in the new file. */
export function madeChange(result: Json): { readonly diff?: string; readonly line?: number } {
  const patch = list(result['structuredPatch']).map(object);
  const first = patch[0];
  if (!first) return {};
  const diff = patch
    .map((hunk) => {
      const lines = list(hunk['lines']).filter((line) => typeof line === 'string');
      return [`@@ -${range(hunk, 'old')} +${range(hunk, 'new')} @@`, ...lines].join('\n');
    })
    .join('\n');
  const line = finite(first['newStart']);
  return { diff, ...(line && { line }) };
}

function range(hunk: Json, side: 'old' | 'new'): string {
  return `${finite(hunk[`${side}Start`]) ?? 0},${finite(hunk[`${side}Lines`]) ?? 0}`;
}
