import assert from 'node:assert/strict';
import { chmodSync, chownSync, lstatSync, mkdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { factId, isSessionId, sessionId, shortId } from '../../../src/platform/ids.ts';
import { privateFolder, runFolder, sessionFolder, socketPath, textFile } from '../../../src/platform/paths.ts';
import { tempDir } from '../support.ts';

const posix = { skip: process.platform === 'win32' && 'folders have no mode bits there' };

describe('session ids', () => {
  it('are told from anything else', () => {
    const id = sessionId();
    assert.ok(isSessionId(id));
    for (const other of ['', 'ses_', id.toUpperCase(), `${id}/..`, `${id}\n`, ` ${id}`, id.slice(4), '../etc']) {
      assert.equal(isSessionId(other), false, other);
    }
  });

  it('are told apart in short, also those of one moment', () => {
    const ids = Array.from({ length: 100 }, sessionId);
    assert.equal(new Set(ids).size, 100);
    assert.equal(new Set(ids.map(shortId)).size, 100);
    assert.match(shortId(ids[0]!), /^[0-9a-f]{6}$/);
  });
});

describe('a store', () => {
  it('has places for sessions, runs and prompts, and none outside of it', () => {
    const id = sessionId();
    assert.equal(runFolder('/store', id, 3), path.join('/store', 'sessions', id, 'runs', '3'));
    const key = factId();
    assert.equal(textFile('/store', id, key), path.join('/store', 'sessions', id, 'texts', `${key}.md`));
    assert.throws(() => textFile('/store', id, '../../../etc/passwd'), { code: 'invalid' });
    assert.throws(() => sessionFolder('/store', '../../etc'), { code: 'invalid' });
  });
});

describe('a private folder', posix, () => {
  it('is the user’s alone, new or not', async (t) => {
    const dir = path.join(await tempDir(t), 'a', 'b');
    privateFolder(dir);
    assert.equal(statSync(dir).mode & 0o777, 0o700);
    assert.equal(statSync(path.dirname(dir)).mode & 0o777, 0o700);
    chmodSync(dir, 0o755);
    privateFolder(dir);
    assert.equal(statSync(dir).mode & 0o777, 0o700);
  });
});

describe('the path of a socket', posix, () => {
  const id = sessionId();

  it('is short, in a private folder, and always the same', async (t) => {
    const runtime = await tempDir(t);
    const env = { TMPDIR: runtime };
    const socket = socketPath(id, 1, env);
    assert.equal(socketPath(id, 1, env), socket);
    assert.notEqual(socketPath(id, 2, env), socket);
    assert.notEqual(socketPath(sessionId(), 1, env), socket);
    assert.ok(socket.startsWith(runtime));
    assert.ok(Buffer.byteLength(socket) < 104);
    assert.equal(lstatSync(path.dirname(socket)).mode & 0o777, 0o700);
  });

  it('is elsewhere where the folder for temporary files is too long, missing, or not absolute', async (t) => {
    const long = path.join(await tempDir(t), 'x'.repeat(90));
    mkdirSync(long);
    for (const place of [long, '/nowhere/at/all', 'relative', undefined]) {
      const socket = socketPath(id, 1, place === undefined ? {} : { TMPDIR: place });
      assert.ok(Buffer.byteLength(socket) < 104, socket);
      assert.ok(socket.startsWith(os.tmpdir()) || socket.startsWith('/tmp'), socket);
    }
  });

  it('does not lie in what a logout removes', async (t) => {
    const [runtime, place] = [await tempDir(t), await tempDir(t)];
    const socket = socketPath(id, 1, { XDG_RUNTIME_DIR: runtime, TMPDIR: place });
    assert.ok(socket.startsWith(place));
    rmSync(runtime, { recursive: true });
    assert.equal(socketPath(id, 1, { XDG_RUNTIME_DIR: runtime, TMPDIR: place }), socket);
  });

  it(
    'is not in a folder of somebody else',
    { skip: process.getuid?.() !== 0 && 'it takes root to give a folder away' },
    async (t) => {
      const place = await tempDir(t);
      const folder = path.join(place, `treeline-${os.userInfo().uid}`);
      mkdirSync(folder);
      chownSync(folder, 65534, 65534);
      assert.equal(socketPath(id, 1, { TMPDIR: place }).startsWith(place), false);
    },
  );

  it('is never in a folder that others can write, or that is only a link', async (t) => {
    const runtime = await tempDir(t);
    const folder = path.join(runtime, `treeline-${os.userInfo().uid}`);
    mkdirSync(folder);
    chmodSync(folder, 0o777);
    socketPath(id, 1, { TMPDIR: runtime });
    assert.equal(lstatSync(folder).mode & 0o777, 0o700);

    const other = await tempDir(t);
    symlinkSync(runtime, path.join(other, `treeline-${os.userInfo().uid}`));
    assert.equal(socketPath(id, 1, { TMPDIR: other }).startsWith(other), false);
  });
});
