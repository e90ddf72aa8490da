// A program that ends as Claude Code does when nobody could be asked for a permission (stream-json). For the pictures.
const session_id = '5f7d2a52-3c1c-4a53-9f5e-0c7a2f0f8c11';
const tool = { id: 'toolu_1', name: 'Bash', input: { command: 'npm publish --dry-run' } };
const print = (line) => console.log(JSON.stringify({ ...line, session_id }));
const message = (role, ...content) => ({ message: { role, content }, parent_tool_use_id: null });

print({ type: 'system', subtype: 'init', cwd: process.cwd(), model: 'demo', tools: ['Bash'] });
print({
  type: 'assistant',
  ...message('assistant', { type: 'text', text: 'The package is ready; I try the release.' }),
});
print({ type: 'assistant', ...message('assistant', { type: 'tool_use', ...tool }) });
const content = 'This command requires approval';
print({
  type: 'user',
  ...message('user', { type: 'tool_result', tool_use_id: tool.id, is_error: true, content }),
});
const result = 'I need your permission for `npm publish --dry-run`.';
print({ type: 'assistant', ...message('assistant', { type: 'text', text: result }) });
const permission_denials = [{ tool_name: tool.name, tool_use_id: tool.id, tool_input: tool.input }];
print({ type: 'result', subtype: 'success', is_error: false, result, permission_denials, usage: {}, num_turns: 2 });
