import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { claimStore, storeFolder } from '../../../src/store/store-folder.ts';
import { tempDir } from '../support.ts';

/** A folder with something that looks like a repository, `one`, and a place for stores. */
async function place(t: TestContext) {
  const dir = await tempDir(t);
  const storage = path.join(dir, 'storage');
  const gitOf = (name: string): string => path.join(dir, name, '.git');
  const init = (name: string): string => {
    mkdirSync(gitOf(name), { recursive: true });
    return gitOf(name);
  };
  const open = (name: string): string => {
    const folder = storeFolder(storage, gitOf(name));
    claimStore(folder, gitOf(name));
    return folder;
  };
  return { dir, init, open, gitOf, storage, find: (name: string) => storeFolder(storage, gitOf(name)) };
}

describe('the folder of a store', () => {
  it('is one for all ways to a repository, and another for another', async (t) => {
    const dir = await tempDir(t);
    const git = path.join(dir, 'My Project (1)', '.git');
    mkdirSync(git, { recursive: true });
    symlinkSync(path.join(dir, 'My Project (1)'), path.join(dir, 'link'));
    const folder = storeFolder('/storage', git);
    assert.match(folder, /^\/storage\/repos\/my-project-1-[0-9a-f]{12}$/);
    assert.equal(storeFolder('/storage', path.join(dir, 'link', '.git')), folder);
    assert.equal(storeFolder('/storage', `${git}/`), folder);
    const bare = path.join(dir, 'Ünï ☃.git');
    mkdirSync(bare);
    assert.match(storeFolder('/storage', bare), /\/n-[0-9a-f]{12}$/);
    const nameless = path.join(dir, '☃', '.git');
    mkdirSync(nameless, { recursive: true });
    assert.match(storeFolder('/storage', nameless), /\/repository-[0-9a-f]{12}$/);
    assert.throws(() => storeFolder('/storage', path.join(dir, 'none')));
  });

  it('is found again after the repository was moved, and moved back', async (t) => {
    const { dir, init, open, find, gitOf } = await place(t);
    init('one');
    assert.equal(existsSync(path.join(gitOf('one'), 'treeline')), false);
    const store = open('one');
    assert.equal(statSync(path.join(gitOf('one'), 'treeline/id')).mode & 0o777, 0o600);
    renameSync(path.join(dir, 'one'), path.join(dir, 'two'));
    assert.equal(find('two'), store);
    assert.equal(open('two'), store);
    renameSync(path.join(dir, 'two'), path.join(dir, 'one'));
    assert.equal(open('one'), store);
  });

  it('is another for a copy, whichever of the two is opened first, and stays it', async (t) => {
    const { dir, init, open, find } = await place(t);
    init('one');
    const store = open('one');
    cpSync(path.join(dir, 'one'), path.join(dir, 'copy'), { recursive: true });
    const own = find('copy');
    assert.notEqual(own, store);
    assert.equal(find('copy'), own, 'two windows at once agree');
    assert.equal(open('copy'), own);
    assert.equal(open('one'), store);
    renameSync(path.join(dir, 'copy'), path.join(dir, 'copy-moved'));
    assert.equal(open('copy-moved'), own);
    rmSync(path.join(dir, 'copy-moved'), { recursive: true });
    cpSync(path.join(dir, 'one'), path.join(dir, 'copy'), { recursive: true });
    assert.notEqual(open('copy'), own, 'a later copy at the same place is another one');
  });

  it('goes with the repository, not with the path that it has left', async (t) => {
    const { dir, init, open } = await place(t);
    init('one');
    const store = open('one');
    renameSync(path.join(dir, 'one'), path.join(dir, 'two'));
    assert.equal(open('two'), store);
    init('one');
    const other = open('one');
    assert.notEqual(other, store);
    assert.deepEqual([open('two'), open('one')], [store, other]);
  });

  it('is found by the path again where the repository was made anew', async (t) => {
    const { dir, init, open } = await place(t);
    init('one');
    const store = open('one');
    rmSync(path.join(dir, 'one'), { recursive: true });
    init('one');
    assert.equal(open('one'), store, 'its agents may still run');
  });

  it('stays with its repository where a link leads from the old path to the new one', async (t) => {
    const { dir, init, open } = await place(t);
    init('one');
    const store = open('one');
    renameSync(path.join(dir, 'one'), path.join(dir, 'two'));
    symlinkSync(path.join(dir, 'two'), path.join(dir, 'one'));
    assert.equal(open('two'), store);
    assert.equal(open('one'), store);
  });

  it('is known by the path where the repository cannot be written, or says nonsense', async (t) => {
    const { init, open, find, gitOf } = await place(t);
    init('one');
    writeFileSync(path.join(gitOf('one'), 'treeline'), 'a file in the place of the folder');
    const store = find('one');
    assert.throws(() => open('one'));
    assert.equal(find('one'), store);
    rmSync(path.join(gitOf('one'), 'treeline'));
    mkdirSync(path.join(gitOf('one'), 'treeline'));
    writeFileSync(path.join(gitOf('one'), 'treeline/id'), '../../../etc');
    assert.equal(open('one'), store);
    assert.equal(readFileSync(path.join(gitOf('one'), 'treeline/id'), 'utf8'), `${path.basename(store)}\n`);
  });
});
