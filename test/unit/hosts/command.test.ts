import assert from 'node:assert/strict';
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { isAlive } from '../../../src/platform/process-id.ts';
import { world, type World } from '../sessions/support.ts';
import { git, tempDir, until } from '../support.ts';
import { Onlooker } from './support.ts';

const COMMAND = path.join(import.meta.dirname, '../../../src/hosts/command.ts');

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function start(place: Pick<World, 'repo' | 'storage'>, ...args: string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [COMMAND, '--storage', place.storage, '-C', place.repo, ...args]);
}

async function run(place: Pick<World, 'repo' | 'storage'>, ...args: string[]): Promise<Ran> {
  const child = start(place, ...args);
  child.stdin.end();
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code: child.exitCode, out, err };
}

/** What it prints when it does as it was told. */
async function done(place: Pick<World, 'repo' | 'storage'>, ...args: string[]): Promise<string> {
  const { code, out, err } = await run(place, ...args);
  assert.deepEqual([code, err], [0, ''], args.join(' '));
  return out;
}

/** A repository that a window has had open, and that is closed now. */
async function known(t: TestContext): Promise<World> {
  const place = await world(t);
  const window = await place.openProcess();
  const folder = path.join(place.storage, 'repos');
  await until(() => existsSync(folder), { what: 'the store is there' });
  const onlooker = await Onlooker.open(t, place);
  await until(() => existsSync(path.join(onlooker.store.folder, 'settings.json')), {
    what: 'the settings are written',
  });
  await window.close();
  return place;
}

interface Told {
  readonly id: string;
  readonly short: string;
  readonly status: string;
  readonly worktree: string;
  readonly branch: string;
  readonly turns: readonly { readonly outcome?: string }[];
}

test('a session lives its life from the command line, with no window open', async (t) => {
  const place = await known(t);
  assert.match(await done(place, 'list'), /no sessions/);
  const prompt = 'print \u001b[31mhello\u001b[0m\nprint world\nwait';
  const spawned = JSON.parse(
    await done(place, 'spawn', '--agent', 'scripted', '--name', 'First one', '--json', prompt),
  ) as Told;
  assert.equal(spawned.status, 'working');
  assert.ok(existsSync(path.join(spawned.worktree, 'README.md')));
  const onlooker = await Onlooker.open(t, place);
  assert.equal((await onlooker.leads((lead) => lead !== undefined))?.host, 'detached');

  assert.match(
    await done(place, 'list'),
    new RegExp(`^ID .*\\n${spawned.short}  working .* scripted  First one  ${spawned.branch}\\n$`),
  );
  const listed = JSON.parse(await done(place, 'list', '--json')) as Told[];
  assert.deepEqual(
    listed.map(({ id }) => id),
    [spawned.id],
  );

  const following = start(place, 'log', '-f', 'first');
  t.after(() => following.kill('SIGKILL'));
  let seen = '';
  following.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
  await until(() => seen.includes('world\n'), { what: 'what it printed' });
  assert.equal(seen, 'hello\nworld\n', 'nothing of it moves the terminal');
  assert.match(await done(place, 'events', spawned.short), /output {6}hello/);

  const stopped = once(following, 'exit');
  assert.match(await done(place, 'stop', spawned.short), /stopped/);
  assert.deepEqual(await stopped, [0, null], 'what follows ends with the turn');

  await done(place, 'resume', 'First one', 'write new.txt more\nprint again');
  await until(async () => (await done(place, 'list')).includes('idle'), { what: 'the second turn is over' });
  assert.match(await done(place, 'log', spawned.id), /world\nagain\n$/);
  assert.match(await done(place, 'diff', spawned.id), /\+more\n/);
  assert.match(await done(place, 'archive', spawned.id), /archived/);
  assert.ok(!existsSync(spawned.worktree));
  const [archived] = JSON.parse(await done(place, 'list', '--json')) as Told[];
  assert.equal(archived?.status, 'archived');
  assert.match(await done(place, 'diff', spawned.id), /^$/, 'nothing of it was committed');
  await done(place, 'health');
  const lead = onlooker.lead;
  if (lead !== undefined) {
    await until(async () => !(await isAlive(lead.by)), { what: 'nobody acts when nothing is open' });
  }
});

