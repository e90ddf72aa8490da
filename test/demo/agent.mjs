#!/usr/bin/env node
// A demo agent: a small program in place of a coding agent, with no model behind it, so that Treeline can be tried without
// one. It prints what Claude Code prints (stream-json), really edits files in the folder it is started in, really runs git
// and really commits; what it "thinks" is written below.
//
//   agent.mjs [--speed N] [--state FOLDER] [--resume ID | --session-id ID] (--prompt-file FILE | PROMPT)
//   agent.mjs --live [--speed N] [--prompt-file FILE | PROMPT]      many turns, asks and can be steered: see live.mjs
//
// --speed 10 is ten times faster (a turn takes about 20 seconds at 1). The prompts of a conversation are kept in
// ~/.local/state/treeline-demo (or --state), which is what --resume continues.
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { live } from './live.mjs';

const MODEL = 'demo';
const run = promisify(execFile);

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    live: { type: 'boolean', default: false },
    'prompt-file': { type: 'string' },
    resume: { type: 'string' },
    'session-id': { type: 'string' },
    speed: { type: 'string', default: '1' },
    state: { type: 'string' },
  },
});
const speed = Number(options.speed) > 0 ? Number(options.speed) : 1;
const started = performance.now();
const cwd = process.cwd();

// ---- what it remembers, outside the worktree

const home = process.env.XDG_STATE_HOME ?? path.join(os.homedir(), '.local/state');
const stateDir = options.state ?? path.join(home, 'treeline-demo');
const session = options.resume ?? options['session-id'] ?? randomUUID();
const memory = path.join(stateDir, `${session.replaceAll(/[^\w-]/g, '_')}.json`);

/** @returns {string[]} the prompts so far */
function remember(prompt) {
  const earlier = existsSync(memory) ? JSON.parse(readFileSync(memory, 'utf8')) : [];
  mkdirSync(stateDir, { recursive: true });
  writeFileSync(memory, JSON.stringify([...earlier, prompt]));
  return [...earlier, prompt];
}

// ---- how it speaks: one JSON object a line, as Claude Code 2.1 prints them

const usage = { input_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 0 };
let turns = 0;
let inTool = false;

function print(line) {
  const stamped = { ...line, session_id: session, uuid: randomUUID(), timestamp: new Date().toISOString() };
  // Written at once: a line that a signal cuts off is of no use.
  writeSync(1, `${JSON.stringify(stamped)}\n`);
}

function assistant(...content) {
  turns += 1;
  // It uses up nothing: about four characters a token, so that there is a figure to see.
  usage.output_tokens += JSON.stringify(content).length >> 2;
  const message = { id: `msg_${randomUUID()}`, type: 'message', role: 'assistant', model: MODEL, content, usage };
  print({ type: 'assistant', message, parent_tool_use_id: null });
}

function result(fields) {
  const common = { num_turns: turns, duration_ms: Math.round(performance.now() - started), duration_api_ms: 0 };
  print({ type: 'result', ...common, total_cost_usd: 0, usage, modelUsage: {}, permission_denials: [], ...fields });
}

const interrupted = new AbortController();
const pause = (seconds) => delay((seconds * 1000) / speed, undefined, { signal: interrupted.signal });

async function say(text) {
  await pause(1.4);
  assistant({ type: 'text', text });
}

/** Announces a tool call, does the work, and prints its result. */
async function use(name, input, seconds, work) {
  await pause(0.8);
  const id = `toolu_${randomUUID()}`;
  assistant({ type: 'tool_use', id, name, input });
  inTool = true;
  await pause(seconds);
  const { content, failed = false, detail } = await work();
  inTool = false;
  const block = { type: 'tool_result', tool_use_id: id, content, is_error: failed };
  const message = { role: 'user', content: [block] };
  print({ type: 'user', message, parent_tool_use_id: null, tool_use_result: detail ?? content });
  return !failed;
}

// ---- its tools

const todos = (done, ...tasks) => {
  const status = (index) => (index < done ? 'completed' : index === done ? 'in_progress' : 'pending');
  const list = tasks.map((content, index) => ({ content, activeForm: content, status: status(index) }));
  return use('TodoWrite', { todos: list }, 0.1, () => ({ content: 'Todos have been modified successfully.' }));
};

function read(name) {
  const file = path.join(cwd, name);
  return use('Read', { file_path: file }, 0.5, () => {
    if (!existsSync(file)) return { content: `File does not exist: ${file}`, failed: true };
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, 40);
    return { content: lines.map((line, index) => `${index + 1}\t${line}`).join('\n') };
  });
}

