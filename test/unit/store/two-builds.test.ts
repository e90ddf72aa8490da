/** Two builds of different sets of facts on one store at the same time. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { before, describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sessionId } from '../../../src/platform/ids.ts';
import { RULES } from '../../../src/store/facts.ts';
import { tempDir } from '../support.ts';
import { copyTree, edit } from '../tree-copy.ts';
import type { Answer, Instruction } from './build-process.ts';
import { claimed, created, leads, requested } from './facts.ts';

const script = fileURLToPath(new URL('./build-process.ts', import.meta.url));
const src = path.resolve(import.meta.dirname, '../../../src');

/** A window of one build. */
class Window {
  readonly #tell: (line: string) => void;
  readonly #answers: AsyncIterator<string>;
  readonly #name: string;

  constructor(t: TestContext, build: string, folder: string) {
    const child = spawn(process.execPath, [script, build, folder], { stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    this.#name = build;
    this.#answers = createInterface(child.stdout)[Symbol.asyncIterator]();
    this.#tell = (line) => child.stdin.write(`${line}\n`);
  }

  async answer(): Promise<Answer> {
    const { value } = (await this.#answers.next()) as { readonly value: string | undefined };
    assert.ok(value !== undefined, `${this.#name} has ended`);
    return JSON.parse(value) as Answer;
  }

  do(instruction: Instruction): Promise<Answer> {
    this.#tell(JSON.stringify(instruction));
    return this.answer();
  }

  append(...entries: readonly object[]): Promise<Answer> {
    return this.do({ append: entries });
  }
}

async function open(t: TestContext, build: string, folder: string): Promise<Window> {
  const window = new Window(t, build, folder);
  await window.answer();
  return window;
}

/**
 * The sources as a later build may have them: one more type of facts and one more status by it, an optional field on a
 * known type, another version of a type with a field that has to be there, and rules of its own.
 */
async function newerBuild(t: TestContext): Promise<string> {
  const tree = await copyTree(t, 'src', 'package.json');
  const change = (file: string, from: string, to: string): void => edit(tree, `src/${file}`, from, to);
  change('platform/build.ts', "'sources'", "'newer'");
  change('store/facts.ts', 'export const RULES = 1;', 'export const RULES = 2;');
  change(
    'store/facts.ts',
    "  'session.renamed': ofSession(1, 'anybody', shape({ name: string })),",
    "  'session.renamed': ofSession(2, 'anybody', shape({ name: string, why: string })),\n  'session.paused': ofSession(1, 'anybody', shape({ until: number })),",
  );
  change(
    'store/facts.ts',
    "  'worktree.ready': ofSession(1, 'leader', shape({})),",
    "  'worktree.ready': ofSession(1, 'leader', shape({ took: optional(number) })),",
  );
  change(
    'store/model.ts',
    '  worktreeReadyAt: optional(number),',
    '  worktreeReadyAt: optional(number),\n  took: optional(number),',
  );
  change('store/model.ts', "  'idle',\n", "  'idle',\n  'paused',\n");
  change(
    'store/lifecycle.ts',
    "    case 'session.renamed':",
    "    case 'session.paused':\n      return withStatus(session, 'paused', fact, 'Paused.');\n    case 'session.renamed':",
  );
  change(
    'store/lifecycle.ts',
    'const ready = { ...session, worktreeReadyAt: fact.at };',
    'const ready = { ...session, worktreeReadyAt: fact.at, ...(fact.took !== undefined && { took: fact.took }) };',
  );
  return path.join(tree, 'src');
}

const ready = { type: 'worktree.ready' } as const;
const renamed = (name: string) => ({ type: 'session.renamed', name }) as const;

describe('two builds on one store', () => {
  let newer: string;
  before(async (t) => {
    newer = await newerBuild(t as TestContext);
  });

  it('take nothing of each other for damage, and change nothing of what the other wrote', async (t) => {
    const folder = await tempDir(t);
    const journal = path.join(folder, 'journal.jsonl');
    const [old, young] = [await open(t, src, folder), await open(t, newer, folder)];
    const [a, b] = [sessionId(), sessionId()];
    await old.append({ session: a, ...created }, { session: a, ...renamed('By the older') });
    await young.append(leads(), { session: b, ...created }, { session: b, ...ready, took: 42 });
    await young.append(
      { session: a, ...renamed('By the newer'), why: 'better' },
      { session: b, type: 'session.paused', until: 7 },
    );
    await old.append({ session: b, ...renamed('Again by the older') });
    const text = readFileSync(journal, 'utf8');

    const [seenByOld, seenByYoung] = [await old.do({ look: true }), await young.do({ look: true })];
    assert.deepEqual([seenByOld.damaged, seenByOld.notes, seenByOld.unknown], [0, [], 2]);
    assert.deepEqual([seenByYoung.damaged, seenByYoung.notes, seenByYoung.unknown], [0, [], 2]);
    const of = ({ sessions }: Answer, id: string) => sessions.find((session) => session.id === id);
    assert.equal(of(seenByOld, a)?.name, 'By the older');
    assert.equal(of(seenByYoung, a)?.name, 'By the newer');
    assert.ok(
      of(seenByOld, b)?.worktreeReadyAt !== undefined,
      'a fact with a field that the older does not know counts',
    );
    assert.equal((of(seenByYoung, b) as { took?: number } | undefined)?.took, 42);
    assert.equal(of(seenByYoung, b)?.status, 'paused');

    await Promise.all([old.do({ close: true }), young.do({ close: true })]);
    assert.equal(readFileSync(journal, 'utf8'), text, 'nothing of the journal is rewritten');
    assert.equal(existsSync(path.join(folder, 'journal.damaged.jsonl')), false);
    for (const [build, expected] of [
      [src, seenByOld],
      [newer, seenByYoung],
    ] as const) {
      const again = new Window(t, build, folder);
      const { sessions, unknown, notes } = await again.answer();
      assert.deepEqual(
        [sessions, unknown, notes],
        [expected.sessions, expected.unknown, []],
        'the same after a restart',
      );
    }
  });

  it('agree on who leads, and the older does not where the newer did', async (t) => {
    const folder = await tempDir(t);
    const [old, young] = [await open(t, src, folder), await open(t, newer, folder)];
    const a = sessionId();
    const {
      ids: [first],
    } = await old.append(leads(), { session: a, ...created }, { session: a, ...requested(1) });
    assert.equal((await young.do({ look: true })).lead, first);
    await young.append({ type: 'steward.retiring', lead: first });
    await old.append({ type: 'steward.left', lead: first });
    const {
      ids: [second],
      lead,
    } = await young.append(leads(undefined, RULES + 1));
    assert.equal(lead, second);
    const refused = await old.append(leads(second), { session: a, ...claimed(1) });
    assert.equal(refused.lead, second, 'not in its place');
    assert.equal(refused.sessions[0]?.status, 'queued', 'and its claim is void');
    await young.append({ type: 'steward.left', lead: second });
    assert.equal((await old.append(leads())).lead, undefined, 'nor after it');
    const claim = await young.append(leads(undefined, RULES + 1), { session: a, ...claimed(1) });
    assert.equal(claim.sessions[0]?.turns[0]?.claim?.fact, claim.ids[1]);
    const seen = await old.do({ look: true });
    assert.deepEqual([seen.lead, seen.sessions, seen.notes], [claim.lead, claim.sessions, []]);
  });

  it('keep a catalogue each, and neither makes the other read the whole journal again', async (t) => {
    const folder = await tempDir(t);
    const journal = path.join(folder, 'journal.jsonl');
    const seed = await open(t, src, folder);
    for (let i = 0; i < 12; i++) {
      const session = sessionId();
      await seed.append({ session, ...created, name: 'x'.repeat(30_000) }, { session, ...ready });
    }
    const { catalogue } = await seed.do({ close: true });
    assert.ok(statSync(journal).size > 256 * 1024, 'long enough for a catalogue to be used');
    const other = await (await open(t, newer, folder)).do({ close: true });
    assert.notEqual(other.catalogue, catalogue);
    const written = (): bigint[] => [catalogue, other.catalogue].map((file) => statSync(file, { bigint: true }).ino);
    const inodes = written();
    for (const build of [src, newer, src]) {
      const window = new Window(t, build, folder);
      const { notes, sessions } = await window.answer();
      assert.deepEqual([notes, sessions.length], [[], 12]);
      await window.append({ session: sessions[0]!.id, ...renamed('A name'), why: 'so' });
      await window.do({ close: true });
    }
    assert.deepEqual(written(), inodes);
  });

  it('of which one finds the catalogue of the other at its own place makes a new one', async (t) => {
    const folder = await tempDir(t);
    mkdirSync(folder, { recursive: true });
    const seed = await open(t, src, folder);
    await seed.append({ session: sessionId(), ...created, name: 'x'.repeat(300_000) });
    const { catalogue } = await seed.do({ close: true });
    const place = path.join(folder, 'catalogue-newer.jsonl');
    writeFileSync(place, readFileSync(catalogue));
    rmSync(catalogue);
    const young = new Window(t, newer, folder);
    const { sessions, notes } = await young.answer();
    assert.equal(sessions.length, 1);
    assert.match(notes.join(), /rebuilt from the journal: it is of another build/);
  });
});
