import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { watchFile, watchFolder } from '../../../src/platform/watch.ts';
import { tempDir } from '../support.ts';

const watchers = { watchFile, watchFolder };

/** Counts hints, and waits for the next. */
function listen(t: TestContext, kind: keyof typeof watchers, target: string, pollMs?: number) {
  const timer = setInterval(() => undefined, 1_000);
  let count = 0;
  let tell: () => void = () => undefined;
  const end = watchers[kind](
    target,
    () => {
      count++;
      tell();
    },
    pollMs === undefined ? {} : { pollMs },
  );
  t.after(() => {
    end();
    clearInterval(timer);
  });
  return {
    end,
    count: () => count,
    /** Resolves with the first hint after `action`. */
    after: async (action: () => void): Promise<void> => {
      const told = new Promise<void>((resolve) => (tell = resolve));
      action();
      await told;
    },
  };
}

/** Long enough for the hints of what just happened to have come. */
const settle = (): Promise<void> => delay(80);

describe('a watched file', () => {
  it('gives a hint when it appears, grows, is replaced, and goes', { timeout: 30_000 }, async (t) => {
    const file = path.join(await tempDir(t), 'a.jsonl');
    const hints = listen(t, 'watchFile', file, 60_000);
    const steps = [
      () => writeFileSync(file, 'one'),
      () => appendFileSync(file, 'two'),
      () => {
        writeFileSync(`${file}.new`, 'three');
        renameSync(`${file}.new`, file);
      },
      () => appendFileSync(file, 'four'),
      () => rmSync(file),
    ];
    for (const step of steps) {
      await settle();
      await hints.after(step);
    }
  });

  it('is told of by looking where no event comes: its folder is not even there', async (t) => {
    const folder = path.join(await tempDir(t), 'later');
    const file = path.join(folder, 'a');
    const hints = listen(t, 'watchFile', file, 50);
    await settle();
    await hints.after(() => {
      mkdirSync(folder);
      writeFileSync(file, 'one');
    });
    await settle();
    // The folder is another one now: whoever watched the old one is deaf.
    await hints.after(() => {
      rmSync(folder, { recursive: true });
    });
    await settle();
    await hints.after(() => {
      mkdirSync(folder);
      writeFileSync(file, 'two');
    });
    await settle();
    await hints.after(() => appendFileSync(file, 'three'));
  });

  it('is looked at every now and then by default', { timeout: 30_000 }, async (t) => {
    const folder = path.join(await tempDir(t), 'later');
    const hints = listen(t, 'watchFile', path.join(folder, 'a'));
    await settle();
    await hints.after(() => {
      mkdirSync(folder);
      writeFileSync(path.join(folder, 'a'), 'x');
    });
  });

  it('gives one hint for many changes of one moment, and none for its neighbours or for nothing', async (t) => {
    const dir = await tempDir(t);
    const file = path.join(dir, 'a');
    writeFileSync(file, '');
    const hints = listen(t, 'watchFile', file, 20);
    await settle();
    const before = hints.count();
    writeFileSync(path.join(dir, 'b'), 'x');
    await settle();
    assert.equal(hints.count(), before);
    for (let i = 0; i < 100; i++) appendFileSync(file, 'x');
    await settle();
    const told = hints.count() - before;
    assert.ok(told >= 1 && told <= 3, `${told} hints for 100 changes`);
  });

  it('gives a hint also when only its time changed', async (t) => {
    const file = path.join(await tempDir(t), 'a');
    writeFileSync(file, 'x');
    const hints = listen(t, 'watchFile', file, 20);
    await settle();
    await hints.after(() => utimesSync(file, 1, 1));
  });

  it('tells all who listen, and nobody who has ended', async (t) => {
    const file = path.join(await tempDir(t), 'a');
    const [one, two] = [listen(t, 'watchFile', file, 20), listen(t, 'watchFile', file, 20)];
    await settle();
    const both = Promise.all([one.after(() => undefined), two.after(() => undefined)]);
    writeFileSync(file, 'x');
    await both;
    one.end();
    one.end();
    await settle();
    const before = one.count();
    await two.after(() => appendFileSync(file, 'y'));
    await settle();
    assert.equal(one.count(), before);
  });
});

describe('a watched folder', () => {
  it('gives a hint when a name comes or goes', async (t) => {
    const dir = await tempDir(t);
    const hints = listen(t, 'watchFolder', dir, 60_000);
    await settle();
    await hints.after(() => mkdirSync(path.join(dir, 'a')));
    await settle();
    await hints.after(() => rmSync(path.join(dir, 'a'), { recursive: true }));
  });

  it('is told of by looking as well', async (t) => {
    const dir = path.join(await tempDir(t), 'later');
    const hints = listen(t, 'watchFolder', dir, 50);
    await settle();
    await hints.after(() => mkdirSync(dir));
    await settle();
    await hints.after(() => mkdirSync(path.join(dir, 'a')));
  });
});

it('watching does not keep a process alive', async () => {
  const module = JSON.stringify(new URL('../../../src/platform/watch.ts', import.meta.url).href);
  const code = `import(${module}).then(({ watchFile }) => watchFile(process.execPath, () => undefined))`;
  const child = spawn(process.execPath, ['--eval', code], { stdio: 'inherit', timeout: 10_000 });
  const [exitCode] = (await once(child, 'exit')) as [number | null];
  assert.equal(exitCode, 0);
});
