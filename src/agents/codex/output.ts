import { quoted, say } from '../../words/saying.ts';
import type { ExitRecord, Judgement, Usage } from '../../store/model.ts';
import type { Before, OutputParser, OutputReader, Seen } from '../adapter.ts';
import { applyPatch } from '../diff.ts';
import type { AgentEvent, AgentEventBody, FileChange } from '../events.ts';
import {
  amount,
  finite,
  firstText,
  jsonText,
  list,
  object,
  parseObject,
  readJsonLine,
  text,
  type Json,
} from '../json.ts';
import { ending, judgement, lastLine } from '../judge.ts';
import { unwrapShell } from './shell-words.ts';
import { cut, oneLine, SUMMARY_LENGTH, withoutEscapes } from '../text.ts';
import { isUuid } from '../uuid.ts';

/** `error` of a connection that Codex tries again: "Reconnecting... 1/5 (why)", "Reconnecting... waiting for network (why)". */
const RECONNECTING = /^Reconnecting(?:\.{3}|…) ?(?:(\d{1,6})\/(\d{1,6})|([^(]*?))(?: \(([\s\S]*)\))?$/;
/** stderr of 0.169.0, for a thread id that it was asked to resume and has no record of. */
const UNKNOWN_THREAD = /^Error: .*\bno rollout found for thread id\b/m;
/** stderr of 0.169.0, for a call that the sandbox forbids and that nobody is there to allow; stdout says nothing of it. */
const REJECTED = /codex_core::[\w:]+: error=(.*\brejected\b.*)$/m;
/** What it prints on stderr in every run. */
const NOISE = /^(?:WARNING: proceeding, even though|Reading (?:additional input|prompt) from stdin)/;

/** Codex gives totals of the thread: what a killed turn used cannot be told apart from the next one's. */
const UNTOLD = say('tokens-untold');

type Phase = 'started' | 'updated' | 'completed';

/** Reads `codex exec --json` (0.169.0): one JSON object a line. Item ids are counted anew in every turn. */
class CodexParser implements OutputParser {
  readonly seen: Seen = {};
  readonly #before: Before;
  /** Calls whose row is there. */
  readonly #calls = new Set<string>();
  #todo = '';

  constructor(before: Before) {
    this.#before = before;
  }

  line(line: string): readonly AgentEvent[] {
    return readJsonLine(line, (message) => this.#read(message));
  }

  /** undefined for a line of an unknown type. */
  #read(message: Json): AgentEvent[] | undefined {
    switch (message['type']) {
      case 'thread.started': {
        const agentSession = text(message['thread_id']);
        if (agentSession === undefined) return undefined;
        this.seen.agentSession = agentSession;
        return [{ kind: 'session', agentSession }];
      }
      case 'turn.started':
        delete this.seen.result;
        return [];
      case 'turn.completed':
        return this.#completed(object(message['usage']));
      case 'turn.failed': {
        const words = readable(text(object(message['error'])['message']) ?? '');
        this.#answered();
        if (words !== '') this.seen.error = words;
        this.seen.result = { ok: false, text: words };
        return [{ kind: 'result', ok: false, text: words === '' ? say('failed') : words }];
      }
      case 'item.started':
        return this.#item(object(message['item']), 'started');
      case 'item.updated':
        return this.#item(object(message['item']), 'updated');
      case 'item.completed':
        return this.#item(object(message['item']), 'completed');
      case 'item.plan.delta':
        return [];
      case 'request_user_input': {
        const asked = text(object(list(message['questions'])[0])['question']);
        const what = asked === undefined ? say('question') : quoted(oneLine(asked));
        this.seen.attention = { for: 'input', what };
        return [{ kind: 'notice', text: say('waiting-for-answer', { what }) }];
      }
      case 'error':
        return [this.#error(text(message['message']) ?? '')];
      default:
        return undefined;
    }
  }

  /** `usage` counts the whole thread, over all its turns. */
  #completed(total: Json): AgentEvent[] {
    const usage = share(
      {
        input: amount(total['input_tokens']),
        output: amount(total['output_tokens']),
        cached: amount(total['cached_input_tokens']),
      },
      this.#before.usage,
    );
    const words = this.seen.lastText ?? '';
    this.#answered();
    this.seen.usage = usage;
    this.seen.result = { ok: true, text: words };
    const untold: AgentEvent[] = this.#before.untold ? [{ kind: 'notice', text: UNTOLD }] : [];
    return [...untold, { kind: 'result', ok: true, text: words, input: usage.input, output: usage.output }];
  }

  #error(words: string): AgentEvent {
    const again = RECONNECTING.exec(words);
    if (!again) {
      this.#answered();
      const said = words === '' ? say('error-unknown') : readable(words);
      this.seen.error = said;
      return { kind: 'error', text: said };
    }
    this.seen.retrying = true;
    const [, attempt, of, state, reason] = again;
    const why = reason ?? (state || words);
    this.seen.error = why;
    return {
      kind: 'retry',
      text: why,
      ...(attempt !== undefined && of !== undefined && { attempt: Number(attempt), of: Number(of) }),
    };
  }

  #item(item: Json, phase: Phase): AgentEventBody[] | undefined {
    this.#answered();
    const words = text(item['text'], item['message']);
    switch (item['type']) {
      case 'agent_message':
      case 'plan':
        if (phase !== 'completed' || words === undefined) return [];
        this.seen.lastText = cut(words, SUMMARY_LENGTH);
        return [{ kind: 'text', text: words }];
      case 'reasoning':
        return phase === 'completed' && words !== undefined ? [{ kind: 'thinking', text: words }] : [];
      // Not the end of anything: what ends a turn is an `error` line or `turn.failed`.
      case 'error':
        return phase === 'completed' ? [{ kind: 'warning', text: words ?? say('warning-unknown') }] : [];
      case 'file_change':
        return phase === 'completed' ? [fileChanges(item)] : [];
      case 'todo_list':
        return this.#todoList(list(item['items']).map(object));
      case 'command_execution':
      case 'mcp_tool_call':
      case 'collab_tool_call':
      case 'web_search':
        return this.#call(item, phase);
      default:
        return undefined;
    }
  }

  /** The model answered: no retrying any more. */
  #answered(): void {
    if (!this.seen.retrying) return;
    delete this.seen.retrying;
    delete this.seen.error;
  }

  /** A list is repeated at the end of the turn: a row only where something changed. */
  #todoList(items: readonly Json[]): AgentEventBody[] {
    const todo = items.map((item) => ({
      text: text(item['text']) ?? '',
      state: item['completed'] === true ? ('done' as const) : ('open' as const),
    }));
    const now = JSON.stringify(todo);
    if (now === this.#todo) return [];
    this.#todo = now;
    return [{ kind: 'todo', items: todo }];
  }

  #call(item: Json, phase: Phase): AgentEventBody[] {
    const id = text(item['id']) ?? '';
    const events: AgentEventBody[] = [];
    // A completed item may be the first that is seen of it.
    if (!this.#calls.has(id)) {
      this.#calls.add(id);
      events.push({ kind: 'tool', id, ...call(item) });
    }
    if (phase !== 'started') events.push({ kind: 'tool-result', id, done: phase === 'completed', ...outcome(item) });
    if (phase === 'completed') this.#calls.delete(id);
    return events;
  }
}

