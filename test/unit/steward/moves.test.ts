import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { errorText } from '../../../src/platform/errors.ts';
import type { RepositorySessions } from '../../../src/sessions/service-types.ts';
import type { Session } from '../../../src/store/model.ts';
import { Random } from '../../faults/random.ts';
import { treePrint } from '../git/tree-print.ts';
import { mountAt, noMounts } from '../mounts.ts';
import { git, until } from '../support.ts';
import { WindowProcess } from '../sessions/window-process.ts';
import { BOUND, judged, reached, world, type World } from '../sessions/support.ts';

/** For those that open a window for every step. */
const LONG = { timeout: 280_000 };

/** How long what a dead window left may take on a busy machine: ms. */
const PATIENCE = 30_000;

const TRIALS = Number(process.env['TREELINE_TRIALS'] ?? 10);

/** An ended session whose worktree holds work that git does not. */
async function ended(sessions: RepositorySessions): Promise<Session> {
  const { id } = await sessions.spawn({ agent: 'scripted', prompt: 'write new.txt untracked\nwrite README.md more' });
  const session = await reached(sessions, id, judged);
  await writeFile(path.join(session.worktree, '.gitignore'), '.env\n');
  await writeFile(path.join(session.worktree, '.env'), 'SECRET=1\n', { mode: 0o600 });
  await git(session.worktree, 'add', '.gitignore');
  return session;
}

interface Opened extends World {
  readonly sessions: RepositorySessions;
  readonly session: Session;
}

async function opened(t: TestContext): Promise<Opened> {
  const made = await world(t);
  const { sessions } = await made.open();
  return { ...made, sessions, session: await ended(sessions) };
}

/** Does something in a window in this process, which leads as long as it is open. */
async function inWindow<T>(made: World, work: (sessions: RepositorySessions) => Promise<T>): Promise<T> {
  const { treeline, sessions } = await made.open();
  try {
    await Promise.all(sessions.list().map(({ id }) => reached(sessions, id, isSettled)));
    return await work(sessions);
  } finally {
    await treeline.dispose();
  }
}

/** An ended session, and no window. */
async function left(t: TestContext): Promise<World & { readonly store: string; readonly session: Session }> {
  const made = await world(t);
  return inWindow(made, async (sessions) => ({ ...made, store: sessions.store, session: await ended(sessions) }));
}

/** Whether no move is wanted or under way. */
function isSettled({ move, wish }: Session): boolean {
  return move === undefined && wish === undefined;
}

function lastFact(store: string): unknown {
  const [line = ''] = readFileSync(path.join(store, 'journal.jsonl'), 'utf8').trimEnd().split('\n').slice(-1);
  return (JSON.parse(line) as { type?: unknown }).type;
}

/** The worktree, and what git has of it: the same before and after, or something was lost. */
async function whole(repo: string, { worktree }: Session): Promise<unknown> {
  const listed = (await git(repo, 'worktree', 'list', '--porcelain')).split('\n\n');
  return { files: await treePrint(worktree), listed: listed.find((group) => group.includes(`worktree ${worktree}\n`)) };
}

/** A window that kills itself before a step of what it is asked, and that leads: no other is open. */
async function dyingAt(t: TestContext, made: World, step: number): Promise<WindowProcess> {
  const dieAt = new URL(`../sessions/die-at.mjs?step=${step}`, import.meta.url);
  const window = await WindowProcess.open(made, { execArgv: ['--import', dieAt.href] });
  t.after(() => window.kill());
  return window;
}

