/** What is the user's alone stays so: files, sockets, secrets, and who may drive a session. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { suite, test, type TestContext } from 'node:test';

import { journalFile, socketPath } from '../../src/platform/paths.ts';
import { isPageMessage } from '../../src/protocol/check.ts';
import { judged, reached } from '../unit/sessions/support.ts';
import { tempDir, until } from '../unit/support.ts';
import {
  assertConsistent,
  faultWorld,
  filesBelow,
  rows,
  scriptAgents,
  seeded,
  session,
  stdout,
  storeOf,
  trials,
} from './support.ts';
import { keepers, marked } from './truth.ts';

const root = process.getuid?.() === 0;

/** Sets variables of this process for the length of a test. */
function environment(t: TestContext, variables: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(variables)) {
    const before = process.env[name];
    process.env[name] = value;
    t.after(() => {
      if (before === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = before;
    });
  }
}

/** All that stands below a folder, and itself, with its mode. */
function modes(folder: string): { readonly file: string; readonly mode: number; readonly kind: 'folder' | 'file' }[] {
  const paths = [
    folder,
    ...readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => path.join(folder, name)),
  ];
  return paths.map((file) => {
    const stat = lstatSync(file);
    return { file, mode: stat.mode & 0o777, kind: stat.isDirectory() ? 'folder' : 'file' };
  });
}

/** What another user gets who tries each of these: the error's code, or `open`. */
function asNobody(
  tries: readonly { readonly connect?: string; readonly read?: string; readonly list?: string }[],
): string[] {
  const script = `
    process.setgroups([]); process.setgid(65534); process.setuid(65534);
    const fs = require('node:fs'), net = require('node:net');
    const attempt = ({ connect, read, list }) => new Promise((tell) => {
      try {
        if (read) { fs.readFileSync(read); tell('open'); }
        else if (list) { fs.readdirSync(list); tell('open'); }
        else net.connect(connect).on('connect', () => tell('open')).on('error', ({ code }) => tell(code));
      } catch ({ code }) { tell(code); }
    });
    Promise.all(JSON.parse(process.argv[1]).map(attempt)).then((all) => { console.log(JSON.stringify(all)); process.exit(); });`;
  // Its program is found while it is still root, wherever that stands.
  const told = execFileSync(process.execPath, ['-e', script, JSON.stringify(tries)], { cwd: '/', encoding: 'utf8' });
  return JSON.parse(told) as string[];
}

