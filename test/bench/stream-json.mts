/** Makes a turn's folder as a keeper would leave it, with the output of a long Claude Code run. */
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { seeded } from '../support/seeded.mts';

const WORDS =
  'the index reads each line once and keeps where it stands “naïve” äöü worktree branch commit test file'.split(' ');

/** The turn that writeTurn makes, for who reads it. */
export const TURN = { number: 1, run: 1, text: 'prompt', over: true, resumes: false } as const;

/**
 * Writes the only turn of a session into its folder: `lines` lines of about `bytes` bytes each, which are words, thinking,
 * and tool calls with their results. `text` names the file of the prompt.
 */
export function writeTurn(
  session: string,
  { lines, bytes, seed = 1, text: prompt = TURN.text }: { lines: number; bytes: number; seed?: number; text?: string },
): number {
  const folder = path.join(session, 'runs', String(TURN.run));
  mkdirSync(folder, { recursive: true });
  mkdirSync(path.join(session, 'texts'), { recursive: true });
  const random = seeded(seed);
  const text = (length: number): string => {
    let out = '';
    while (out.length < length) out += `${WORDS[Math.floor(random() * WORDS.length)]}${random() < 0.05 ? '\n' : ' '}`;
    return out;
  };
  writeFileSync(path.join(session, 'texts', `${prompt}.md`), 'Make it faster.');
  const stdout = openSync(path.join(folder, 'stdout.log'), 'w');
  const times: string[] = [];
  let size = 0;
  let at = 1_790_000_000_000;
  let chunk = '';
  const flush = (): void => {
    size += writeSync(stdout, chunk);
    times.push(`o ${(at += 7)} ${size}\n`);
    chunk = '';
  };
  const session_id = '01a1fb15-c1c5-7861-9019-ca32b28a6fdb';
  const base = { session_id, parent_tool_use_id: null, uuid: 'be5da1c4-697a-4cfe-ab91-4b3e50da1068' };
  const assistant = (block: object): object => ({
    type: 'assistant',
    message: {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'model-x',
      content: [block],
      usage: { input_tokens: 3, output_tokens: 9 },
    },
    ...base,
  });
  for (let n = 0; n < lines; n++) {
    const room = Math.max(50, bytes - 420) * (0.25 + random() * 1.5);
    const id = `toolu_${Math.floor(n / 4)}`;
    const line =
      n === 0
        ? { type: 'system', subtype: 'init', cwd: '/w', model: 'model-x', tools: ['Bash'], ...base }
        : n % 4 === 0
          ? assistant({ type: 'text', text: text(room) })
          : n % 4 === 1
            ? assistant({ type: 'thinking', thinking: text(room), signature: 'c2ln' })
            : n % 4 === 2
              ? assistant({
                  type: 'tool_use',
                  id,
                  name: 'Bash',
                  input: { command: `git log -n ${n}`, description: text(room) },
                })
              : {
                  type: 'user',
                  message: {
                    role: 'user',
                    content: [{ tool_use_id: id, type: 'tool_result', content: text(room), is_error: n % 40 === 3 }],
                  },
                  ...base,
                };
    chunk += `${JSON.stringify(line)}\n`;
    if (chunk.length > 60_000 * random()) flush();
  }
  flush();
  closeSync(stdout);
  writeFileSync(path.join(folder, 'times.log'), times.join(''));
  const exit = { startedAt: 1_790_000_000_000, endedAt: at, code: 0, signal: null, survivors: [], expected: [] };
  writeFileSync(path.join(folder, 'exit.json'), JSON.stringify(exit));
  return size;
}
