import { h } from './dom.ts';
import { fileLink, inWorktree, showAll } from './parts.ts';
import { line, readable } from './text.ts';
import type { RowContext } from './parts.ts';
import type { Excerpt, ToolPart } from '../src/protocol/timeline.ts';
import type { Words } from './words.ts';

const STATE_ICONS: Readonly<Record<ToolPart['state'], string>> = {
  running: 'loading',
  ok: 'check',
  failed: 'error',
  denied: 'shield',
};

/** A tool call: one line, and under it, only when it is open, what went in and what came out. */
export function toolBody(tool: ToolPart, context: RowContext): HTMLElement {
  const { words, expanded } = context;
  return h(
    'div',
    { class: 'body tool' },
    h(
      'button',
      {
        class: 'toggle',
        type: 'button',
        tabindex: -1,
        'data-do': 'toggle',
        'aria-expanded': expanded ? 'true' : 'false',
      },
      line(tool.name, 80),
    ),
    argument(tool, context),
    h('span', { class: `state state-${tool.state} codicon-${STATE_ICONS[tool.state]}` }, stateText(tool, words)),
    expanded ? details(tool, words) : hint(tool, context.query),
  );
}

function argument(tool: ToolPart, context: RowContext): HTMLElement {
  const text = line(inWorktree(tool.argument, context), 400);
  if (tool.file === undefined) {
    return h('span', { class: 'argument', title: text }, text);
  }
  const shown = text === '' ? line(inWorktree(tool.file, context), 400) : text;
  const isPath = !/\s/.test(shown);
  // rows.css cuts a path at its beginning by writing it from the right: the marks keep its signs in their order.
  const link = fileLink(tool.file, tool.line, isPath ? `\u200e${shown}\u200e` : shown, context.words);
  link.classList.add('argument', ...(isPath ? ['path'] : []));
  return link;
}

function stateText(tool: ToolPart, words: Words): string {
  const word = tool.state === 'ok' ? '' : words.word('tool', tool.state);
  const exit = tool.exitCode === undefined || tool.exitCode === 0 ? '' : words.say('tool.exit', tool.exitCode);
  const time = tool.durationMs === undefined ? '' : words.duration(tool.durationMs);
  return [countChanges(tool.diff), word, exit, time].filter((part) => part !== '').join(' · ');
}

/** +3 −1 */
function countChanges(diff: Excerpt | undefined): string {
  if (diff === undefined || diff.cut) {
    return '';
  }
  const lines = diff.text.split('\n');
  const added = lines.filter((text) => text.startsWith('+') && !text.startsWith('+++')).length;
  const removed = lines.filter((text) => text.startsWith('-') && !text.startsWith('---')).length;
  return added + removed === 0 ? '' : `+${added} −${removed}`;
}

/** Why a closed call is of interest: the line that was searched for, or the first line of what went wrong. */
function hint(tool: ToolPart, query: string): HTMLElement | null {
  const failed = tool.state === 'failed' || tool.state === 'denied';
  const text = lineWith(tool, query) ?? (failed ? firstLine(tool.output) : undefined);
  return text === undefined ? null : h('span', { class: 'hint' }, line(text, 300));
}

function lineWith(tool: ToolPart, query: string): string | undefined {
  const wanted = query.toLowerCase();
  const seen = `${tool.name}\n${tool.argument}`.toLowerCase();
  if (wanted === '' || seen.includes(wanted)) {
    return undefined;
  }
  for (const excerpt of [tool.output, tool.diff, tool.input]) {
    const at = excerpt?.text.toLowerCase().indexOf(wanted) ?? -1;
    if (excerpt !== undefined && at !== -1) {
      const start = Math.max(excerpt.text.lastIndexOf('\n', at) + 1, at - 40);
      return excerpt.text.slice(start, start + 400).split('\n', 1)[0];
    }
  }
  return undefined;
}

function firstLine(output: Excerpt | undefined): string | undefined {
  return readable(output?.text.slice(0, 2000) ?? '')
    .split('\n')
    .find((text) => text.trim() !== '');
}

function details(tool: ToolPart, words: Words): HTMLElement {
  const parts = [
    section('input', tool.input, words),
    section('diff', tool.diff, words),
    section('output', tool.output, words),
  ].filter((part) => part !== null);
  return h(
    'div',
    { class: 'details' },
    ...(parts.length === 0 ? [h('span', { class: 'aside' }, words.say('tool.noDetails'))] : parts),
  );
}

function section(part: 'input' | 'output' | 'diff', excerpt: Excerpt | undefined, words: Words): HTMLElement | null {
  if (excerpt === undefined || excerpt.text === '') {
    return null;
  }
  const text = part === 'input' ? pretty(excerpt) : readable(excerpt.text);
  return h(
    'div',
    { class: `part part-${part}` },
    h('span', { class: 'part-name' }, words.say(`tool.${part}`)),
    h('pre', {}, ...(part === 'diff' ? diffRuns(text) : [text])),
    excerpt.cut ? showAll(part, excerpt.bytes, words) : null,
  );
}

/** A tool's input with its fields on lines of their own, where it is whole and reads as JSON. */
function pretty(input: Excerpt): string {
  try {
    const value: unknown = JSON.parse(input.text);
    if (typeof value === 'object' && value !== null) {
      return Object.entries(value)
        .map(
          ([name, field]) => `${name}: ${typeof field === 'string' ? indent(field) : JSON.stringify(field, null, 2)}`,
        )
        .map(readable)
        .join('\n');
    }
  } catch {
    // Cut, or no JSON: as it is.
  }
  return readable(input.text);
}

function indent(text: string): string {
  return text.includes('\n') ? `\n${text.replace(/^/gm, '  ')}` : text;
}

/** One element for each run of lines of one kind. */
function diffRuns(text: string): HTMLElement[] {
  const runs: { kind: string; lines: string[] }[] = [];
  for (const each of text.split('\n')) {
    const kind = each.startsWith('@@')
      ? 'place'
      : each.startsWith('+')
        ? 'added'
        : each.startsWith('-')
          ? 'removed'
          : 'same';
    const last = runs.at(-1);
    if (last?.kind === kind) {
      last.lines.push(each);
    } else {
      runs.push({ kind, lines: [each] });
    }
  }
  return runs.map(({ kind, lines }) => h('span', { class: `diff-${kind}` }, lines.join('\n')));
}