suite('files and sockets', { timeout: 120_000, skip: process.platform === 'win32' }, () => {
  test('all of the store and of the sockets’ folder is the user’s alone, whatever the umask', async (t) => {
    const umask = process.umask(0);
    t.after(() => process.umask(umask));
    const runtime = await tempDir(t);
    environment(t, { TMPDIR: runtime });
    const { storage, open } = await faultWorld(t);
    const window = await open();
    const { id } = await window.sessions.spawn({ agent: 'lines', prompt: 'print ready' });
    await reached(window.sessions, id, () => window.sessions.activity(id)?.lastLine === 'ready');
    await window.sessions.send(id, 'err trouble');
    const failed = await window.sessions.spawn({ agent: 'scripted', prompt: 'exit 3' });
    await reached(window.sessions, failed.id, judged);
    await window.sessions.resume(failed.id, { prompt: 'print again' });
    await reached(window.sessions, failed.id, (one) => one.turns.length === 2 && judged(one));
    // Somebody looks at it: only then is there an index to be kept.
    await rows(window, failed.id);
    writeFileSync(journalFile(storeOf(storage)), 'no fact\n', { flag: 'a' });
    await until(() => existsSync(path.join(storeOf(storage), 'journal.damaged.jsonl')), {
      what: 'the damage is copied',
    });

    const sockets = modes(path.join(runtime, `treeline-${process.getuid?.() ?? 0}`));
    assert.ok(
      sockets.some(({ file }) => file.endsWith('.sock')),
      'a socket is there',
    );
    await window.treeline.dispose();
    const store = modes(path.join(storage, 'repos'));
    assert.ok(
      store.some(({ file }) => file.endsWith('timeline.db')) &&
        store.some(({ file }) => path.basename(file).startsWith('catalogue-')),
    );
    for (const { file, mode, kind } of [...sockets, ...store]) {
      assert.equal(mode.toString(8), kind === 'folder' ? '700' : '600', file);
    }
  });

  test(
    'another user reads nothing and reaches no keeper',
    { skip: !root && 'it takes root to be another user' },
    async (t) => {
      const runtime = await tempDir(t);
      environment(t, { TMPDIR: runtime });
      const { storage, open } = await faultWorld(t);
      // What stands above the store is nobody's promise.
      for (const folder of [runtime, storage]) chmodSync(folder, 0o755);
      const window = await open();
      const { id } = await window.sessions.spawn({ agent: 'scripted', prompt: 'print ready\nwait' });
      const socket = socketPath(id, 1);
      const folder = window.sessions.turnFolder(id, 1);
      const tries = [
        { connect: socket },
        { list: path.dirname(socket) },
        { list: path.join(storage, 'repos') },
        { read: journalFile(storeOf(storage)) },
        { read: path.join(folder, 'spec.json') },
        { read: path.join(folder, 'stdout.log') },
        { read: window.sessions.promptFile(id, session(window, id).turns[0]!) },
      ];
      assert.deepEqual(
        asNobody(tries),
        tries.map(() => 'EACCES'),
      );
      // Even where somebody has opened the folders, each file and socket holds for itself.
      const opened = [
        path.dirname(socket),
        ...modes(path.join(storage, 'repos'))
          .filter(({ kind }) => kind === 'folder')
          .map(({ file }) => file),
      ];
      for (const one of opened) chmodSync(one, 0o755);
      const files = tries.filter((one) => !('list' in one));
      assert.deepEqual(
        asNobody(files),
        files.map(() => 'EACCES'),
      );
      assert.equal(session(window, id).status, 'working');
    },
  );

  test('the sockets’ folder that somebody else has made is not used', { skip: !root && 'it takes root' }, async (t) => {
    const runtime = await tempDir(t);
    environment(t, { TMPDIR: runtime });
    const foreign = path.join(runtime, `treeline-${process.getuid?.() ?? 0}`);
    mkdirSync(foreign);
    execFileSync('chown', ['65534', foreign]);
    const { repo, open } = await faultWorld(t);
    const window = await open();
    const { id } = await window.sessions.spawn({ agent: 'scripted', prompt: 'print done' });
    assert.equal((await reached(window.sessions, id, judged)).status, 'idle');
    assert.deepEqual(readdirSync(foreign), [], 'nothing was put there');
    await assertConsistent(repo, window.sessions);
  });

  test('what stands at the socket’s path: a dead socket and a file make way, a living listener does not', async (t) => {
    environment(t, { TMPDIR: await tempDir(t) });
    const { repo, open } = await faultWorld(t);
    const { sessions } = await open();
    const { id } = await sessions.spawn({ agent: 'scripted', prompt: 'print one' });
    await reached(sessions, id, judged);

    // A listener that was killed leaves its socket behind.
    const listener = spawn(process.execPath, [
      '-e',
      `require('node:net').createServer().listen(process.argv[1], () => console.log('up'))`,
      socketPath(id, 2),
    ]);
    await once(listener.stdout, 'data');
    listener.kill('SIGKILL');
    await once(listener, 'exit');
    assert.ok(existsSync(socketPath(id, 2)));
    await sessions.resume(id, { prompt: 'print two' });
    assert.equal((await reached(sessions, id, (one) => one.turns.length === 2 && judged(one))).status, 'idle');

    writeFileSync(socketPath(id, 3), 'a file');
    await sessions.resume(id, { prompt: 'print three' });
    assert.equal((await reached(sessions, id, (one) => one.turns.length === 3 && judged(one))).status, 'idle');

    let heard = '';
    const foreign = net.createServer((client) => {
      client.on('error', () => undefined);
      client.on('data', (data) => {
        heard += data.toString();
        client.destroy();
      });
    });
    foreign.listen(socketPath(id, 4));
    await once(foreign, 'listening');
    t.after(() => foreign.close());
    await assert.rejects(sessions.resume(id, { prompt: 'print four' }), /could not be started: .* failed\./);
    assert.equal(sessions.get(id)?.status, 'failed');
    assert.doesNotMatch(heard, /print four/, 'the prompt goes to nobody else');
    assert.deepEqual(marked([id]), []);
    foreign.close();
    await sessions.resume(id, { prompt: 'print five' });
    assert.equal((await reached(sessions, id, (one) => one.turns.length === 5 && judged(one))).status, 'idle');
    await assertConsistent(repo, sessions);
  });

  test('who does not know the token drives nothing, whatever is said', async (t) => {
    const random = seeded(t);
    environment(t, { TMPDIR: await tempDir(t) });
    const { storage, open } = await faultWorld(t);
    const window = await open();
    const { id } = await window.sessions.spawn({ agent: 'lines', prompt: 'print ready' });
    await reached(window.sessions, id, () => window.sessions.activity(id)?.lastLine === 'ready');
    const { token } = JSON.parse(readFileSync(path.join(window.sessions.turnFolder(id, 1), 'spec.json'), 'utf8')) as {
      token: string;
    };
    const stop = '{"id":2,"do":"stop"}\n{"id":3,"do":"send","text":"exit 9"}\n';
    const said = [
      stop,
      `{"id":1,"do":"hello"}\n${stop}`,
      `{"id":1,"do":"hello","token":""}\n${stop}`,
      `{"id":1,"do":"hello","token":"${'0'.repeat(32)}"}\n${stop}`,
      `{"id":1,"do":"hello","token":"${token.slice(0, 31)}"}\n${stop}`,
      `{"id":1,"do":"hello","token":["${token}"]}\n${stop}`,
      `{"id":1,"do":"hello","token":{"length":32}}\n${stop}`,
      `{"__proto__":{"token":"${token}"},"id":1,"do":"hello"}\n${stop}`,
      `GET / HTTP/1.1\r\nHost: localhost\r\n\r\n${stop}`,
      '\0'.repeat(3_000_000),
      ...Array.from(
        { length: trials(20) },
        () => Buffer.from(Array.from({ length: 200 }, () => random.between(0, 255))).toString('latin1') + `\n${stop}`,
      ),
    ];
    for (const text of said) {
      const answer = await new Promise<string>((resolve) => {
        let heard = '';
        const client = net.connect(socketPath(id, 1), () => client.write(text, 'latin1'));
        client.on('data', (data) => (heard += data.toString()));
        client.on('error', () => undefined);
        client.on('close', () => resolve(heard));
      });
      assert.doesNotMatch(answer, /"ok":true|ended/, text.slice(0, 80));
      assert.ok(!answer.includes(token));
    }
    assert.equal(session(window, id).status, 'working');
    assert.equal(keepers(storage).length, 1);
    await window.sessions.send(id, 'print still here');
    await reached(window.sessions, id, () => window.sessions.activity(id)?.lastLine === 'still here');
    assert.equal(session(window, id).turns[0]?.exit, undefined);
  });
});

