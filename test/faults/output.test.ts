/** Output that means harm, or none but is hard to take: all of it is kept, none of it is obeyed. */
import assert from 'node:assert/strict';
import { statSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { suite, test } from 'node:test';

import { isHostMessage } from '../../src/protocol/check.ts';
import { STRINGS } from '../../src/protocol/strings.ts';
import type { Row } from '../../src/protocol/rows.ts';
import { resolveInWorktree } from '../../src/views/worktree-path.ts';
import { judged, reached } from '../unit/sessions/support.ts';
import { until } from '../unit/support.ts';
import {
  assertConsistent,
  faultWorld,
  patience,
  rows,
  scriptAgents,
  session,
  stdout,
  type FaultWindow,
} from './support.ts';

/** Every text that is shown as one. Paths are apart: they are names of files, and are opened as they stand. */
function strings(value: unknown, key = ''): string[] {
  if (typeof value === 'string') return key === 'file' || key === 'path' ? [] : [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, part]) => strings(part, name));
}

/** A row as a page takes it is a row that the page's own guard lets through. */
function assertShowable(all: readonly Row[]): void {
  const page = { epoch: 'e', rev: 1, total: all.length, from: 0, rows: JSON.parse(JSON.stringify(all)) as unknown };
  assert.ok(isHostMessage({ type: 'page', request: 1, page }), 'the page takes every row');
  for (const text of strings(all)) {
    // Tabs and line ends are text.
    assert.doesNotMatch(text, /[\x00-\x08\x0b-\x1f\x7f-\x9f]/, 'no control character is shown');
  }
  for (const row of all) assert.ok(JSON.stringify(row).length < 60_000, 'a row is bounded, whatever it is of');
}

/** Runs a script as an agent; gives how the turn came out. */
async function run(window: FaultWindow, agent: string, prompt = 'Go.'): Promise<{ id: string; all: readonly Row[] }> {
  const { id } = await window.sessions.spawn({ agent, prompt });
  const ended = await reached(window.sessions, id, judged);
  assert.equal(ended.turns[0]?.exit?.code, 0);
  const all = await rows(window, id);
  assertShowable(all);
  return { id, all };
}

const texts = (all: readonly Row[], kind: Row['kind']): string[] =>
  all.filter((row) => row.kind === kind).map(({ text }) => text.text);

const MEGABYTES = 100;
const LINES = 1_000_000;

/** Lines of a stream-json agent with something bad in every field that anything is made of. */
const EVIL = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  '\u001b]0;title\u0007\u001b[2J\u001b[31mred',
  '../../../../etc/passwd',
  '/etc/passwd',
  '__proto__',
  'a\u0000b',
  '\u202Egpj.exe',
  '${process.exit(1)}',
  '$(touch /tmp/treeline-was-here)',
  'command:workbench.action.quit',
  '\ud800 lone',
];

function evilClaude(): string[] {
  const lines: string[] = [];
  EVIL.forEach((evil, n) => {
    const id = `${evil}-${n}`;
    lines.push(
      JSON.stringify({ type: 'system', subtype: 'init', session_id: evil, cwd: evil, model: evil, tools: [evil] }),
      JSON.stringify({ type: 'assistant', session_id: evil, message: { content: [{ type: 'text', text: evil }] } }),
      JSON.stringify({ type: 'assistant', message: { content: [{ type: 'thinking', thinking: evil }] } }),
      JSON.stringify({
        type: 'assistant',
        message: {
          content: [{ type: 'tool_use', id, name: evil, input: { file_path: evil, command: evil, __proto__: 1 } }],
        },
      }),
      JSON.stringify({
        type: 'assistant',
        message: {
          content: [{ type: 'tool_use', id: `${id}w`, name: 'Write', input: { file_path: evil, content: evil } }],
        },
      }),
      JSON.stringify({ type: 'user', message: { content: [{ type: 'tool_result', tool_use_id: id, content: evil }] } }),
      JSON.stringify({
        type: 'user',
        message: { content: [{ type: 'tool_result', tool_use_id: `${id}w`, content: evil }] },
      }),
      JSON.stringify({ type: evil, subtype: evil, [evil]: evil }),
      `{"type":"assistant","__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"message":{"__proto__":{"content":[]},"content":[{"type":"text","text":"own"}]}}`,
      `{"type":"result","__proto__":{"polluted":true},"usage":{"__proto__":{"input_tokens":1}},"result":${JSON.stringify(evil)},"is_error":"no","num_turns":-1,"total_cost_usd":"NaN","duration_ms":1e400}`,
    );
  });
  lines.push(
    '['.repeat(100_000) + ']'.repeat(100_000),
    '{"type":"assistant","message":{"content":{"a":'.repeat(50_000) + '1' + '}'.repeat(50_000) + '}}',
    '{"type":"assistant","message":{"content":"not a list"}}',
    '{"type":"assistant","message":null}',
    '{"type":null}',
    '[]',
    'null',
    '"text"',
    '1e999',
    '{"type":"assistant","message":{"content":[null,1,"x",[],{"type":"tool_use"},{"type":{}}]}}',
    '{"unfinished":',
  );
  return lines;
}

