/** Damaged, cut, foreign and missing files: opening never fails, what is damaged is named, and all the rest is complete. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { isDeepStrictEqual } from 'node:util';

import { factId } from '../../src/platform/ids.ts';
import { catalogueFile, damagedFile, journalFile, timelineFile, runFolder } from '../../src/platform/paths.ts';
import { selfId } from '../../src/platform/process-id.ts';
import { Journal } from '../../src/store/journal.ts';
import type { Session } from '../../src/store/model.ts';
import type { Row } from '../../src/protocol/rows.ts';
import { judged, reached } from '../unit/sessions/support.ts';
import { tempDir, until } from '../unit/support.ts';
import {
  assertConsistent,
  faultWorld,
  rows,
  scriptAgents,
  seeded,
  session,
  storeOf,
  told,
  trials,
  type FaultWindow,
  type FaultWorld,
} from './support.ts';
import { keepers, marked } from './truth.ts';
import type { Random } from './random.ts';

/** So much stands in the journal that the catalogue is used: see REPLAY_BYTES of the store. */
const RENAMES = 2_000;

interface Original {
  readonly world: FaultWorld;
  readonly sessions: readonly Session[];
  readonly rows: ReadonlyMap<string, readonly Row[]>;
}

/** What a page shows of a row: all of it but the revision, which counts what was done to the index. */
const shown = (all: readonly Row[]): readonly Omit<Row, 'rev'>[] => all.map(({ rev: _, ...row }) => row);

/** What is shown of sessions: all of it but how many facts it rests on, and of how many in a queue, of which a damaged journal holds fewer. */
const known = (all: readonly Session[]): readonly object[] =>
  all.map(({ facts: _, turns, ...one }) => ({ ...one, turns: turns.map(({ place: _place, ...turn }) => turn) }));

async function all(window: FaultWindow): Promise<Map<string, readonly Row[]>> {
  const found = new Map<string, readonly Row[]>();
  for (const { id } of window.sessions.list()) found.set(id, await rows(window, id));
  return found;
}

/** Three sessions whose turns are over, of which one has two turns, in a store with its databases written. */
async function original(t: TestContext): Promise<Original> {
  const world = await faultWorld(t);
  const first = await world.open();
  for (const prompt of ['burst 200\nprint one', 'err trouble\nexit 3', 'print two']) {
    const { id } = await first.sessions.spawn({ agent: 'scripted', prompt });
    await reached(first.sessions, id, judged);
  }
  const [last] = first.sessions.list() as [Session];
  await first.sessions.resume(last.id, { prompt: 'print three' });
  await reached(first.sessions, last.id, (one) => one.turns.length === 2 && judged(one));
  const writer = { role: 'window', process: await selfId() };
  const journal = new Journal(journalFile(storeOf(world.storage)), writer);
  for (let n = 0; n < RENAMES; n += 500) {
    journal.append(
      ...Array.from({ length: 500 }, (_, i) => ({
        type: 'session.renamed' as const,
        session: last.id,
        name: `renamed ${n + i}`,
      })),
    );
  }
  journal.dispose();
  await until(() => first.sessions.get(last.id)?.name === `renamed ${RENAMES - 1}`, { what: 'all is read' });
  await first.treeline.dispose();

  const window = await world.open();
  const told = await all(window);
  const sessions = window.sessions.list();
  // Something to do for the catalogue, so that it is there.
  await window.sessions.rename(last.id, 'almost the last name');
  await window.treeline.dispose();
  // The journal ends with a fact about a session, and not with the window's leave.
  const end = new Journal(journalFile(storeOf(world.storage)), writer);
  end.append({ type: 'session.renamed', session: last.id, name: 'the last name' });
  end.dispose();
  return {
    world,
    sessions: sessions.map((one) => (one.id === last.id ? { ...one, name: 'the last name' } : one)),
    rows: told,
  };
}

/** A window on a copy of the store, damaged. */
async function damagedCopy(
  t: TestContext,
  { world }: Original,
  damage: (store: string) => void,
): Promise<{ window: FaultWindow; store: string; open: FaultWorld['open'] }> {
  const storage = await tempDir(t);
  cpSync(world.storage, storage, { recursive: true, preserveTimestamps: true });
  const store = storeOf(storage);
  damage(store);
  const { open } = await faultWorld(t, { repo: world.repo, storage });
  return { window: await open(), store, open };
}