suite('archive', () => {
  test('takes the worktree away, keeps session and branch, and undo brings all of it back', BOUND, async (t) => {
    const { repo, sessions, session } = await opened(t);
    const before = await whole(repo, session);
    const archived = await sessions.archive(session.id);
    assert.equal(archived.status, 'archived');
    assert.equal(existsSync(session.worktree), false);
    assert.ok(existsSync(path.join(archived.archive!.files, '.env')));
    assert.ok(archived.archive!.files.startsWith(path.join(sessions.store, 'trash')));
    assert.equal(await git(repo, 'branch', '--list', session.branch, '--format=%(refname:short)'), session.branch);
    assert.equal((await sessions.archive(session.id)).archive?.files, archived.archive!.files, 'again is no other');
    await assert.rejects(sessions.resume(session.id, { prompt: 'more' }), { code: 'archived' });

    const { session: back, note } = await sessions.unarchive(session.id);
    assert.equal(note, undefined);
    assert.equal(back.status, session.status);
    assert.equal(back.archive, undefined);
    assert.deepEqual(await whole(repo, session), before);
    await sessions.resume(session.id, { prompt: 'print on' });
    assert.equal((await reached(sessions, session.id, (now) => now.turns.length === 2 && judged(now))).status, 'idle');
  });

  test('refuses while a turn is open, and while a process works in the worktree, and says which', BOUND, async (t) => {
    const { sessions } = await (await world(t)).open();
    const { id, worktree } = await sessions.spawn({ agent: 'scripted', prompt: 'print ready\nwait' });
    await assert.rejects(sessions.archive(id), { code: 'turn-runs' });
    await sessions.stop(id);
    await reached(sessions, id, judged);
    await mkdir(path.join(worktree, 'deep'));
    const shell = spawn('sleep', ['60'], { cwd: path.join(worktree, 'deep') });
    t.after(() => shell.kill('SIGKILL'));
    await once(shell, 'spawn');
    await until(
      () =>
        sessions.archive(id).then(
          () => false,
          (error: unknown) => errorText(error).includes(`sleep 60 (${shell.pid})`),
        ),
      {
        what: 'a refusal that names the process',
      },
    );
    assert.ok(existsSync(worktree));
    shell.kill('SIGKILL');
    await once(shell, 'exit');
    assert.equal((await sessions.archive(id)).status, 'archived');
  });

  test('what is wanted of a worktree that is just being moved is done after that', BOUND, async (t) => {
    const { repo, sessions, session } = await opened(t);
    const before = await whole(repo, session);
    for (let round = 0; round < 5; round++) {
      const archived = sessions.archive(session.id);
      await reached(sessions, session.id, (now) => now.move !== undefined || now.archive !== undefined);
      const { session: back } = await sessions.unarchive(session.id);
      await archived;
      assert.equal(back.archive, undefined);
    }
    assert.deepEqual(await whole(repo, session), before);
  });

  test('from two windows at once happens once; archive and undo at once end in one of the two', BOUND, async (t) => {
    const { repo, sessions, session, openProcess } = await opened(t);
    const before = await whole(repo, session);
    const other = await openProcess();
    const outcomes = await Promise.allSettled([sessions.archive(session.id), other.archive(session.id)]);
    assert.ok(outcomes.some(({ status }) => status === 'fulfilled'));
    assert.equal(existsSync(session.worktree), false);
    await Promise.allSettled([sessions.unarchive(session.id), other.unarchive(session.id)]);
    await reached(sessions, session.id, (now) => now.archive === undefined && isSettled(now));
    assert.deepEqual(await whole(repo, session), before);
    for (let round = 0; round < 5; round++) {
      await Promise.allSettled([sessions.archive(session.id), other.unarchive(session.id)]);
      const now = await reached(sessions, session.id, isSettled);
      assert.equal(existsSync(session.worktree), now.archive === undefined);
    }
    await sessions.unarchive(session.id);
    assert.deepEqual(await whole(repo, session), before);
  });

  test(`kill -9 of the window at ${TRIALS} random instants of archives and undos loses nothing`, LONG, async (t) => {
    const random = new Random();
    t.diagnostic(`seed ${random.seed}`);
    const made = await left(t);
    const { repo, store, session, openProcess } = made;
    const before = await whole(repo, session);
    let cut = 0;
    for (let trial = 0; trial < TRIALS; trial++) {
      const window = await openProcess();
      const [known] = await window.list();
      const archived = known?.archive !== undefined;
      const { size } = statSync(path.join(store, 'journal.jsonl'));
      const asked = archived ? window.unarchive(session.id) : window.archive(session.id);
      asked.catch(() => undefined);
      await until(() => statSync(path.join(store, 'journal.jsonl')).size > size, { what: 'the wish is written' });
      await sleep(random.between(0, 40)); // The instant is the point of the test.
      await window.kill();
      if (lastFact(store) === 'session.moving') cut++;
      // The next window to open finishes it, without being asked.
      const next = await openProcess();
      const settled = await until(
        async () => (await next.list()).find((one) => one.id === session.id && isSettled(one)),
        { timeoutMs: PATIENCE, what: 'no move is left open' },
      );
      await next.kill();
      if (settled.archive === undefined) {
        assert.deepEqual(await whole(repo, session), before, 'in its place, whole');
      } else {
        assert.equal(existsSync(session.worktree), false);
        assert.deepEqual(
          await treePrint(settled.archive.files),
          (before as { files: unknown }).files,
          'in the trash, whole',
        );
      }
    }
    t.diagnostic(`${cut} of ${TRIALS} were cut in the middle of a move`);
    await inWindow(made, (sessions) => sessions.unarchive(session.id));
    assert.deepEqual(await whole(repo, session), before);
    assert.deepEqual(await readdir(path.join(store, 'trash')), []);
    assert.deepEqual(await readdir(path.join(repo, '.git/treeline')), ['id']);
  });

  test('kill -9 of the window before every step of an archive and of an undo loses nothing', LONG, async (t) => {
    const made = await left(t);
    const { repo, store, session } = made;
    const before = (await whole(repo, session)) as { readonly files: unknown };
    for (const action of ['archive', 'unarchive'] as const) {
      for (let step = 1, died = true; died; step++) {
        if (action === 'unarchive') await inWindow(made, (sessions) => sessions.archive(session.id));
        const window = await dyingAt(t, made, step);
        died = await window[action](session.id).then(
          () => false,
          (error: unknown) => errorText(error) === 'window-gone' || Promise.reject(error as Error),
        );
        await window.kill();
        // At once, before anybody has put anything right: all files are in one of the two places.
        const trash = path.join(store, 'trash', session.id, 'worktree');
        const place = [session.worktree, trash].filter((folder) => existsSync(folder));
        assert.equal(place.length, 1, `${action}, step ${step}: in ${place.join(' and ')}`);
        assert.deepEqual(await treePrint(place[0]!), before.files, `${action}, step ${step}`);
        // Whichever way the user goes on from there, it works.
        await inWindow(made, async (sessions) => {
          if (step % 2 === 0) {
            await sessions.archive(session.id);
            assert.equal(existsSync(session.worktree), false, `${action}, step ${step}: it is in the trash`);
          }
          await sessions.unarchive(session.id);
        });
        assert.deepEqual(await whole(repo, session), before, `${action}, step ${step}`);
        if (!died) t.diagnostic(`${action}: ${step - 1} steps`);
      }
    }
    assert.equal(await git(repo, 'for-each-ref', 'refs/treeline'), '');
  });

  test(
    'says that its path is taken, and comes back elsewhere; the session works there from then on',
    BOUND,
    async (t) => {
      const { sessions, session } = await opened(t);
      await sessions.archive(session.id);
      await mkdir(session.worktree);
      writeFileSync(path.join(session.worktree, 'mine.txt'), 'mine');
      await assert.rejects(sessions.unarchive(session.id), { code: 'path-taken' });
      assert.equal(sessions.get(session.id)?.status, 'archived');
      const elsewhere = `${session.worktree}-again`;
      const { session: back } = await sessions.unarchive(session.id, elsewhere);
      assert.equal(back.worktree, elsewhere);
      assert.equal(readFileSync(path.join(session.worktree, 'mine.txt'), 'utf8'), 'mine');
      await sessions.resume(session.id, { prompt: 'write where.txt here' });
      await reached(sessions, session.id, (now) => now.turns.length === 2 && judged(now));
      assert.ok(existsSync(path.join(elsewhere, 'where.txt')));
    },
  );

  test('what cannot be moved is put back, and the session is what it was', BOUND, async (t) => {
    const { repo, sessions, session } = await opened(t);
    // A file where the trash has to be: the second rename fails, after the first.
    await rm(path.join(sessions.store, 'trash'), { recursive: true, force: true });
    await mkdir(path.join(sessions.store, 'trash'));
    writeFileSync(path.join(sessions.store, 'trash', session.id), 'in the way');
    const before = await whole(repo, session);
    await assert.rejects(sessions.archive(session.id));
    const now = sessions.get(session.id);
    assert.deepEqual([now?.status, now?.archive, now?.move], [session.status, undefined, undefined]);
    assert.deepEqual(await whole(repo, session), before);
    assert.equal(await git(repo, 'for-each-ref', 'refs/treeline'), '');
  });

  test(
    'a purge says what it deletes, deletes it, and leaves the branch; a resume then starts from that',
    BOUND,
    async (t) => {
      const { repo, sessions, session } = await opened(t);
      await sessions.archive(session.id);
      const { bytes, complete, unheld } = await sessions.archiveContents(session.id);
      assert.ok(bytes > 0 && complete);
      assert.equal(unheld, 4, 'new.txt, README.md, .gitignore and .env');
      const purged = await sessions.purge(session.id);
      assert.ok(purged.archive?.purgedAt);
      assert.deepEqual(await readdir(path.join(sessions.store, 'trash')), []);
      assert.equal(await git(repo, 'branch', '--list', session.branch, '--format=%(refname:short)'), session.branch);
      assert.equal((await sessions.purge(session.id)).archive?.purgedAt, purged.archive.purgedAt);
      await sessions.unarchive(session.id);
      await sessions.resume(session.id, { prompt: 'print back' });
      assert.equal(
        (await reached(sessions, session.id, (now) => now.turns.length === 2 && judged(now))).status,
        'idle',
      );
      assert.equal(existsSync(path.join(session.worktree, 'new.txt')), false);
    },
  );

  test(
    'a purge that cannot go through deletes nothing, and neither blocks a restore nor shows as unfinished',
    { ...BOUND, skip: noMounts },
    async (t) => {
      const { repo, sessions, session } = await opened(t);
      await mkdir(path.join(session.worktree, 'data'));
      const before = await whole(repo, session);
      const { archive } = await sessions.archive(session.id);
      const { unmount } = mountAt(t, path.join(archive!.files, 'data'));
      await assert.rejects(sessions.purge(session.id), { code: 'mounted', message: /Unmount it/ });
      const now = sessions.get(session.id);
      assert.deepEqual([now?.status, now?.move, now?.archive?.purgedAt], ['archived', undefined, undefined]);
      unmount();
      await sessions.unarchive(session.id);
      assert.deepEqual(await whole(repo, session), before);
    },
  );

  test('kill -9 of the window before every step of a deletion: the next one finishes it', LONG, async (t) => {
    const made = await left(t);
    const { repo, store, session } = made;
    for (let step = 1, died = true; died; step++) {
      const { archive } = await inWindow(made, (sessions) => sessions.archive(session.id));
      const window = await dyingAt(t, made, step);
      died = await window.purge(session.id).then(
        () => false,
        (error: unknown) => errorText(error) === 'window-gone' || Promise.reject(error as Error),
      );
      await window.kill();
      await inWindow(made, async (sessions) => {
        // Before the first step nothing was asked for.
        if (step === 1) {
          assert.ok(existsSync(archive!.files));
          await sessions.purge(session.id);
        }
        assert.ok(sessions.get(session.id)?.archive?.purgedAt, `step ${step}: it is deleted`);
        assert.deepEqual(await readdir(path.join(store, 'trash')), []);
        assert.equal(await git(repo, 'branch', '--list', session.branch, '--format=%(refname:short)'), session.branch);
        await sessions.unarchive(session.id);
      });
      if (!died) t.diagnostic(`${step - 1} steps`);
    }
    await inWindow(made, async (sessions) => {
      await sessions.resume(session.id, { prompt: 'write again.txt again' });
      await reached(sessions, session.id, (now) => now.turns.length === 2 && judged(now));
      assert.ok(existsSync(path.join(session.worktree, 'again.txt')), 'the session works again');
    });
  });

  test(
    'what is older than trashDays is deleted only on the user’s word, and counted in days on which Treeline ran',
    BOUND,
    async (t) => {
      const made = await left(t);
      const { store, session, settings, openProcess } = made;
      const { archive } = await inWindow(made, (sessions) => sessions.archive(session.id));
      const { files } = archive!;
      const record = path.join(store, 'trash.json');
      const today = Math.floor(Date.now() / 86_400_000);
      const run = (count: number, answer?: string): void =>
        writeFileSync(record, JSON.stringify({ days: Array.from({ length: count }, (_, n) => today + n), answer }));

      // The archive's own clock says that it is a month old: that alone is nothing.
      const journal = path.join(store, 'journal.jsonl');
      const lines = readFileSync(journal, 'utf8').split('\n');
      const aged = lines.map((line) =>
        line.includes('"session.moving"')
          ? line.replace(/"at":(\d+)/, (_all, at: string) => `"at":${Number(at) - 30 * 86_400_000}`)
          : line,
      );
      run(1, 'delete');
      writeFileSync(journal, aged.join('\n'));
      let window = await openProcess();
      await window.oldArchives();
      await window.kill();
      assert.ok(existsSync(files), 'kept: Treeline ran on one day since');

      run(15);
      settings.trashDays = 0;
      window = await openProcess();
      assert.equal(await window.oldArchives(), undefined);
      await window.kill();
      settings.trashDays = 14;
      window = await openProcess();
      const due = await window.oldArchives();
      assert.deepEqual(
        due?.sessions.map(({ id }) => id),
        [session.id],
      );
      assert.ok(due.bytes > 0);
      assert.ok(existsSync(files), 'kept as long as nobody has answered');

      await window.answerOldArchives('keep');
      await window.kill();
      window = await openProcess();
      assert.equal(await window.oldArchives(), undefined, 'asked once');
      assert.ok(existsSync(files));

      // By the word of a window, though another one acts.
      const other = await openProcess();
      await other.answerOldArchives('delete');
      assert.equal(existsSync(files), false);
    },
  );

  test(
    'a foreign worktree is removed by its path alone, listed while it is archived, and foreign again when it is back',
    BOUND,
    async (t) => {
      const { repo, sessions, session } = await opened(t);
      const foreign = path.join(repo, '..', 'my own');
      await git(repo, 'worktree', 'add', '--quiet', '-b', 'mine', foreign);
      writeFileSync(path.join(foreign, 'draft.txt'), 'draft');
      await assert.rejects(sessions.removeWorktree(repo), { code: /main-worktree|worktree-in-use/ });
      await assert.rejects(sessions.removeWorktree(path.join(repo, '..')), { code: 'no-worktree' });
      const { worktree } = { worktree: path.join(repo, '..', 'my own') };
      const entry = await sessions.removeWorktree(worktree);
      assert.equal(existsSync(foreign), false);
      assert.deepEqual([entry.name, entry.status, entry.branch], ['my own', 'archived', 'mine']);
      assert.ok(sessions.list().some(({ id }) => id === entry.id));
      await sessions.unarchive(entry.id);
      assert.equal(readFileSync(path.join(foreign, 'draft.txt'), 'utf8'), 'draft');
      assert.equal(
        sessions.list().some(({ id }) => id === entry.id),
        false,
      );
      // A session's own worktree, named so, is archived as the session.
      assert.equal((await sessions.removeWorktree(session.worktree)).id, session.id);
    },
  );
});
