import { quoted, say, type Said } from '../../words/saying.ts';
import type { Attention, ExitRecord, Judgement, Usage } from '../../store/model.ts';
import type { Before, OutputParser, OutputReader, Seen } from '../adapter.ts';
import { systemNotice } from './system.ts';
import { isTodoTool, TaskList, writtenTodos } from './todos.ts';
import { madeChange, question, toolCall } from './tools.ts';
import type { AgentEvent, AgentEventBody } from '../events.ts';
import { amount, EMPTY, finite, jsonText, list, object, readJsonLine, text, type Json } from '../json.ts';
import { ending, judgement, lastLine } from '../judge.ts';
import { cut, oneLine, SUMMARY_LENGTH } from '../text.ts';
import { isUuid } from '../uuid.ts';

/** Line types that carry nothing for a reader: pieces of what comes whole later, heartbeats, answers to what we asked. */
const SILENT = new Set([
  'stream_event',
  'tool_progress',
  'keep_alive',
  'control_response',
  'prompt_suggestion',
  'response_length',
  'transcript_mirror',
]);

/** How Claude Code begins the text of a command that failed. */
const EXIT_CODE = /^(?:Error: )?Exit code (\d{1,10})\b/;
/** Its own words in the conversation for an interrupt, and for a refused call where no `tool_result_meta` says so. */
const INTERRUPTED = '[Request interrupted by user';
const NOT_GRANTED = "but you haven't granted it yet";
/** What it says, on stderr and in `errors` of the result, of an id that it was asked to resume (2.1.197 and 2.1.329). */
const UNKNOWN_SESSION = /^No conversation found with session ID: /m;

/** What is kept of a call until its result comes. */
interface OpenCall {
  readonly name: string;
  readonly at: number | undefined;
  /** Of a todo tool: what it will change when it succeeds. */
  readonly todo?: Json;
}

/**
 * Reads `claude --output-format stream-json` (2.1.197 to 2.1.329): one JSON object a line, keys in any order, one line
 * per content block.
 */
class ClaudeParser implements OutputParser {
  seen: Seen = {};
  readonly #before: Before;
  readonly #calls = new Map<string, OpenCall>();
  readonly #denied = new Set<string>();
  readonly #background = new Set<string>();
  readonly #tasks = new TaskList();
  /** The totals of the last result, or what they will have started from. */
  #total: { readonly cost: number; readonly usage: Usage } | undefined;
  /** What the results so far told. */
  #told: Usage | undefined;
  /** What each message since then used, by its id: all that is known of a turn that does not live to its result. */
  readonly #messages = new Map<string, Usage>();
  /** The call that waits for a permission. */
  #asksAbout: string | undefined;
  #interrupted = false;
  /** When the line that is being read was written, where it says so. */
  #at: number | undefined;

  constructor(before: Before) {
    this.#before = before;
  }

  nextTurn(): void {
    const { agentSession, model } = this.seen;
    this.seen = { ...(agentSession !== undefined && { agentSession }), ...(model !== undefined && { model }) };
    this.#told = undefined;
    this.#messages.clear();
    this.#asksAbout = undefined;
    this.#interrupted = false;
  }

  line(line: string): readonly AgentEvent[] {
    return readJsonLine(line, (message) => {
      this.#at = timestamp(message);
      const bodies = this.#read(message);
      return bodies && dress(bodies, this.#at, text(message['parent_tool_use_id']));
    });
  }

  /** undefined for a line of an unknown type. */
  #read(message: Json): readonly AgentEventBody[] | undefined {
    switch (message['type']) {
      case 'assistant':
        return this.#assistant(message);
      case 'user':
        return this.#user(message);
      case 'system':
        return this.#system(message);
      case 'result':
        return this.#result(message);
      case 'control_request':
        return this.#control(object(message['request']));
      case 'control_cancel_request':
        this.#settled();
        return [];
      case 'rate_limit_event':
        return rateLimit(object(message['rate_limit_info']));
      case 'tool_use_summary':
        return notice(text(message['summary']));
      case 'auth_status': {
        const error = text(message['error']);
        return error === undefined ? [] : [{ kind: 'warning', text: error }];
      }
      default:
        return typeof message['type'] === 'string' && SILENT.has(message['type']) ? [] : undefined;
    }
  }