/** Overwrites some bytes of one line. */
function scribble(file: string, line: number, bytes: Buffer): void {
  const lines = readFileSync(file, 'utf8').split('\n');
  const text = lines[line];
  assert.ok(text !== undefined && text !== '');
  const whole = Buffer.from(text);
  bytes.copy(whole, Math.floor(whole.length / 3));
  const before = Buffer.from(lines.slice(0, line).join('\n') + '\n');
  const after = Buffer.from('\n' + lines.slice(line + 1).join('\n'));
  writeFileSync(file, Buffer.concat([before, whole, after]));
}

/** How many of the journal's lines say something about this. */
const lineOf = (store: string, words: string): number =>
  readFileSync(journalFile(store), 'utf8')
    .split('\n')
    .findIndex((line) => line.includes(words));

const GARBAGE = (random: Random): Buffer => Buffer.from(Array.from({ length: 4096 }, () => random.between(0, 255)));

suite('damaged files', { timeout: 300_000 }, () => {
  test('the journal', async (t) => {
    const random = seeded(t);
    const base = await original(t);
    const [last] = base.sessions as readonly [Session];

    for (let trial = 0; trial < trials(8); trial++) {
      const text = readFileSync(journalFile(storeOf(base.world.storage)));
      const lastLine = text.length - 1 - text.lastIndexOf(10, text.length - 2);
      const cut = random.between(1, lastLine);
      const { window, store, open } = await damagedCopy(t, base, (folder) => {
        truncateSync(journalFile(folder), text.length - cut);
      });
      // The fact that lost its end is the rename; without its newline alone it is whole.
      const name = cut === 1 ? 'the last name' : 'almost the last name';
      assert.deepEqual(
        known(window.sessions.list()),
        known(base.sessions.map((one) => (one.id === last.id ? { ...one, name } : one))),
        `cut by ${cut} bytes`,
      );
      // What is written next is whole, for this window and for the next.
      await window.sessions.rename(last.id, 'after the cut');
      assert.equal(session(window, last.id).name, 'after the cut');
      await window.treeline.dispose();
      assert.match(readFileSync(journalFile(store), 'utf8'), /after the cut"}\n/);
      const again = await open();
      assert.equal(session(again, last.id).name, 'after the cut');
      await again.treeline.dispose();
    }

    const worse: Record<string, (file: string) => void> = {
      'a line overwritten': (file) => scribble(file, 9 + RENAMES / 2, Buffer.from('#'.repeat(40))),
      'a line with bytes that are no text': (file) => scribble(file, 9 + RENAMES / 2, Buffer.alloc(40, 0xff)),
      NULs: (file) => scribble(file, 9 + RENAMES / 2, Buffer.alloc(60)),
      'two lines glued': (file) => {
        const text = readFileSync(file, 'utf8');
        const at = text.indexOf('\n', text.length / 2);
        writeFileSync(file, `${text.slice(0, at)}{"torn${text.slice(at + 1)}`);
      },
      'a block of garbage between lines': (file) => {
        const text = readFileSync(file);
        const at = text.indexOf(10, text.length / 2) + 1;
        writeFileSync(
          file,
          Buffer.concat([text.subarray(0, at), GARBAGE(random), Buffer.from('\n'), text.subarray(at)]),
        );
      },
    };
    for (const [name, damage] of Object.entries(worse)) {
      for (const catalogue of [true, false]) {
        const { window, store } = await damagedCopy(t, base, (folder) => {
          damage(journalFile(folder));
          if (!catalogue) rmSync(catalogueFile(folder));
        });
        assert.deepEqual(known(window.sessions.list()), known(base.sessions), name);
        // The catalogue may hold all that stands before the damage; then nobody has to read it again.
        if (!catalogue) {
          assert.match(window.log.join('\n'), /warn: \d+ damaged piece\(s\) in the journal, copied to .*/, name);
          assert.ok(statSync(damagedFile(store)).size > 0, 'the damaged pieces are kept');
        }
        await window.treeline.dispose();
      }
    }
  });

  test('the journal, where it tells of a turn: that session may show less, the others are complete', async (t) => {
    const base = await original(t);
    const [, failed] = base.sessions as readonly [Session, Session];
    for (const type of ['session.created', 'turn.requested', 'turn.claimed', 'agent.started', 'run.exited']) {
      const { window } = await damagedCopy(t, base, (folder) => {
        const file = journalFile(folder);
        const line = readFileSync(file, 'utf8')
          .split('\n')
          .findIndex((text) => text.includes(`"type":"${type}"`) && text.includes(failed.id));
        // No JSON, be it in a string or not.
        scribble(file, line, Buffer.from('"#"#'));
        rmSync(catalogueFile(folder), { force: true });
      });
      assert.deepEqual(
        known(window.sessions.list().filter(({ id }) => id !== failed.id)),
        known(base.sessions.filter(({ id }) => id !== failed.id)),
        type,
      );
      assert.match(window.log.join('\n'), /warn: 1 damaged piece\(s\) in the journal/);
      if (type !== 'session.created') {
        // Whatever is lost: it does not stay shown as working, and can be gone on with.
        const over = ({ status }: Session): boolean => /^(failed|lost|stopped|idle)$/.test(status);
        await until(() => over(session(window, failed.id)), { what: `an end without ${type}` });
      }
      await window.treeline.dispose();
    }
  });

  test('a newer version: its facts are kept and passed over', async (t) => {
    const base = await original(t);
    const { window, store } = await damagedCopy(t, base, (folder) => {
      const file = journalFile(folder);
      const lines = readFileSync(file, 'utf8').split('\n');
      const [line = ''] = lines;
      const newer = { ...(JSON.parse(line) as object), v: 99, type: 'session.dreamt', id: factId() };
      lines.splice(3, 0, JSON.stringify(newer));
      writeFileSync(file, lines.join('\n'));
    });
    assert.deepEqual(known(window.sessions.list()), known(base.sessions));
    assert.ok(lineOf(store, 'session.dreamt') >= 0, 'it is still there');
    assert.equal(existsSync(damagedFile(store)), false, 'and counts as no damage');
  });

  test('the databases', async (t) => {
    const random = seeded(t);
    const base = await original(t);
    const [last] = base.sessions as readonly [Session];
    const files = {
      catalogue: catalogueFile,
      timeline: (store: string): string => timelineFile(store, last.id),
    };
    const damages: Record<string, (file: string) => void> = {
      gone: (file) => rmSync(file, { force: true }),
      empty: (file) => writeFileSync(file, ''),
      garbage: (file) => writeFileSync(file, GARBAGE(random)),
      'cut in the middle': (file) =>
        existsSync(file) && truncateSync(file, random.between(1, Math.max(1, statSync(file).size - 1))),
      'a database of something else': (file) => writeFileSync(file, readFileSync(base.world.storage + '/other.db')),
      'one bit flipped': (file) => {
        if (!existsSync(file)) return;
        const bytes = readFileSync(file);
        const at = random.between(0, bytes.length - 1);
        bytes[at] = (bytes[at] ?? 0) ^ 0x10;
        writeFileSync(file, bytes);
      },
    };
    // An SQLite database, valid, with tables of the same names and none of the columns.
    const { default: init } = await import('sql.js');
    const sql = await init();
    const db = new sql.Database();
    db.run('CREATE TABLE meta (key TEXT, value TEXT); CREATE TABLE sessions (a); CREATE TABLE rows (a);');
    writeFileSync(base.world.storage + '/other.db', db.export());
    db.close();
    for (const [name, damage] of Object.entries(damages)) {
      const { window } = await damagedCopy(t, base, (store) => {
        for (const file of Object.values(files)) damage(file(store));
      });
      assert.deepEqual(known(window.sessions.list()), known(base.sessions), name);
      for (const [id, before] of base.rows) assert.deepEqual(shown(await rows(window, id)), shown(before), name);
      assert.deepEqual(
        window.log.filter((line) => line.startsWith('error')),
        [],
        'a disposable file is nobody’s error',
      );
      await window.treeline.dispose();
    }
  });

  test('files of turns', async (t) => {
    const base = await original(t);
    const [last, failed] = base.sessions as readonly [Session, Session];
    const damages: Record<string, (folder: string) => void> = {
      'the folder missing': (folder) => rmSync(folder, { recursive: true }),
      'the folder is a file': (folder) => {
        rmSync(folder, { recursive: true });
        writeFileSync(folder, 'no folder');
      },
      'the folder is empty': (folder) => {
        rmSync(folder, { recursive: true });
        cpSync(base.world.repo + '/src', folder, { recursive: true });
      },
      'no spec.json': (folder) => rmSync(path.join(folder, 'spec.json')),
      'no prompts': (folder) => rmSync(path.join(folder, '../../texts'), { recursive: true }),
      'half an exit.json': (folder) => truncateSync(path.join(folder, 'exit.json'), 30),
      'no exit.json': (folder) => rmSync(path.join(folder, 'exit.json')),
      'no stdout.log': (folder) => rmSync(path.join(folder, 'stdout.log')),
      'stdout.log is a folder': (folder) => {
        rmSync(path.join(folder, 'stdout.log'));
        cpSync(base.world.repo + '/src', path.join(folder, 'stdout.log'), { recursive: true });
      },
      'no times.log': (folder) => rmSync(path.join(folder, 'times.log')),
      'NULs in times.log': (folder) => writeFileSync(path.join(folder, 'times.log'), Buffer.alloc(500)),
      'times.log runs ahead': (folder) =>
        writeFileSync(path.join(folder, 'times.log'), 'o 1700000000000 999999999\no -5 -7\ne NaN 3\n'),
      'garbage in keeper.log': (folder) => writeFileSync(path.join(folder, 'keeper.log'), Buffer.alloc(300, 0xfe)),
    };
    for (const [name, damage] of Object.entries(damages)) {
      const { window } = await damagedCopy(t, base, (store) => {
        for (const { id } of [last, failed]) {
          damage(runFolder(store, id, 1));
          rmSync(timelineFile(store, id), { force: true });
        }
      });
      assert.deepEqual(known(window.sessions.list()), known(base.sessions), name);
      for (const [id, before] of base.rows) {
        const now = await rows(window, id);
        if (id !== last.id && id !== failed.id) {
          assert.deepEqual(shown(now), shown(before), 'another session is as it was');
          continue;
        }
        const end = (all: readonly Row[]): unknown =>
          shown(all.filter(({ kind }) => kind === 'turn-end')).map(({ text, end }) => [text, end?.outcome]);
        if (!/no stdout|is gone|a file|is empty|a folder/.test(name)) {
          assert.ok(isDeepStrictEqual(end(now), end(before)), `${name}: the ends are told as before`);
        }
        assert.ok(now.length >= 2, `${name}: there is a timeline`);
      }
      // The session with the damaged turn can be gone on with.
      await window.sessions.resume(last.id, { prompt: 'print on' });
      const ended = await reached(window.sessions, last.id, (one) => one.turns.length === 3 && judged(one));
      assert.equal(ended.status, 'idle');
      assert.match(await told(window, last.id), /output: on/);
      await window.treeline.dispose();
    }
  });

  test('files of a turn that runs: it is shown as it is, and can be stopped', async (t) => {
    const world = await faultWorld(t);
    world.settings.customAgents = scriptAgents({ wait: `console.log('ready'); setInterval(() => {}, 1000)` });
    const damages: Record<string, (folder: string) => void> = {
      'no spec.json': (folder) => rmSync(path.join(folder, 'spec.json')),
      'half a spec.json': (folder) => truncateSync(path.join(folder, 'spec.json'), 40),
      'half an exit.json of a keeper that was killed': (folder) => {
        writeFileSync(path.join(folder, 'exit.json'), '{"startedAt": 17000');
        const keeper = keepers(world.storage).find(({ session }) => folder.includes(session));
        process.kill(keeper!.pid, 'SIGKILL');
      },
      'its folder missing and its keeper killed': (folder) => {
        const keeper = keepers(world.storage).find(({ session }) => folder.includes(session));
        process.kill(keeper!.pid, 'SIGKILL');
        renameSync(folder, `${folder}-away`);
      },
    };
    for (const [name, damage] of Object.entries(damages)) {
      const first = await world.openProcess();
      const { id } = await first.spawn({ agent: 'wait', prompt: 'Go.' });
      await first.kill();
      damage(runFolder(storeOf(world.storage), id, 1));
      const window = await world.open();
      const stopped = window.sessions.stop(id).then(() => true);
      const late = AbortSignal.timeout(20_000);
      assert.ok(
        await Promise.race([stopped, new Promise((resolve) => late.addEventListener('abort', () => resolve(false)))]),
        `${name}: the stop comes to its end`,
      );
      assert.deepEqual(marked([id]), [], name);
      assert.match(session(window, id).status, /^(stopped|lost)$/, name);
      assert.match(await told(window, id), /turn-end: /);
      await assertConsistent(world.repo, window.sessions);
      await window.treeline.dispose();
    }
  });
});