test('it speaks with an agent that runs in a window, and with whoever acts there', async (t) => {
  const place = await world(t);
  const window = await place.openProcess();
  await window.spawn({ agent: 'lines', prompt: 'print hello' });
  const [session] = await window.list();
  await done(place, 'send', session!.id, 'write said.txt yes');
  const file = path.join(session!.worktree, 'said.txt');
  await until(() => existsSync(file), { what: 'the message has come' });
  assert.equal(readFileSync(file, 'utf8'), 'yes\n');
  await done(place, 'stop', session!.id);
  const onlooker = await Onlooker.open(t, place);
  assert.equal(onlooker.lead?.by.pid, window.pid);
});

test('what is refused is one sentence and a code that is not 0', async (t) => {
  const place = await known(t);
  const nowhere = await tempDir(t);
  const unknown = path.join(nowhere, 'unknown');
  await git(nowhere, 'init', '--quiet', unknown);
  const refused: readonly (readonly [Pick<World, 'repo' | 'storage'>, readonly string[], RegExp, number])[] = [
    [{ ...place, repo: nowhere }, ['list'], /not in a git repository/, 1],
    [{ ...place, repo: unknown }, ['list'], /has not been used with .*Open it once in VS Code/, 1],
    [place, ['stop', 'nothing'], /no session “nothing”/, 1],
    [place, ['stop'], /Name the session/, 2],
    [place, ['dance'], /no command “dance”/, 2],
    [place, ['list', '--fresh'], /no option --fresh/, 2],
    [place, ['list', '--nonsense'], /--nonsense/, 2],
    [place, ['spawn', '--agent', 'scripted', ' '], /prompt is empty/i, 1],
    [place, ['spawn', '--agent', 'nobody', 'hello'], /no agent “nobody”/, 1],
    [place, ['spawn', '--agent', 'scripted', '--base', 'nowhere', 'hello'], /nowhere/, 1],
  ];
  for (const [where, args, why, expected] of refused) {
    const { code, out, err } = await run(where, ...args);
    assert.deepEqual([code, out], [expected, ''], `${args.join(' ')}: ${err}`);
    assert.match(err, /^treeline: [^\n]+\.\n$/, args.join(' '));
    assert.match(err, why);
  }
});

test('an agent whose variables stand in no file is refused while VS Code is closed', async (t) => {
  const place = await world(t);
  const [scripted] = place.settings.customAgents;
  place.settings.customAgents = [{ ...scripted!, env: { TOKEN: 'very-secret' } }];
  const window = await place.openProcess();
  await window.spawn({ agent: 'scripted', prompt: 'print hello' });
  const onlooker = await Onlooker.open(t, place);
  const { folder } = onlooker.store;
  const settings = readFileSync(path.join(folder, 'settings.json'), 'utf8');
  assert.match(settings, /TOKEN/);
  assert.doesNotMatch(settings, /very-secret/);
  // A window has them.
  await done(place, 'spawn', '--agent', 'scripted', 'print hello');
  await window.close();
  await onlooker.leads((lead) => lead === undefined);
  const { code, err } = await run(place, 'spawn', '--agent', 'scripted', 'print hello');
  assert.equal(code, 1);
  assert.match(err, /needs TOKEN, which only VS Code knows/);
});

test('the help fits a screen', async (t) => {
  const place = { repo: await tempDir(t), storage: await tempDir(t) };
  const lines = (await done(place, 'help')).trimEnd().split('\n');
  assert.ok(lines.length <= 24, `${lines.length} lines`);
  for (const line of lines) assert.ok(line.length <= 80, line);
});
