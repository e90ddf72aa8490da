// The live mode of the demo agent: one process serves many turns, asks for permissions and answers, can be steered and
// interrupted. It speaks plain text with the control lines of src/agents/text/control.ts. What a turn does follows from the words
// of its prompt:
//
//   permission   asks whether it may commit what it wrote
//   question     asks for a colour: two choices, or any text
//   plan         asks whether its plan is approved
//   withdraw     asks for a permission and takes the question back
//   wait         works for long, in steps: time to steer it, or to interrupt it
//   fail         ends as a failure
//
// A message while it works goes into what it writes next; "enough" ends the work early.
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const STEPS = 20;

/** @param {{ speed: number, prompt?: string }} options the prompt of the first turn; without one it comes by stdin */
export async function live({ speed, prompt }) {
  const cwd = process.cwd();
  const say = (text) => writeSync(1, `${text}\n`);
  const control = (treeline) => say(JSON.stringify({ treeline }));

  let turns = 0;
  let asked = 0;
  /** The turn under way: its messages so far, and what ends it early. */
  let work;
  let closed = false;
  const wishes = prompt === undefined ? [] : [prompt];
  /** Called when something came by stdin. */
  let wake = () => undefined;

  const pause = (seconds) => delay((seconds * 1000) / speed, undefined, { signal: work.abort.signal });

  /** Asks, and waits for the answer. */
  async function ask(request) {
    const id = `r${(asked += 1)}`;
    const { promise, resolve, reject } = Promise.withResolvers();
    work.requests.set(id, resolve);
    const giveUp = () => reject(new Error('nobody answers any more'));
    work.abort.signal.addEventListener('abort', giveUp);
    control({ request: { id, ...request } });
    if (closed) giveUp();
    else work.giveUp = giveUp;
    return { id, answer: promise };
  }

  async function write(prompt, more) {
    const file = `demo/live-${turns}.md`;
    mkdirSync(path.join(cwd, 'demo'), { recursive: true });
    const lines = [`# Turn ${turns}`, '', prompt.trim(), ...more.map((one) => `\n- ${one}`)];
    writeFileSync(path.join(cwd, file), `${lines.join('\n')}\n`);
    say(`I wrote ${file}.`);
    return file;
  }

  async function turn(prompt) {
    const has = (word) => prompt.toLowerCase().includes(word);
    say(`Turn ${turns}: ${prompt.trim().split('\n')[0].slice(0, 72)}`);
    await pause(0.5);
    const notes = [];
    if (has('plan')) {
      const choices = [
        { id: 'approve', label: 'Approve' },
        { id: 'reject', label: 'Keep Planning' },
      ];
      const detail = '1. Write a file\n2. Say so';
      const { answer } = await ask({ kind: 'plan', title: 'Write one file', detail, choices });
      if ((await answer).choice !== 'approve') return 'The plan was not approved.';
    }
    if (has('question')) {
      const choices = [
        { id: 'blue', label: 'Blue' },
        { id: 'green', label: 'Green' },
      ];
      const { answer } = await ask({ kind: 'question', title: 'Which colour?', choices });
      const { choice, text } = await answer;
      notes.push(`Colour: ${text ?? choice}`);
    }
    if (has('wait')) {
      for (let step = 1; step <= STEPS && !work.enough; step += 1) {
        say(`Step ${step} of ${STEPS}`);
        await pause(1);
      }
    }
    if (has('withdraw')) {
      const choices = [{ id: 'allow', label: 'Allow' }];
      const { id, answer } = await ask({ kind: 'permission', title: 'Look at the network', choices });
      answer.catch(() => undefined);
      await pause(1);
      control({ withdrawn: id });
      say('I can do without it.');
    }
    if (has('fail')) throw new Error('I was asked to fail.');
    const file = await write(prompt, [...notes, ...work.steered]);
    if (!has('permission')) return `Done: I wrote ${file}.`;
    const choices = [
      { id: 'allow', label: 'Allow' },
      { id: 'deny', label: 'Deny' },
    ];
    const detail = `git add -- ${file}\ngit commit -m "Demo: turn ${turns}"`;
    const { answer } = await ask({ kind: 'permission', title: 'Run git commit', detail, choices });
    if ((await answer).choice !== 'allow') return `I wrote ${file} and did not commit it.`;
    await run('git', ['add', '--', file], { cwd });
    await run('git', ['commit', '-m', `Demo: turn ${turns}`], { cwd });
    return `Done: I wrote ${file} and committed it.`;
  }

  function hear(line) {
    const told = parse(line);
    if (told === undefined) {
      if (work === undefined) wishes.push(line);
      else steer(line);
    } else if (told.message !== undefined) {
      const { key, text, turn } = told.message;
      if (turn === undefined && work !== undefined) steer(text);
      else wishes.push(text);
      control({ received: key });
    } else if (told.answer !== undefined) {
      const { id, ...answer } = told.answer;
      work?.requests.get(id)?.(answer);
      work?.requests.delete(id);
    } else if (told.interrupt === true) work?.abort.abort();
    wake();
  }

  function steer(text) {
    work.steered.push(text.trim());
    if (text.toLowerCase().includes('enough')) work.enough = true;
    say(`Understood: ${text.trim()}`);
  }

  process.stdin.setEncoding('utf8');
  let rest = '';
  process.stdin.on('data', (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    // Plain lines that come together are one message.
    let plain = [];
    const flush = () => {
      if (plain.length > 0) hear(plain.join('\n'));
      plain = [];
    };
    for (const line of lines) {
      if (parse(line) === undefined) {
        if (line.trim() !== '' || plain.length > 0) plain.push(line);
        continue;
      }
      flush();
      hear(line);
    }
    flush();
  });
  process.stdin.on('end', () => {
    closed = true;
    work?.giveUp?.();
    wake();
  });
  process.on('SIGTERM', () => process.exit(143));
  process.on('SIGINT', () => {
    closed = true;
    wishes.length = 0;
    work?.abort.abort();
    process.stdin.destroy();
    wake();
  });

  control({ hello: { turns: true, interrupt: true, messages: true } });
  for (;;) {
    while (wishes.length === 0 && !closed) await new Promise((resolve) => (wake = resolve));
    const next = wishes.shift();
    if (next === undefined) break;
    turns += 1;
    work = { abort: new AbortController(), requests: new Map(), steered: [], enough: false };
    try {
      control({ turn: 'ended', outcome: 'completed', summary: await turn(next) });
    } catch (error) {
      const outcome = work.abort.signal.aborted ? 'interrupted' : 'failed';
      control({ turn: 'ended', outcome, ...(outcome === 'failed' && { summary: error.message }) });
    }
    work = undefined;
  }
  process.stdin.destroy();
}

/** What a line of stdin tells beside plain messages. */
function parse(line) {
  try {
    const value = JSON.parse(line);
    const keys = Object.keys(value);
    return keys.length === 1 && keys[0] === 'treeline' && typeof value.treeline === 'object'
      ? value.treeline
      : undefined;
  } catch {
    return undefined;
  }
}