suite('hostile output', { timeout: 300_000 }, () => {
  test(`${MEGABYTES} MB in one line: kept byte for byte, shown as its start`, async (t) => {
    const { open, settings } = await faultWorld(t);
    settings.customAgents = scriptAgents({
      big: `const fs = require('node:fs'); const piece = Buffer.alloc(1 << 20, 'x');
        fs.writeSync(1, 'before\\n'); for (let i = 0; i < ${MEGABYTES}; i++) for (let at = 0; at < piece.length; ) at += fs.writeSync(1, piece, at);
        fs.writeSync(1, '\\nafter\\n');`,
    });
    const window = await open();
    const { id, all } = await run(window, 'big');
    assert.equal(statSync(path.join(window.sessions.turnFolder(id, 1), 'stdout.log')).size, (MEGABYTES << 20) + 14);
    const output = all.filter(({ kind }) => kind === 'output' || kind === 'raw');
    assert.equal(output[0]?.text.text, 'before');
    assert.equal(output.at(-1)?.text.text, 'after');
    assert.equal(output[1]?.text.bytes, MEGABYTES << 20, 'and how long it is');
    assert.ok(output[1].text.cut && output[1].text.text.length <= 4000);
  });

  test(`${LINES} lines as fast as they come: all are there, and the window answers meanwhile`, async (t) => {
    const { open, settings } = await faultWorld(t);
    settings.customAgents = scriptAgents({
      many: `const fs = require('node:fs'); let text = '';
        for (let i = 1; i <= ${LINES}; i++) { text += i + '\\n'; if (i % 20000 === 0) { const b = Buffer.from(text); for (let at = 0; at < b.length; ) at += fs.writeSync(1, b, at); text = ''; } }`,
    });
    const window = await open();
    let slowest = 0;
    let last = performance.now();
    const pulse = setInterval(() => {
      slowest = Math.max(slowest, performance.now() - last - 20);
      last = performance.now();
    }, 20);
    const { id } = await window.sessions.spawn({ agent: 'many', prompt: 'Go.' });
    await reached(window.sessions, id, judged);
    clearInterval(pulse);
    t.diagnostic(`the window's event loop was late by ${Math.round(slowest)} ms at most`);
    assert.ok(slowest < patience(2000), `the window stood still for ${Math.round(slowest)} ms`);
    await reached(window.sessions, id, () => window.sessions.activity(id)?.lastLine === String(LINES));
    const raw = stdout(window, id).toString().trimEnd().split('\n');
    assert.equal(raw.length, LINES);
    assert.equal(raw.at(-1), String(LINES));
    const close = await rows(window, id, { groups: [], query: '999999' });
    assert.deepEqual(texts(close, 'output'), ['999999']);
  });

  test('bytes that are no text, characters cut at every chunk border, escapes, and no line end', async (t) => {
    const { open, settings } = await faultWorld(t);
    const wide = '🌲é漢\u0301👩‍👩‍👧';
    settings.customAgents = scriptAgents({
      bytes: `const fs = require('node:fs');
        (async () => {
          for (const byte of Buffer.from(${JSON.stringify(wide + '\n')})) { fs.writeSync(1, Buffer.from([byte])); await new Promise((go) => setTimeout(go, 12)); }
          fs.writeSync(1, Buffer.from([0xff, 0xfe, 0x80, 0xc3, 0x28, 0xed, 0xa0, 0x80, 10]));
          fs.writeSync(1, Buffer.alloc(1000)); fs.writeSync(1, '\\n');
          fs.writeSync(1, '\\x1b[31mred\\x1b[0m\\x1b]0;title\\x07\\x1b[2J\\x1b[1;1Hhome\\x9b31m\\r\\nbell\\x07 back\\b\\b\\n');
          fs.writeSync(1, 'kept\\rover\\n\\n\\n\\t tab\\n');
          fs.writeSync(2, Buffer.from([0xe2, 0x82])); fs.writeSync(1, Buffer.from([0xe2, 0x82]));
        })();`,
    });
    const window = await open();
    const { id, all } = await run(window, 'bytes');
    const output = texts(all, 'output');
    assert.equal(output[0], wide, 'a character that came in pieces is whole');
    assert.ok(
      output.some((line) => line.startsWith('redhome')),
      JSON.stringify(output),
    );
    assert.ok(output.some((line) => line.endsWith('tab')));
    assert.equal(stdout(window, id).at(-1), 0x82, 'what no line end followed is kept too');
    assert.ok(stdout(window, id).includes(Buffer.from([0xff, 0xfe, 0x80, 0xc3, 0x28])), 'bytes are kept as they came');
  });

  test('an agent that lies in every field of its events', async (t) => {
    const { open, settings, repo } = await faultWorld(t);
    const lines = evilClaude();
    // It prints its prompt.
    const print = `const fs = require('node:fs'); const all = fs.readFileSync(process.argv[1]);
      for (let at = 0; at < all.length; ) at += fs.writeSync(1, all, at);`;
    settings.customAgents = scriptAgents({ evil: print }, 'claude');
    const window = await open();
    const { id, all } = await run(window, 'evil', lines.join('\n'));
    assert.equal(({} as { polluted?: boolean }).polluted, undefined);
    assert.equal(stdout(window, id).toString(), lines.join('\n'), 'all of it is kept as it came');
    // What is said is shown as text.
    const said = texts(all, 'text').join('\n');
    assert.ok(said.includes('<script>alert(1)</script>') && said.includes('own'));
    assert.ok(texts(all, 'raw').length > 0, 'a line of no known form is shown as it is');
    // Ids that are none are not taken up: they would become an argument of the next turn.
    const shown = session(window, id);
    assert.match(shown.agentSession ?? 'none', /^(none|[0-9a-f-]{36})$/, JSON.stringify(shown.agentSession));
    for (const { end } of all) assert.ok(end?.cost === undefined || Number.isFinite(end.cost));
    assert.doesNotMatch(JSON.stringify(STRINGS), /<script/);
    await assertConsistent(repo, window.sessions);
  });

  test('files that an agent names lead nowhere outside its worktree', async (t) => {
    const { open, repo } = await faultWorld(t);
    const { sessions } = await open();
    const { id, worktree } = await sessions.spawn({ agent: 'scripted', prompt: 'write inside.txt here' });
    await reached(sessions, id, judged);
    symlinkSync('/etc', path.join(worktree, 'link'));
    symlinkSync('inside.txt', path.join(worktree, 'fine'));
    const outside = async (named: string): Promise<boolean | undefined> =>
      (await resolveInWorktree(worktree, named))?.outside;
    for (const named of [
      'inside.txt',
      './inside.txt',
      path.join(worktree, 'inside.txt'),
      'fine',
      'src/../inside.txt',
    ]) {
      assert.equal(await outside(named), false, named);
    }
    for (const named of [
      '/etc/passwd',
      '../../../../../../etc/passwd',
      'src/../../outside',
      'link/passwd',
      path.join(repo, 'README.md'),
      `${worktree}/../x`,
      `${worktree}x/y`,
    ]) {
      assert.notEqual(await outside(named), false, named);
    }
    // A name that no file can have is refused, or leads nowhere; it never leads out.
    for (const named of ['a\0b', 'x'.repeat(100_000)]) {
      const found = await outside(named).catch(() => undefined);
      assert.notEqual(found, false, JSON.stringify(named.slice(0, 20)));
    }
  });

  test('names and prompts with control characters, escapes and endless length become harmless names', async (t) => {
    const { open, repo } = await faultWorld(t);
    const { sessions } = await open();
    const names = [
      'a\u001b[31mred\u001b[0m\u0007',
      '\u202Egnp.exe\u202C',
      '-rf --upload-pack=touch /tmp/x',
      '../../../etc/passwd',
      '; rm -rf ~ #`id` $(id) | & \' "',
      '..\\..\\windows.lock',
      '\n\n\r\t \u0000 \u2028',
      '🌲'.repeat(3000),
      '@{-1}',
      'CON',
    ];
    const ids: string[] = [];
    for (const name of names) {
      const spawned = await sessions.spawn({
        agent: 'scripted',
        prompt: `print ${name.replaceAll('\n', ' ')}\nprint fine`,
        name,
      });
      ids.push(spawned.id);
      assert.match(spawned.branch, /^treeline\/[a-z0-9-]+-[0-9a-f]+$/u, JSON.stringify(name));
      assert.doesNotMatch(spawned.worktree, /[\0-\x1f\x7f-\x9f\u202e]|\.\./);
      assert.doesNotMatch(
        spawned.name,
        /[\0-\x1f\x7f-\x9f\u2028]/,
        `${JSON.stringify(spawned.name)} is shown as it is`,
      );
      assert.ok([...new Intl.Segmenter().segment(spawned.name)].length <= 80);
      await sessions.stop(spawned.id);
    }
    await until(() => ids.every((id) => sessions.get(id)?.turns[0]?.exit !== undefined), { what: 'all are over' });
    assert.throws(() => readFileSync('/tmp/treeline-was-here'));
    await assertConsistent(repo, sessions);
  });
});