  #assistant(message: Json): AgentEventBody[] {
    this.#goOn();
    this.#identify(message);
    this.#count(object(message['message']));
    const nested = text(message['parent_tool_use_id']) !== undefined;
    const failed = text(message['error']) !== undefined || message['is_api_error_message'] === true;
    return gather(blocksOf(message), (block) => this.#said(block, nested, failed));
  }

  #said(block: Json, nested: boolean, failed: boolean): AgentEventBody[] {
    const type = text(block['type']) ?? '';
    switch (type) {
      case 'text': {
        const words = text(block['text']);
        if (words === undefined) return [];
        if (failed) {
          this.seen.error = words;
          return [{ kind: 'error', text: words }];
        }
        if (!nested) this.seen.lastText = cut(words, SUMMARY_LENGTH);
        return [{ kind: 'text', text: words }];
      }
      case 'thinking': {
        const words = text(block['thinking']);
        return words === undefined ? [] : [{ kind: 'thinking', text: words }];
      }
      case 'redacted_thinking':
        return [];
      case 'tool_use':
      case 'server_tool_use':
      case 'mcp_tool_use':
        return this.#call(block);
    }
    // What tools on the model's side gave back, such as web_search_tool_result.
    if (type.endsWith('tool_result')) return this.#toolResult(block, EMPTY, undefined);
    return [{ kind: 'raw', text: jsonText(block) ?? type }];
  }

  #call(block: Json): AgentEventBody[] {
    const id = text(block['id']) ?? '';
    const name = text(block['name']) ?? 'tool';
    const input = object(block['input']);
    const todo = isTodoTool(name);
    this.#calls.set(id, { name, at: this.#at, ...(todo && { todo: input }) });
    if (name === 'TodoWrite') return [writtenTodos(input)];
    return todo ? [] : [{ kind: 'tool', id, name, ...toolCall(name, input) }];
  }

  #user(message: Json): AgentEventBody[] {
    this.#identify(message);
    const blocks = blocksOf(message);
    const several = blocks.length > 1 && blocks.filter(isToolResult).length > 1;
    // One field for the whole line: it tells nothing where several results share it.
    const details = several ? EMPTY : object(message['tool_use_result']);
    const meta = new Map(list(message['tool_result_meta']).map((one) => [object(one)['id'], object(one)]));
    return gather(blocks, (block) =>
      isToolResult(block)
        ? this.#toolResult(block, details, meta.get(block['tool_use_id']))
        : this.#heard(block, message),
    );
  }

  /** What the agent was told: a prompt of the user or of the parent agent, or a note of Claude Code itself. */
  #heard(block: Json, message: Json): AgentEventBody[] {
    const words = text(block['text']) ?? `[${text(block['type']) ?? 'attachment'}]`;
    if (words.startsWith(INTERRUPTED)) {
      this.#interrupted = true;
      return [{ kind: 'notice', text: words }];
    }
    this.#goOn();
    return [{ kind: message['isSynthetic'] === true ? 'notice' : 'prompt', text: words }];
  }

  #toolResult(block: Json, details: Json, meta: Json | undefined): AgentEventBody[] {
    this.#answered();
    const id = text(block['tool_use_id']) ?? '';
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (this.#asksAbout === id) this.#settled();
    const ok = block['is_error'] !== true;
    const output = resultText(block['content'], details);
    if (call?.todo) {
      if (!ok) return [{ kind: 'warning', text: `${call.name}: ${output}` }];
      return call.name === 'TodoWrite' ? [] : [this.#tasks.apply(call.name, call.todo, details)];
    }
    const denied = !ok && (this.#denied.delete(id) || isRefused(meta, output));
    const code = ok ? undefined : EXIT_CODE.exec(output)?.[1];
    const durationMs =
      finite(details['totalDurationMs']) ?? finite(details['durationMs']) ?? elapsed(call?.at, this.#at);
    return [
      {
        kind: 'tool-result',
        id,
        done: true,
        ok,
        output,
        ...(code !== undefined && { exitCode: Number(code) }),
        ...(durationMs !== undefined && { durationMs }),
        ...madeChange(details),
        ...(denied && { denied }),
      },
    ];
  }

  #system(message: Json): readonly AgentEventBody[] | undefined {
    switch (message['subtype']) {
      case 'init': {
        this.#goOn();
        const model = text(message['model']);
        const known = this.seen.agentSession === text(message['session_id']) && this.seen.model === model;
        if (model !== undefined) this.seen.model = model;
        this.#identify(message, true);
        const { agentSession } = this.seen;
        // A live process says so again at the start of each of its turns.
        if (known || agentSession === undefined) return [];
        return [{ kind: 'session', agentSession, ...(model !== undefined && { model }) }];
      }
      case 'api_retry':
        return [this.#retry(message)];
      case 'permission_denied': {
        this.#denied.add(text(message['tool_use_id']) ?? '');
        const reason = text(message['message'], message['decision_reason']) ?? '';
        return [{ kind: 'denial', tool: text(message['tool_name']) ?? '', reason }];
      }
      case 'task_list_statuses':
        return [this.#tasks.applyStates(list(message['statuses']))];
      case 'task_started':
        if (message['is_backgrounded'] === true) this.#background.add(text(message['task_id']) ?? '');
        return [];
      case 'task_updated':
        if (object(message['patch'])['is_backgrounded'] === true) this.#background.add(text(message['task_id']) ?? '');
        return [];
      case 'task_notification': {
        // The row of its call tells how a task in the foreground ended; one in the background ends later.
        if (!this.#background.delete(text(message['task_id']) ?? '')) return [];
        const words = say('background-task', {
          state: text(message['status']) ?? 'ended',
          summary: text(message['summary']) ?? '',
        });
        return [{ kind: message['status'] === 'failed' ? 'warning' : 'notice', text: words }];
      }
      default:
        return systemNotice(message);
    }
  }

  #retry(message: Json): AgentEventBody {
    const status = finite(message['error_status']);
    const problem = `${oneLine(text(message['error']) ?? '') || 'error'}${status === undefined ? '' : ` (HTTP ${status})`}`;
    const wait = finite(message['retry_delay_ms']);
    const attempt = finite(message['attempt']);
    const of = finite(message['max_retries']);
    this.seen.retrying = true;
    this.seen.error = say('model-silent', { reason: problem });
    return {
      kind: 'retry',
      text: wait === undefined ? problem : say('retrying-in', { reason: problem, wait }),
      ...(attempt !== undefined && { attempt }),
      ...(of !== undefined && { of }),
    };
  }

  /** A question to whoever drives the process: it waits for the answer. */
  #control(request: Json): AgentEventBody[] {
    if (request['subtype'] !== 'can_use_tool') return [];
    const attention = wants(text(request['tool_name']) ?? '', object(request['input']));
    this.seen.attention = attention;
    this.#asksAbout = text(request['tool_use_id']);
    const waiting = attention.for === 'input' ? 'waiting-for-answer' : 'waiting-for-permission';
    return notice(say(waiting, { what: attention.what }));
  }

  /** Nobody is asked any more. */
  #settled(): void {
    delete this.seen.attention;
    this.#asksAbout = undefined;
  }

  #result(message: Json): AgentEventBody[] {
    this.#answered();
    this.#settled();
    const denials = list(message['permission_denials']).map(object);
    const asked = denials.find((one) => one['tool_name'] === 'AskUserQuestion') ?? denials[0];
    if (asked) this.seen.attention = wants(text(asked['tool_name']) ?? '', object(asked['tool_input']));

    const ok = message['subtype'] === 'success' && message['is_error'] !== true;
    const reason = text(message['terminal_reason']);
    const interrupted = !ok && (reason?.startsWith('aborted_') ?? this.#interrupted);
    const words = interrupted ? 'Interrupted.' : resultWords(message);
    this.seen.result = { ok, text: words, ...(interrupted && { interrupted }) };
    if (!ok && !interrupted) this.seen.error = words;
    this.#interrupted = false;

    const { usage, cost } = this.#spent(message);
    const durationMs = finite(message['duration_ms']);
    const denied = denials.flatMap((one) => text(one['tool_use_id']) ?? []);
    return [
      {
        kind: 'result',
        ok,
        text: words,
        ...(durationMs !== undefined && { durationMs }),
        cost,
        input: usage.input,
        output: usage.output,
        ...(denied.length > 0 && { denied }),
      },
    ];
  }

  /** A message comes in several lines, each with the same figures; those of its output are the first ones, and too low. */
  #count(message: Json): void {
    const id = text(message['id']);
    const usage = tokens(object(message['usage']));
    if (id === undefined || usage.input + usage.output === 0) return;
    const others = minus(this.seen.usage ?? NOTHING, this.#messages.get(id) ?? NOTHING);
    this.#messages.set(id, usage);
    this.seen.usage = sum(others, usage);
  }

  /**
   * What was used since the last result. 2.1.329 says so itself, sub-agents included, in `model_usage_since_last_result`;
   * its `total_cost_usd` goes on over resumes. Without that field `usage` is the turn's, sub-agents left out, and the totals
   * may be this process's alone (2.1.197) or go on.
   */
  #spent(message: Json): { usage: Usage; cost: number } {
    const since = message['model_usage_since_last_result'];
    const own = tokens(object(message['usage']));
    const total = { cost: amount(message['total_cost_usd']), usage: modelTokens(object(message['modelUsage'])) };
    this.#total ??= this.#carriedOver(total, own)
      ? { cost: amount(this.#before.cost), usage: this.#before.usage ?? NOTHING }
      : { cost: 0, usage: NOTHING };
    const usage = since === undefined ? larger(own, minus(total.usage, this.#total.usage)) : modelTokens(object(since));
    const cost =
      since === undefined
        ? Math.max(0, total.cost - this.#total.cost)
        : Object.values(object(since)).reduce<number>((sum, model) => sum + amount(object(model)['costUSD']), 0);
    this.#total = total;
    this.#told = sum(this.#told ?? NOTHING, usage);
    this.#messages.clear();
    this.seen.usage = this.#told;
    this.seen.cost = (this.seen.cost ?? 0) + cost;
    return { usage, cost };
  }

  /** Whether the first totals of this process contain what earlier turns used: then both the cost and the tokens must. */
  #carriedOver(total: { readonly cost: number; readonly usage: Usage }, own: Usage): boolean {
    const { cost, usage: earlier } = this.#before;
    if (cost === undefined || total.cost < cost) return false;
    return !earlier || size(total.usage) >= size(earlier) + size(own);
  }

  /** @param first whether it is the word of a conversation's start. A result's id may be the unknown one of a failed resume. */
  #identify(message: Json, first = false): void {
    const id = text(message['session_id']);
    if (id !== undefined && (first || this.seen.agentSession === undefined)) this.seen.agentSession = id;
  }

  /** The agent works: what was the end before (of a process over many turns) is not the end any more. */
  #goOn(): void {
    this.#answered();
    this.#interrupted = false;
    if (!this.seen.result) return;
    delete this.seen.result;
    delete this.seen.attention;
  }

  /** The model answered: no retrying any more. */
  #answered(): void {
    if (!this.seen.retrying) return;
    delete this.seen.retrying;
    delete this.seen.error;
  }
}

/** The content blocks of a message: one a line as a rule. */
function blocksOf(message: Json): readonly Json[] {
  const { content } = object(message['message']);
  return typeof content === 'string' ? [{ type: 'text', text: content }] : list(content).map(object);
}

function gather(blocks: readonly Json[], read: (block: Json) => AgentEventBody[]): AgentEventBody[] {
  const [first] = blocks;
  return first && blocks.length === 1 ? read(first) : blocks.flatMap(read);
}

function isToolResult(block: Json): boolean {
  return block['type'] === 'tool_result';
}

/** Adds to the events of a line, which are nobody else's yet, what the line says of all of them. */
function dress(
  bodies: readonly AgentEventBody[],
  at: number | undefined,
  parent: string | undefined,
): readonly AgentEvent[] {
  if (bodies.length === 0 || (at === undefined && parent === undefined)) return bodies;
  const said = { ...(at !== undefined && { at }), ...(parent !== undefined && { parent }) };
  return bodies.map((body) => Object.assign(body, said));
}

/** Whether a failed call was refused. 2.1.197 says so in the text alone. */
function isRefused(meta: Json | undefined, output: string): boolean {
  if (meta) return object(meta['permission_decision'])['decision'] === 'reject';
  return output.trimEnd().replace(/\.$/, '').endsWith(NOT_GRANTED);
}

function timestamp(message: Json): number | undefined {
  const said = message['timestamp'];
  return typeof said === 'string' ? finite(Date.parse(said)) : undefined;
}

function elapsed(from: number | undefined, to: number | undefined): number | undefined {
  return from === undefined || to === undefined || to < from ? undefined : to - from;
}

function notice(words: Said | undefined): AgentEventBody[] {
  return words === undefined ? [] : [{ kind: 'notice', text: words }];
}

function rateLimit(info: Json): AgentEventBody[] {
  const status = text(info['status']);
  if (status === undefined || status === 'allowed') return [];
  return [{ kind: 'warning', text: say('rate-limit', { state: status.replaceAll('_', ' ') }) }];
}

/** What the agent wants to be allowed, or to be told. */
function wants(tool: string, input: Json): Attention {
  if (tool === 'AskUserQuestion') {
    const asked = question(input);
    return { for: 'input', what: asked === undefined ? say('question') : quoted(oneLine(asked)) };
  }
  const { argument } = toolCall(tool, input);
  return { for: 'permission', what: quoted(oneLine(argument === '' ? tool : `${tool}: ${argument}`)) };
}

/** The text of a tool's result. A sub-agent's own words are taken without the frame that is put round them for the model. */
function resultText(content: unknown, details: Json): string {
  const report = text(details['agentId']) === undefined ? [] : list(details['content']);
  const blocks = report.length > 0 ? report : content;
  if (typeof blocks === 'string') return blocks;
  return list(blocks)
    .map((one) => {
      const block = object(one);
      return text(block['text']) ?? (block['type'] === 'text' ? '' : `[${text(block['type']) ?? 'data'}]`);
    })
    .join('\n');
}

function resultWords(message: Json): string {
  const errors = list(message['errors']).filter((one) => typeof one === 'string');
  const subtype = text(message['subtype']) ?? '';
  const plain = subtype === 'success' ? '' : subtype.replaceAll('_', ' ');
  return text(message['result'], errors.join('\n')) ?? plain;
}

/** Tokens in the API's words: what was written to and read from the cache is counted beside `input_tokens`. */
function tokens(usage: Json): Usage {
  const cached = amount(usage['cache_read_input_tokens']);
  const input = amount(usage['input_tokens']) + amount(usage['cache_creation_input_tokens']) + cached;
  return { input, output: amount(usage['output_tokens']), cached };
}

/** Tokens in the words of `modelUsage`, over all models. */
function modelTokens(models: Json): Usage {
  return Object.values(models)
    .map(object)
    .map((model) => {
      const cached = amount(model['cacheReadInputTokens']);
      const input = amount(model['inputTokens']) + amount(model['cacheCreationInputTokens']) + cached;
      return { input, output: amount(model['outputTokens']), cached };
    })
    .reduce(sum, NOTHING);
}

const NOTHING: Usage = { input: 0, output: 0, cached: 0 };

function size({ input, output }: Usage): number {
  return input + output;
}

function larger(a: Usage, b: Usage): Usage {
  return size(b) > size(a) ? b : a;
}

function minus(a: Usage, b: Usage): Usage {
  return { input: a.input - b.input, output: a.output - b.output, cached: Math.max(0, a.cached - b.cached) };
}

function sum(a: Usage, b: Usage): Usage {
  return { input: a.input + b.input, output: a.output + b.output, cached: a.cached + b.cached };
}

function judge(seen: Seen, exit: ExitRecord | undefined, stderr: string): Judgement {
  const end = ending(seen, exit, seen.error ?? lastLine(stderr));
  const said = seen.result?.ok === false ? seen.result.text : '';
  const unknownSession = end.outcome === 'failed' && (UNKNOWN_SESSION.test(stderr) || UNKNOWN_SESSION.test(said));
  return judgement(end, seen, unknownSession ? { unknownSession } : {});
}

export const claudeReader: OutputReader = {
  format: 'claude',
  ids: { chosen: true, isId: isUuid },
  parser: (before) => new ClaudeParser(before),
  judge,
};
