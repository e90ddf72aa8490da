import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { Detector, findProgram } from '../../../src/agents/detect.ts';
import { expandPlaces } from '../../../src/agents/places.ts';
import { tempDir } from '../support.ts';

const install = 'Install it with: make me.';

/** A folder with a program of that name, which is this node running `code`. */
async function program(t: TestContext, name: string, code: string): Promise<{ bin: string; file: string }> {
  const bin = await tempDir(t);
  const file = path.join(bin, name);
  await writeFile(file, `#!${process.execPath}\n${code}\n`);
  await chmod(file, 0o755);
  return { bin, file };
}

suite('looking for a program', () => {
  test('the first folder of the PATH that has it, if it can be run and is a file', async (t) => {
    const [one, two, three] = [await tempDir(t), await tempDir(t), await program(t, 'agent', '')];
    await mkdir(path.join(one, 'agent'));
    await writeFile(path.join(two, 'agent'), 'not executable', { mode: 0o644 });
    const env = { PATH: [one, two, three.bin].join(':') };
    assert.equal(await findProgram('agent', env, 'linux'), three.file);
    assert.equal(await findProgram('other', env, 'linux'), undefined);
    assert.equal(await findProgram('agent', {}, 'linux'), undefined);
  });

  test('a path is taken as it is; folders that are not absolute are passed over', async (t) => {
    const { bin, file } = await program(t, 'agent', '');
    assert.equal(await findProgram(file, { PATH: '' }, 'linux'), file);
    assert.equal(await findProgram('agent', { PATH: `:.:${path.relative(process.cwd(), bin)}` }, 'linux'), undefined);
  });

  test('Windows: endings of PATHEXT, what starts without a shell first, any case of PATH', async (t) => {
    const bin = await tempDir(t);
    await writeFile(path.join(bin, 'agent.cmd'), '');
    const env = { Path: bin, PATHEXT: '.CMD;.EXE' };
    assert.equal(await findProgram('agent', env, 'win32'), path.join(bin, 'agent.cmd'));
    await writeFile(path.join(bin, 'agent.exe'), '');
    assert.equal(await findProgram('agent', env, 'win32'), path.join(bin, 'agent.exe'));
    assert.equal(await findProgram('agent.cmd', env, 'win32'), path.join(bin, 'agent.cmd'));
  });
});

suite('beyond the PATH', () => {
  const places = ['~/.local/bin', '~/.nvm/versions/node/*/bin', '$PNPM_HOME', 'relative'];
  /** A home folder with a program `agent` in each of these folders. */
  const home = async (t: TestContext, ...folders: string[]): Promise<string> => {
    const folder = await tempDir(t);
    for (const one of folders) {
      await mkdir(path.join(folder, one), { recursive: true });
      // As npm installs it: its node is found on the PATH.
      await writeFile(path.join(folder, one, 'agent'), '#!/usr/bin/env node\nconsole.log("1.2.3")', { mode: 0o755 });
    }
    return folder;
  };

  test('the places in their order, the highest version of a version manager first', async (t) => {
    const HOME = await home(t, '.nvm/versions/node/v9.1.0/bin', '.nvm/versions/node/v22.0.0/bin', 'pnpm');
    const detector = new Detector(() => ({ PATH: '/nowhere', HOME, PNPM_HOME: path.join(HOME, 'pnpm') }));
    const found = await detector.detect({ argv: ['agent'], install, places });
    assert.equal(found.path, path.join(HOME, '.nvm/versions/node/v22.0.0/bin/agent'));
    const pnpm = await detector.detect({ argv: ['agent'], install, places: places.slice(2) });
    assert.equal(pnpm.path, path.join(HOME, 'pnpm/agent'));
    assert.deepEqual(await expandPlaces(places, {}), []);
  });

  test('what is on the PATH comes first; a path is looked for nowhere else', async (t) => {
    const HOME = await home(t, '.local/bin');
    const { bin, file } = await program(t, 'agent', '');
    const detector = new Detector(() => ({ PATH: bin, HOME }));
    assert.equal((await detector.detect({ argv: ['agent'], install, places })).path, file);
    const missing = await detector.detect({ argv: ['/opt/agent'], install, places });
    assert.equal(missing.hint, `/opt/agent was not found on the PATH. ${install}`);
    const other = await detector.detect({ argv: ['other'], install, places });
    assert.equal(other.hint, `other was not found on the PATH or in the usual folders. ${install}`);
  });

  test('it runs with the node beside it, when it is asked and when it is started', async (t) => {
    const HOME = await home(t, '.local/bin');
    const bin = path.join(HOME, '.local/bin');
    await symlink(process.execPath, path.join(bin, 'node'));
    const detector = new Detector(() => ({ PATH: '/nowhere', HOME }));
    const found = await detector.detect({ argv: ['agent', '--version'], install, places });
    assert.deepEqual(found, { found: true, path: path.join(bin, 'agent'), version: '1.2.3', hint: '' });
    const launch = { argv: ['agent', 'x'], stdin: 'closed', env: { A: 'b' } } as const;
    assert.deepEqual(await detector.locate(launch, { places }), {
      argv: [path.join(bin, 'agent'), 'x'],
      stdin: 'closed',
      env: { A: 'b', PATH: `/nowhere:${bin}` },
    });
  });

  test('what is not found, and what is a path, is started as it is', async () => {
    const detector = new Detector(() => ({ PATH: '/nowhere' }));
    for (const argv of [['no-such-agent'], [process.execPath, '-v']]) {
      assert.deepEqual(await detector.locate({ argv, stdin: 'closed' }, { places }), { argv, stdin: 'closed' });
    }
  });
});

