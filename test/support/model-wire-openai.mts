/** The OpenAI Responses API (streaming), as far as Codex 0.169.0 uses it. */
import { randomUUID } from 'node:crypto';
import type { Json, Wire } from './model-server.mts';

const id = (kind: string): string => `${kind}_${randomUUID().replaceAll('-', '')}`;

/** What a person wrote; '' for the context that Codex puts in front as messages of the user, all in some <tag> or heading. */
function promptOf(item: Json): string {
  const parts = (item['content'] as Json[]).map((part) => (part['text'] as string | undefined) ?? '');
  return parts.filter((text) => !/^\s*(<[a-z_]+>|# AGENTS)/i.test(text)).join('\n');
}

export const wire: Wire = {
  read(body) {
    let turn = 0;
    let step = 0;
    let prompt = '';
    for (const item of body['input'] as Json[]) {
      const type = String(item['type']);
      if (type.endsWith('_call_output')) {
        step += 1;
      } else if (item['role'] === 'user' && promptOf(item) !== '') {
        turn += 1;
        step = 0;
        prompt = promptOf(item);
      }
    }
    return { prompt, turn, step, tools: (body['tools'] as Json[] | undefined) ?? [] };
  },

  call(use) {
    const cmd = 'write' in use ? addFile(use.write, use.content) : use.run;
    return { name: 'exec_command', arguments: JSON.stringify({ cmd }) };
  },

  stream(body, say, calls) {
    const content = [{ type: 'output_text', text: say, annotations: [] }];
    const message = { type: 'message', id: id('msg'), role: 'assistant', status: 'completed', content };
    const items: Json[] = [
      message,
      ...calls.map((call) => ({
        type: 'function_call',
        id: id('fc'),
        call_id: id('call'),
        status: 'completed',
        ...call,
      })),
    ];
    const response = { id: id('resp'), object: 'response', model: body['model'], created_at: 1 };
    const usage = {
      input_tokens: 1200,
      input_tokens_details: { cached_tokens: 1000 },
      output_tokens: 40,
      output_tokens_details: { reasoning_tokens: 7 },
      total_tokens: 1240,
    };
    const events: Json[] = [
      { type: 'response.created', response: { ...response, status: 'in_progress', output: [] } },
      { type: 'response.output_item.added', output_index: 0, item: { ...message, status: 'in_progress', content: [] } },
      { type: 'response.output_text.delta', item_id: message.id, output_index: 0, content_index: 0, delta: say },
      ...items.map((item, index) => ({ type: 'response.output_item.done', output_index: index, item })),
      { type: 'response.completed', response: { ...response, status: 'completed', output: items, usage } },
    ];
    return { events, unended: events.slice(0, 3) };
  },

  error(status) {
    return { error: { message: `Stand-in error ${status}`, type: 'api_error', code: String(status), param: null } };
  },
};

/** Codex's own patch language: it takes this command for a file change of its own, and runs no shell for it. */
function addFile(name: string, content: string): string {
  const added = content
    .trimEnd()
    .split('\n')
    .map((line) => `+${line}`);
  const patch = ['*** Begin Patch', `*** Add File: ${name}`, ...added, '*** End Patch'];
  return ["apply_patch <<'PATCH'", ...patch, 'PATCH'].join('\n');
}
