/** The Anthropic Messages API (streaming), as far as Claude Code 2.1.329 uses it. */
import { randomUUID } from 'node:crypto';
import type { Json, Wire } from './model-server.mts';

const id = (kind: string): string => `${kind}_${randomUUID().replaceAll('-', '')}`;

const errorTypes: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};

/** The content blocks of a message; a plain string is one text block. */
function blocks(message: Json): Json[] {
  const content: unknown = message['content'];
  return typeof content === 'string' ? [{ type: 'text', text: content }] : (content as Json[]);
}

/** What a person wrote, without what Claude Code adds: reminders, the note of an interrupt. */
function promptOf(message: Json): string {
  return blocks(message)
    .filter((block) => block['type'] === 'text')
    .map((block) => String(block['text']))
    .join('\n')
    .replaceAll(/<system-reminder>[\s\S]*?<\/system-reminder>|\[Request interrupted by user[^\]]*\]/g, '')
    .trim();
}

export const wire: Wire = {
  read(body) {
    let turn = 0;
    let step = 0;
    let prompt = '';
    for (const message of body['messages'] as Json[]) {
      if (message['role'] !== 'user') continue;
      if (blocks(message).some((block) => block['type'] === 'tool_result')) {
        step += 1;
      } else if (promptOf(message) !== '') {
        turn += 1;
        step = 0;
        prompt = promptOf(message);
      }
    }
    return { prompt, turn, step, tools: (body['tools'] as Json[] | undefined) ?? [] };
  },

  call(use) {
    return 'write' in use
      ? { name: 'Write', input: { file_path: use.write, content: use.content } }
      : { name: 'Bash', input: { command: use.run, description: 'Run a command' } };
  },

  stream(body, say, calls) {
    const content: Json[] = [
      { type: 'text', text: say },
      ...calls.map((call) => ({ type: 'tool_use', id: id('toolu'), ...call })),
    ];
    const usage = { input_tokens: 1200, cache_creation_input_tokens: 200, cache_read_input_tokens: 1000 };
    const message = { id: id('msg'), type: 'message', role: 'assistant', model: body['model'], content: [] };
    const open = { stop_reason: null, stop_sequence: null, usage: { ...usage, output_tokens: 1 } };
    const events: Json[] = [{ type: 'message_start', message: { ...message, ...open } }];
    content.forEach((block, index) => {
      const text = block['type'] === 'text';
      const empty = text ? { ...block, text: '' } : { ...block, input: {} };
      const delta = text
        ? { type: 'text_delta', text: block['text'] }
        : { type: 'input_json_delta', partial_json: JSON.stringify(block['input']) };
      events.push({ type: 'content_block_start', index, content_block: empty });
      events.push({ type: 'content_block_delta', index, delta });
      events.push({ type: 'content_block_stop', index });
    });
    const stop_reason = calls.length > 0 ? 'tool_use' : 'end_turn';
    events.push({ type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 40 } });
    events.push({ type: 'message_stop' });
    return { events, unended: events.slice(0, 3) };
  },

  error(status) {
    return { type: 'error', error: { type: errorTypes[status] ?? 'api_error', message: `Stand-in error ${status}` } };
  },
};