type Tool = Extract<AgentEventBody, { kind: 'tool' }>;
type ToolResult = Extract<AgentEventBody, { kind: 'tool-result' }>;

function call(item: Json): Omit<Tool, 'kind' | 'id'> {
  switch (item['type']) {
    case 'command_execution': {
      const command = unwrapShell(text(item['command']) ?? '');
      const patch = applyPatch(command);
      return { name: 'Shell', argument: oneLine(command), ...patch, input: command };
    }
    case 'web_search':
      return { name: 'Web Search', argument: oneLine(text(item['query']) ?? '') };
    case 'collab_tool_call': {
      const tool = text(item['tool']) ?? 'agent';
      const argument = oneLine(text(item['prompt']) ?? firstText(list(item['receiver_thread_ids'])) ?? '');
      return { name: tool, argument, ...(tool === 'spawn_agent' && { subagent: true }) };
    }
    default: {
      const input = jsonText(item['arguments']);
      const told = firstText(Object.values(object(item['arguments']))) ?? input ?? '';
      const name = [text(item['server']), text(item['tool'])].filter(Boolean).join('.');
      return { name, argument: oneLine(told), ...(input !== undefined && { input }) };
    }
  }
}

function outcome(item: Json): Omit<ToolResult, 'kind' | 'id' | 'done'> {
  const status = item['status'];
  const exitCode = finite(item['exit_code']);
  return {
    ok: status !== 'failed' && status !== 'declined' && (exitCode ?? 0) === 0,
    output: text(item['aggregated_output'], object(item['error'])['message']) ?? resultText(item),
    ...(exitCode !== undefined && { exitCode }),
    ...(status === 'declined' && { denied: true }),
  };
}

/** What a tool of an MCP server, or another agent, gave back. */
function resultText(item: Json): string {
  const blocks = list(object(item['result'])['content']).map(object);
  const states = Object.values(object(item['agents_states'])).map(object);
  return [
    ...blocks.map((block) => text(block['text']) ?? `[${text(block['type']) ?? 'data'}]`),
    ...states.map(stateText),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function stateText(state: Json): string {
  return text(state['message'], state['status']) ?? '';
}

function fileChanges(item: Json): AgentEventBody {
  const changes = list(item['changes'])
    .map(object)
    .map((one) => ({ path: text(one['path']) ?? '', change: changeKind(one['kind']) }));
  return { kind: 'files', changes, ok: item['status'] !== 'failed' && item['status'] !== 'declined' };
}

function changeKind(kind: unknown): FileChange['change'] {
  return kind === 'add' || kind === 'delete' ? kind : 'update';
}

/** The API's errors come as JSON text: `{"error":{"message":…}}`. */
function readable(words: string): string {
  const parsed = words.startsWith('{') ? parseObject(words) : undefined;
  return text(object(parsed?.['error'])['message'], parsed?.['message']) ?? words;
}

/** This turn's share of a total. A total that is smaller than what was before is no total. */
function share(total: Usage, before: Usage | undefined): Usage {
  if (!before || total.input < before.input || total.output < before.output) return total;
  return {
    input: total.input - before.input,
    output: total.output - before.output,
    cached: Math.max(0, total.cached - before.cached),
  };
}

function judge(seen: Seen, exit: ExitRecord | undefined, stderr: string): Judgement {
  const plain = withoutEscapes(stderr);
  const end = ending(seen, exit, seen.error ?? lastLine(plain, NOISE));
  const unknownSession = end.outcome === 'failed' && seen.agentSession === undefined && UNKNOWN_THREAD.test(plain);
  if (unknownSession) return judgement(end, seen, { unknownSession });
  const rejected = REJECTED.exec(plain)?.[1];
  if (rejected === undefined || seen.attention) return judgement(end, seen);
  return judgement(end, { ...seen, attention: { for: 'permission', what: quoted(oneLine(rejected)) } });
}

export const codexReader: OutputReader = {
  format: 'codex',
  ids: { chosen: false, isId: isUuid },
  parser: (before) => new CodexParser(before),
  judge,
};