suite('secrets', { timeout: 60_000 }, () => {
  test('of the environment and of settings reach the agent, and no file, log line or row', async (t) => {
    const secrets = {
      ANTHROPIC_API_KEY: `sk-ant-${Math.random().toString(36).slice(2)}-secret`,
      OPENAI_API_KEY: `sk-${Math.random().toString(36).slice(2)}-secret`,
      GITHUB_TOKEN: `ghp_${Math.random().toString(36).slice(2)}secret`,
      MY_PASSWORD: 'correct horse battery staple 4711',
    };
    environment(t, secrets);
    const own = { SETTING_TOKEN: `tok-${Math.random().toString(36).slice(2)}-of-settings` };
    const { storage, open, settings } = await faultWorld(t);
    settings.customAgents = scriptAgents({
      knows: `const { createHash } = require('node:crypto');
        for (const name of ${JSON.stringify([...Object.keys(secrets), ...Object.keys(own)])})
          console.log(name + ' ' + createHash('sha256').update(process.env[name] ?? '').digest('hex'));`,
      broken: `process.exit(9)`,
    }).map((agent) => ({ ...agent, env: own }));
    const window = await open();
    const { createHash } = await import('node:crypto');
    const { id } = await window.sessions.spawn({ agent: 'knows', prompt: 'Go.' });
    await reached(window.sessions, id, judged);
    for (const [name, value] of Object.entries({ ...secrets, ...own })) {
      const hash = createHash('sha256').update(value).digest('hex');
      assert.ok(stdout(window, id).includes(`${name} ${hash}`), `the agent knows ${name}`);
    }
    // Failures are where much is said.
    const failed = await window.sessions.spawn({ agent: 'broken', prompt: 'Go.' });
    await reached(window.sessions, failed.id, judged);
    settings.customAgents = settings.customAgents.map((agent) => ({ ...agent, command: ['/no/such/program'] }));
    const refused = await window.sessions.spawn({ agent: 'knows', prompt: 'Go.' }).catch(String);
    const shown = JSON.stringify([
      window.log,
      window.sessions.list(),
      await rows(window, id),
      await rows(window, failed.id),
      refused,
    ]);
    await window.treeline.dispose();
    const files = filesBelow(storage);
    assert.ok(files.length > 10);
    for (const value of [...Object.values(secrets), ...Object.values(own)]) {
      assert.ok(!shown.includes(value), 'it is not shown');
      for (const file of files) assert.ok(!readFileSync(file).includes(value), `it stands in ${file}`);
    }
  });

  test('variables of the editor do not reach the agent, the user’s own do', async (t) => {
    environment(t, {
      VSCODE_IPC_HOOK_CLI: '/run/hook',
      VSCODE_GIT_ASKPASS_NODE: '/x',
      VSCODE_PID: '1',
      VSCODE_CWD: '/',
      ELECTRON_RUN_AS_NODE: '1',
      ELECTRON_NO_ATTACH_CONSOLE: '1',
      CODE_SERVER_SESSION_SOCKET: '/x',
      MY_OWN: 'kept',
    });
    const { open, settings } = await faultWorld(t);
    settings.customAgents = scriptAgents({ env: `console.log(JSON.stringify(process.env))` });
    const window = await open();
    const { id } = await window.sessions.spawn({ agent: 'env', prompt: 'Go.' });
    await reached(window.sessions, id, judged);
    const env = JSON.parse(stdout(window, id).toString()) as Record<string, string>;
    assert.deepEqual(
      Object.keys(env).filter((name) => /^(VSCODE_|ELECTRON_|CODE_SERVER_)/.test(name)),
      [],
    );
    assert.equal(env['MY_OWN'], 'kept');
    assert.equal(env['TREELINE_SESSION'], id);
    assert.equal(env['TREELINE_RUN'], '1');
  });
});