function write(name, content) {
  const file = path.join(cwd, name);
  return use('Write', { file_path: file, content }, 0.8, () => {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
    return { content: `File created successfully at: ${file}` };
  });
}

function append(name, line) {
  const file = path.join(cwd, name);
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const last = before.trimEnd().split('\n').at(-1) ?? '';
  const input = { file_path: file, old_string: last, new_string: `${last}\n${line}`, replace_all: false };
  return use('Edit', input, 0.8, () => {
    writeFileSync(file, `${before.trimEnd()}\n${line}\n`);
    return { content: `The file ${file} has been updated successfully.` };
  });
}

function git(description, args) {
  const shown = args.map((arg) => (/^[\w./:-]+$/.test(arg) ? arg : `'${arg}'`)).join(' ');
  return use('Bash', { command: `git ${shown}`, description }, 1, async () => {
    try {
      const { stdout, stderr } = await run('git', args, { cwd, signal: interrupted.signal });
      const content = `${stdout}${stderr}`.trimEnd();
      return { content, detail: { stdout, stderr, interrupted: false, isImage: false } };
    } catch (error) {
      if (interrupted.signal.aborted) throw error;
      return { content: `Exit code ${error.code}\n${error.stderr ?? error.message}`, failed: true };
    }
  });
}

// ---- what it does with a prompt

async function turn(prompts) {
  const prompt = prompts.at(-1);
  const number = prompts.length;
  const task = prompt.trim().split('\n')[0].slice(0, 72);
  const file = `demo/turn-${number}.md`;
  const steps = ['Look at the project', `Write ${file}`, 'Check the change', 'Commit'];

  await say(
    number === 1
      ? `I am the **demo agent**: there is no model behind me. I edit a file for you and commit it.\n\nThe task: *${task}*`
      : `This is turn ${number} of our conversation. Before, you asked: *${prompts.at(-2).split('\n')[0].slice(0, 72)}*`,
  );
  await todos(0, ...steps);
  await read('README.md');
  await git('See what was done last', ['log', '--oneline', '-5']);
  await todos(1, ...steps);
  await write(file, `# Turn ${number}\n\n${prompt.trim()}\n\nWritten by the demo agent.\n`);
  await append('README.md', `- Turn ${number}: ${task}`);
  await todos(2, ...steps);
  await git('Look at the tree', ['status', '--short']);
  await git('Look at the change', ['diff', '--stat']);
  await todos(3, ...steps);
  await git('Stage the change', ['add', '--', file, 'README.md']);
  const committed = await git('Commit it', ['commit', '-m', `Demo: ${task}`]);
  await todos(4, ...steps);
  const text = committed
    ? `Done: I wrote \`${file}\`, added a line to \`README.md\` and committed both.`
    : `I wrote \`${file}\` and added a line to \`README.md\`, but git did not take the commit: see its words above.`;
  await say(text);
  result({ subtype: 'success', is_error: false, result: text, stop_reason: 'end_turn', terminal_reason: 'completed' });
}

const given = options['prompt-file'] ? readFileSync(options['prompt-file'], 'utf8') : positionals.join(' ');
if (options.live) {
  await live({ speed, ...(given !== '' && { prompt: given }) });
  process.exit(0);
}

// As Claude Code ends: SIGTERM at once and without a word, SIGINT with a result that says so.
process.on('SIGTERM', () => process.exit(143));
process.on('SIGINT', () => interrupted.abort());

if (options.resume !== undefined && !existsSync(memory)) {
  console.error(`No conversation found with session ID: ${session}`);
  result({ subtype: 'error_during_execution', is_error: true });
  process.exit(1);
}
print({ type: 'system', subtype: 'init', cwd, model: MODEL, tools: ['Bash', 'Edit', 'Read', 'TodoWrite', 'Write'] });
try {
  await turn(remember(given));
} catch (error) {
  if (!interrupted.signal.aborted) throw error;
  const words = `[Request interrupted by user${inTool ? ' for tool use' : ''}]`;
  print({
    type: 'user',
    message: { role: 'user', content: [{ type: 'text', text: words }] },
    parent_tool_use_id: null,
  });
  const terminal_reason = inTool ? 'aborted_tools' : 'aborted_streaming';
  result({ subtype: 'error_during_execution', is_error: true, terminal_reason });
}
