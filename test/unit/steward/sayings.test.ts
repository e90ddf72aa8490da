import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { isRecord } from '../../../src/platform/check.ts';
import { readFact } from '../../../src/store/facts.ts';
import { isSaying, textOf, type Saying } from '../../../src/words/saying.ts';
import { judged, openWindow, reached, world } from '../sessions/support.ts';

/** What somebody else says: prompts, names, an agent's output, what git and the system say. */
const DATA = new Set(['prompt', 'name', 'text', 'reason', 'command', 'known']);

/** The texts of a fact, or of anything stored, that are no data and read like a sentence. */
function sentencesIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return /\p{L}+ \p{L}+ \p{L}+/u.test(value) ? [value] : [];
  if (Array.isArray(value)) return value.flatMap(sentencesIn);
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    typeof inner === 'string' && DATA.has(key) ? [] : sentencesIn(inner),
  );
}

function sayingsIn(value: unknown): readonly Saying[] {
  if (Array.isArray(value)) return value.flatMap(sayingsIn);
  if (!isRecord(value)) return [];
  const inner = Object.entries(value).flatMap(([key, one]) => (key === 'known' ? [] : sayingsIn(one)));
  // A refusal has a code of its own beside what it says.
  return isSaying(value) && value['why'] === undefined ? [value, ...inner] : inner;
}

function linesOf(file: string): readonly unknown[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
}

test('nothing that real sessions leave behind holds a sentence of ours', { timeout: 180_000 }, async (t) => {
  const place = await world(t);
  const { repo, settings, storage } = place;
  const { treeline, sessions } = await place.open();
  const git = (...args: string[]): string => execFileSync('git', ['-C', repo, ...args], { encoding: 'utf8' });

  // Ends by itself, is resumed, and fails.
  const { id: first } = await sessions.spawn({ agent: 'scripted', prompt: 'print hello', expects: ['report.md'] });
  await reached(sessions, first, judged);
  await sessions.resume(first, { prompt: 'err broken\nexit 3' });
  await reached(sessions, first, (one) => one.turns.length === 2 && judged(one));

  // Is stopped, and is sent what it cannot take.
  const { id: second } = await sessions.spawn({ agent: 'scripted', prompt: 'daemon pid.txt\nwait' });
  await assert.rejects(sessions.send(second, 'go on'));
  await sessions.stop(second);
  await reached(sessions, second, judged);

  // Cannot be archived while git is at work, then is; comes back to a branch that has moved on; is deleted.
  const { worktree, branch } = (await reached(sessions, first, judged)) satisfies { worktree: string };
  const own = execFileSync('git', ['-C', worktree, 'rev-parse', '--absolute-git-dir'], { encoding: 'utf8' }).trim();
  writeFileSync(path.join(own, 'index.lock'), '');
  await assert.rejects(sessions.archive(first), { code: 'worktree-in-use' });
  execFileSync('rm', [path.join(own, 'index.lock')]);
  await sessions.archive(first);
  git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-q', '--allow-empty', '-m', 'moved on');
  git('branch', '-f', branch, 'HEAD');
  const { note } = await sessions.unarchive(first);
  assert.match(textOf(note ?? ''), /has moved on, so the worktree is at its own commit/);
  await sessions.archive(first);
  await sessions.purge(first);

  // Is never started: the program's interpreter is not there, or somebody changed his mind.
  const broken = path.join(storage, 'broken-agent');
  writeFileSync(broken, '#!/no/such/interpreter\n', { mode: 0o700 });
  const { customAgents } = settings;
  settings.customAgents = customAgents.map((agent) => ({ ...agent, command: [broken] }));
  await assert.rejects(sessions.spawn({ agent: 'scripted', prompt: 'hi' }), /starting the agent failed/);
  settings.customAgents = customAgents;
  const abort = new AbortController();
  const aborted = sessions.spawn(
    { agent: 'scripted', prompt: 'wait' },
    { signal: abort.signal, progress: (step) => step.startsWith('Making') && abort.abort() },
  );
  await assert.rejects(aborted, { code: 'cancelled' });

  // Loses the process that records it.
  const third = await sessions.spawn({ agent: 'scripted', prompt: 'wait' });
  process.kill(third.runs[0]!.keeper!.process.pid, 'SIGKILL');
  await reached(sessions, third.id, ({ status }) => status === 'lost');
  const { store } = sessions;
  await treeline.dispose();

  const facts = linesOf(path.join(store, 'journal.jsonl'));
  const told = new Set<string>();
  for (const fact of facts) {
    const read = readFact(fact);
    assert.notEqual(read, 'unknown');
    assert.deepEqual(sentencesIn(fact), [], JSON.stringify(fact));
    const said = sayingsIn(fact);
    if (said.length > 0 && typeof read === 'object') told.add(read.type);
    for (const one of said) assert.doesNotMatch(textOf(one), /newer version|\{\w/, JSON.stringify(one));
  }
  for (const type of ['turn.withdrawn', 'turn.judged', 'run.exited', 'message.refused', 'intent.refused']) {
    assert.ok(told.has(type), `${type} says something`);
  }
  assert.ok(told.has('session.restored'));

  let notes = 0;
  for (const name of readdirSync(store, { recursive: true, encoding: 'utf8' })) {
    const file = path.join(store, name);
    if (path.basename(name) === 'exit.json') {
      assert.deepEqual(sentencesIn(JSON.parse(readFileSync(file, 'utf8'))), [], name);
    }
    if (path.basename(name) === 'keeper.log') {
      for (const note of linesOf(file)) {
        notes += 1;
        assert.deepEqual(sentencesIn(note), [], name);
        assert.equal(sayingsIn(note).length > 0, true);
      }
    }
    if (path.basename(name) === 'timeline.db') {
      const text = readFileSync(file, 'latin1');
      for (const sentence of [/Exited with code/, /Stopped \(/, /The agent/, /Expected but missing/]) {
        assert.doesNotMatch(text, sentence, name);
      }
      assert.match(text, /"code":"end\./);
    }
  }
  assert.ok(notes > 0);

  // Another window says it all again.
  const again = await openWindow(place);
  t.after(() => again.treeline.dispose());
  for (const session of again.sessions.list()) {
    assert.doesNotMatch(textOf(session.evidence.detail), /newer version/);
  }
});
