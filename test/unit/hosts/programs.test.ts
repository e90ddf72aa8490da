import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { newestCopy, ProgramCopy, programsFolder } from '../../../src/hosts/programs.ts';
import { LOG } from '../sessions/support.ts';
import { tempDir } from '../support.ts';

const FILES = ['keeper.cjs', 'steward.cjs', 'indexer.cjs', 'treeline.cjs', 'sql-wasm.wasm'];
const LATER = Date.now() + 2 * 24 * 3600 * 1000;

interface Installed {
  readonly from: string;
  readonly globalStorage: string;
  copy(build: string): ProgramCopy;
}

async function installed(t: TestContext): Promise<Installed> {
  const folder = await tempDir(t);
  const from = path.join(folder, 'dist');
  const globalStorage = path.join(folder, 'storage');
  mkdirSync(from);
  for (const name of FILES) {
    writeFileSync(path.join(from, name), `console.log('${name}'); setInterval(() => undefined, 1000);`);
  }
  return { from, globalStorage, copy: (build) => new ProgramCopy({ from, globalStorage, build, log: LOG }) };
}

test('a copy outlives the folder that it was made from, and is made once by several at the same time', async (t) => {
  const { from, globalStorage, copy } = await installed(t);
  const copies = Array.from({ length: 5 }, () => copy('0.1.0-a'));
  const all = await Promise.all(copies.map((one) => one.programs()));
  rmSync(from, { recursive: true });
  for (const { keeper } of all) assert.match(readFileSync(keeper, 'utf8'), /keeper\.cjs/);
  assert.deepEqual(readdirSync(programsFolder(globalStorage)), ['0.1.0-a'], 'nothing half made is left');
  // Another window of the same build needs no more than what is there.
  assert.equal((await copy('0.1.0-a').programs()).keeper, all[0]?.keeper);
});

test('a copy that was damaged or removed is made anew', async (t) => {
  const { globalStorage, copy } = await installed(t);
  const one = copy('0.1.0-a');
  const { steward, keeper } = await one.programs();
  writeFileSync(steward, 'torn');
  await copy('0.1.0-a').programs();
  assert.match(readFileSync(steward, 'utf8'), /steward\.cjs/);
  rmSync(path.dirname(keeper), { recursive: true });
  await one.programs();
  assert.ok(existsSync(keeper));
  assert.deepEqual(readdirSync(programsFolder(globalStorage)), ['0.1.0-a']);
});

test('where nothing can be copied, the reason is told, and it is tried again', async (t) => {
  const { from, copy } = await installed(t);
  const file = path.join(from, 'keeper.cjs');
  const content = readFileSync(file);
  rmSync(file);
  const one = copy('0.1.0-a');
  await assert.rejects(one.programs(), { code: 'programs' });
  writeFileSync(file, content);
  assert.ok(existsSync((await one.programs()).keeper));
});

test('old copies go when nothing runs from them', async (t) => {
  const { globalStorage, copy } = await installed(t);
  const used = await copy('0.1.0-used').programs();
  await copy('0.1.0-unused').programs();
  const now = copy('0.1.0-now');
  await now.programs();
  const child = spawn(process.execPath, [used.keeper], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  await now.tidy();
  assert.equal(readdirSync(programsFolder(globalStorage)).length, 3, 'a young one may be about to be used');
  await now.tidy(LATER);
  assert.deepEqual(readdirSync(programsFolder(globalStorage)).sort(), ['0.1.0-now', '0.1.0-used']);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await now.tidy(LATER);
  assert.deepEqual(readdirSync(programsFolder(globalStorage)), ['0.1.0-now']);
});

test('the newest copy is the one that was used last, not the one with the highest number', async (t) => {
  const { globalStorage, copy } = await installed(t);
  assert.equal(await newestCopy(globalStorage), undefined);
  await copy('0.2.0').programs();
  utimesSync(path.join(programsFolder(globalStorage), '0.2.0'), 1000, 1000);
  await copy('0.1.0').programs();
  assert.equal(await newestCopy(globalStorage), path.join(programsFolder(globalStorage), '0.1.0'));
});