suite('Windows: the batch files that npm makes of programs', () => {
  test('one on the PATH is found and handed on, with its arguments', async (t) => {
    const bin = await tempDir(t);
    await writeFile(path.join(bin, 'agent.cmd'), '');
    const detector = new Detector(() => ({ Path: bin, PATHEXT: '.COM;.EXE;.BAT;.CMD' }));
    const launch = { argv: ['agent', '-p', 'a&b'], stdin: 'prompt' } as const;
    assert.deepEqual(await detector.locate(launch, { places: [] }, 'win32'), {
      argv: [path.join(bin, 'agent.cmd'), '-p', 'a&b'],
      stdin: 'prompt',
    });
  });

  test('a prompt never stands in the arguments of one: cmd.exe would read it', async (t) => {
    const bin = await tempDir(t);
    await writeFile(path.join(bin, 'agent.cmd'), '');
    const detector = new Detector(() => ({ Path: bin, PATHEXT: '.CMD' }));
    const launch = { argv: ['agent', 'the prompt'], stdin: 'closed', promptInArgv: true } as const;
    await assert.rejects(detector.locate(launch, { places: [] }, 'win32'), {
      code: 'prompt-in-batch-file',
      message: /Use \$\{promptFile\}/,
    });
  });
});

suite('asking a program', () => {
  const detect = (bin: string, argv: string[], timeout?: number): ReturnType<Detector['detect']> =>
    new Detector(() => ({ PATH: bin }), timeout === undefined ? {} : { timeout }).detect({ argv, install, places: [] });

  test('found, with its version', async (t) => {
    const { bin, file } = await program(t, 'agent', `console.log('2.1.329 (' + process.argv[2] + ')')`);
    assert.deepEqual(await detect(bin, ['agent', '--version']), {
      found: true,
      path: file,
      version: '2.1.329',
      hint: '',
    });
  });

  test('only looked for, not run, when there is nothing to ask', async (t) => {
    const { bin, file } = await program(t, 'agent', `require('fs').writeFileSync(__dirname + '/ran', '')`);
    assert.deepEqual(await detect(bin, ['agent']), { found: true, path: file, hint: '' });
    await assert.rejects(readFile(path.join(bin, 'ran')), { code: 'ENOENT' });
    assert.deepEqual(await detect(bin, []), { found: true, hint: '' });
  });

  test('missing: how to install it', async (t) => {
    const result = await detect(await tempDir(t), ['agent', '--version']);
    assert.deepEqual(result, { found: false, hint: `agent was not found on the PATH. ${install}` });
  });

  test('a program that fails cannot be used, and its words are the reason', async (t) => {
    const { bin } = await program(t, 'agent', `console.error('native package is missing'); process.exit(1)`);
    const result = await detect(bin, ['agent', '--version']);
    assert.equal(result.found, false);
    assert.match(result.hint, /failed: native package is missing Install it/);
  });

  test('a program that is no program', async (t) => {
    const bin = await tempDir(t);
    await writeFile(path.join(bin, 'agent'), '#!/does/not/exist\n', { mode: 0o755 });
    const result = await detect(bin, ['agent', '--version']);
    assert.equal(result.found, false);
    assert.match(result.hint, /ENOENT/);
  });

  test('a program that does not answer is found, and the hint says so', async (t) => {
    const { bin } = await program(t, 'agent', 'setInterval(() => {}, 1000)');
    const result = await detect(bin, ['agent', '--version'], 300);
    assert.equal(result.found, true);
    assert.equal(result.version, undefined);
    assert.match(result.hint, /did not respond within 0\.3 s/);
  });

  test('it sees the given environment alone', async (t) => {
    const { bin } = await program(t, 'agent', 'console.log(Object.keys(process.env).length + ".0")');
    assert.equal((await detect(bin, ['agent', '--version'])).version, '1.0');
  });
});

test('an answer is kept as long as the caller wants; at most two are asked at once', async (t) => {
  // Each run notes its begin and end; while it runs, at most one other may.
  const note = `const f = require('fs'); const log = __dirname + '/log'; f.appendFileSync(log, '+');
    setTimeout(() => { f.appendFileSync(log, '-'); console.log('1.0.0'); }, 100)`;
  const { bin } = await program(t, 'agent', note);
  const detector = new Detector(() => ({ PATH: bin }));
  const ask = (n: number, maxAge?: number): ReturnType<Detector['detect']> =>
    detector.detect({ argv: ['agent', String(n)], install, places: [] }, maxAge === undefined ? {} : { maxAge });

  await Promise.all([ask(1), ask(2), ask(3), ask(4), ask(1)]);
  const log = await readFile(path.join(bin, 'log'), 'utf8');
  assert.equal(log.length, 8);
  let running = 0;
  for (const sign of log) {
    running += sign === '+' ? 1 : -1;
    assert.ok(running <= 2);
  }
  await ask(1);
  assert.equal((await readFile(path.join(bin, 'log'), 'utf8')).length, 8);
  await ask(1, 0);
  assert.equal((await readFile(path.join(bin, 'log'), 'utf8')).length, 10);
});