suite('a window that git started', { timeout: 60_000 }, () => {
  test('an agent’s commits land in its own worktree, and the user’s index and branch stay as they are', async (t) => {
    const { repo, open } = await faultWorld(t);
    writeFileSync(path.join(repo, 'src/main.txt'), 'staged by the user\n');
    execFileSync('git', ['add', 'src/main.txt'], { cwd: repo });
    const git = (cwd: string, ...args: string[]): string => {
      const env = { PATH: process.env['PATH'] ?? '', HOME: cwd };
      return execFileSync('git', args, { cwd, encoding: 'utf8', env }).trim();
    };
    const users = (): string[] => [git(repo, 'rev-parse', 'main'), git(repo, 'ls-files', '--stage')];
    const before = users();
    // As git sets them for a hook, an alias, or the editor of a commit message.
    environment(t, {
      GIT_DIR: path.join(repo, '.git'),
      GIT_WORK_TREE: repo,
      GIT_INDEX_FILE: path.join(repo, '.git/index'),
      GIT_PREFIX: 'src/',
      GIT_CONFIG_PARAMETERS: `'user.name'='Somebody Else'`,
    });
    const window = await open();
    const prompt = 'write made.txt by the agent\nrun git add made.txt\nrun git commit --quiet -m Made';
    const { id, worktree } = await window.sessions.spawn({ agent: 'scripted', prompt });
    await reached(window.sessions, id, judged);
    assert.equal(git(worktree, 'show', '--stat', '--format=%s by %an', 'HEAD').split('\n')[0], 'Made by Test Author');
    assert.match(git(worktree, 'ls-files'), /made\.txt/);
    assert.deepEqual(users(), before);
    assert.equal(git(repo, 'status', '--porcelain'), 'M  src/main.txt');
  });
});

suite('the page', () => {
  test('messages that no page of ours would send are none', (t) => {
    const random = seeded(t);
    const filter = { groups: [], query: '' };
    const good: readonly Record<string, unknown>[] = [
      { type: 'ready', filter, count: 100, request: 1 },
      { type: 'rows', filter, from: -100, count: 100, request: 2 },
      { type: 'openFile', path: 'src/a.ts', line: 3 },
      { type: 'openLog', seq: 1, part: 'row' },
      { type: 'openText', seq: 1, part: 'output' },
      { type: 'openLink', href: 'https://example.org/' },
      { type: 'command', command: 'stop' },
    ];
    const strange: readonly unknown[] = [
      undefined,
      null,
      true,
      NaN,
      Infinity,
      -1,
      1.5,
      1e308,
      '',
      '\0',
      'x'.repeat(10_000),
      [],
      {},
      [[]],
      { length: 1 },
      'command:workbench.action.quit',
      'javascript:alert(1)',
      'file:///etc/passwd',
      '__proto__',
      Symbol.iterator,
      10n,
      () => 1,
    ];
    for (const message of good) assert.ok(isPageMessage(message), JSON.stringify(message));
    for (const value of strange) assert.equal(isPageMessage(value), false);
    let refused = 0;
    for (let trial = 0; trial < trials(5000); trial++) {
      const message: Record<string, unknown> = { ...random.pick(good) };
      const field = random.pick(Object.keys(message));
      const value = random.pick(strange);
      message[field] = value;
      // Some fields may be any text, any number, or absent.
      const fine =
        (field === 'path' && typeof value === 'string' && value !== '' && value !== '\0' && value.length <= 4096) ||
        (field === 'line' && value === undefined) ||
        (field === 'from' && value === -1);
      assert.equal(isPageMessage(message), fine, `${String(message['type'])}.${field}`);
      refused += Number(!fine);
    }
    assert.ok(refused > 100);
    for (const message of good) {
      for (const key of ['extra', 'constructor']) {
        assert.equal(isPageMessage({ ...message, [key]: 1 }), false, 'nothing is smuggled');
      }
      assert.equal(isPageMessage(Object.create(message)), false, 'what is inherited does not count');
    }
  });
});
