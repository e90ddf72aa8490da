import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { TreelineError } from '../../../src/platform/errors.ts';
import { factId, sessionId } from '../../../src/platform/ids.ts';
import { JournalReader, type Damaged } from '../../../src/store/journal-reader.ts';
import { Journal } from '../../../src/store/journal.ts';
import type { Fact } from '../../../src/store/facts.ts';
import { tempDir } from '../support.ts';
import { seeded } from '../../support/seeded.mts';
import { created, fact, factOf, idsOf, leads, randomFacts, repositoryFact, requested, window } from './facts.ts';

const id = sessionId();

async function journalIn(t: TestContext): Promise<{ file: string; journal: Journal; reader: JournalReader }> {
  const file = path.join(await tempDir(t), 'journal.jsonl');
  const journal = new Journal(file, window);
  const reader = new JournalReader(file);
  t.after(() => {
    journal.dispose();
    reader.dispose();
  });
  return { file, journal, reader };
}

interface Everything {
  facts: Fact[];
  damaged: Damaged[];
  restarted: boolean;
}

/** Reads to the end of what there is. */
function readAll(reader: JournalReader): Everything {
  const all: Everything = { facts: [], damaged: [], restarted: false };
  for (let more = true; more;) {
    const reading = reader.read();
    if (reading.restarted) all.restarted = true;
    all.facts.push(...reading.facts);
    all.damaged.push(...reading.damaged);
    more = reading.more;
  }
  return all;
}

function readFile(file: string): Everything {
  const reader = new JournalReader(file);
  try {
    return readAll(reader);
  } finally {
    reader.dispose();
  }
}

describe('a journal', () => {
  it('gives back what was written, in order, once', async (t) => {
    const { journal, reader, file } = await journalIn(t);
    assert.deepEqual(readAll(reader).facts, [], 'no file is an empty journal');
    const first = journal.append({ session: id, ...created });
    assert.deepEqual(readAll(reader).facts, first);
    const more = journal.append(...randomFacts(seeded(1), 50));
    assert.deepEqual(readAll(reader).facts, more);
    assert.deepEqual(readAll(reader).facts, []);
    assert.deepEqual(readFile(file).facts, [...first, ...more]);
    assert.equal(reader.offset, statSync(file).size);
  });

  it('is the user’s alone', { skip: process.platform === 'win32' }, async (t) => {
    const { journal, file } = await journalIn(t);
    journal.append({ session: id, ...created });
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it('writes nothing for nothing', async (t) => {
    const { journal, file } = await journalIn(t);
    assert.deepEqual(journal.append(), []);
    assert.throws(() => statSync(file));
  });

  it('refuses a fact that no reader would take, before anything is written', async (t) => {
    const { journal, file } = await journalIn(t);
    assert.throws(() => journal.append({ session: '../../etc', ...created }), { code: 'invalid' });
    assert.throws(() => journal.append({ session: id, ...requested(0) }), /turn must be a whole number above 0/);
    const large = { session: id, ...created, name: 'x'.repeat(1024 * 1024) };
    assert.throws(() => journal.append({ session: id, ...created }, large), { code: 'fact-too-large' });
    assert.throws(() => statSync(file));
  });

  it('holds a fact of almost a megabyte', async (t) => {
    const { journal, reader } = await journalIn(t);
    const name = '🌲'.repeat(250_000);
    journal.append({ session: id, ...created, name }, { session: id, ...requested(1) });
    const { facts, damaged } = readAll(reader);
    assert.equal(facts.length, 2);
    assert.equal(facts[0]?.type === 'session.created' && facts[0].name === name, true);
    assert.deepEqual(damaged, []);
  });

  it('takes part in one fsync for all who ask at once, and in a later one who asks later', async (t) => {
    const { journal } = await journalIn(t);
    await journal.flush();
    journal.append({ session: id, ...created });
    const first = journal.flush();
    assert.equal(journal.flush(), first);
    await first;
    journal.append({ session: id, ...requested(1) });
    const second = journal.flush();
    assert.notEqual(second, first);
    await Promise.all([second, journal.flush()]);
  });

  it('goes on in a new file when its own was deleted, even with its folder, or moved away', async (t) => {
    const { journal, reader, file } = await journalIn(t);
    const write = (): string[] => idsOf(journal.append({ session: id, ...created }));
    write();
    assert.equal(readAll(reader).facts.length, 1);
    const removals = [
      () => rmSync(file),
      () => rmSync(path.dirname(file), { recursive: true }),
      () => renameSync(file, `${file}.old`),
    ];
    for (const remove of removals) {
      remove();
      const gone = readAll(reader);
      assert.deepEqual([gone.restarted, gone.facts], [true, []]);
      const written = write();
      await journal.flush();
      assert.deepEqual(idsOf(readAll(reader).facts), written);
    }
  });

  it('is read anew when it was replaced, truncated, or rewritten in place', async (t) => {
    const { journal, reader, file } = await journalIn(t);
    const facts = journal.append(...randomFacts(seeded(2), 20));
    readAll(reader);
    const whole = readFileSync(file);
    const lines = whole.toString().split(/(?<=\n)/);

    writeFileSync(`${file}.new`, lines.slice(10).join(''));
    renameSync(`${file}.new`, file);
    const replaced = readAll(reader);
    assert.deepEqual([replaced.restarted, replaced.facts], [true, facts.slice(10)]);

    writeFileSync(file, lines.slice(0, 5).join(''));
    const truncated = readAll(reader);
    assert.deepEqual([truncated.restarted, truncated.facts], [true, facts.slice(0, 5)]);

    // Longer than before, so that its size says nothing.
    writeFileSync(file, lines.toReversed().join(''));
    const rewritten = readAll(reader);
    assert.deepEqual([rewritten.restarted, rewritten.facts], [true, facts.toReversed()]);
    assert.equal(readAll(reader).restarted, false);
  });

  it('is read in parts of bounded size', async (t) => {
    const { journal, reader } = await journalIn(t);
    const facts = journal.append(...randomFacts(seeded(3), 3_000));
    const parts: number[] = [];
    const read: Fact[] = [];
    for (let more = true; more;) {
      const before = reader.offset;
      const reading = reader.read();
      parts.push(reader.offset - before);
      read.push(...reading.facts);
      more = reading.more;
    }
    assert.deepEqual(read, facts);
    assert.ok(parts.length > 2, `${parts.length} parts`);
    assert.ok(Math.max(...parts) <= 256 * 1024);
  });

  it('can be read on from a place that was kept', async (t) => {
    const { journal, reader, file } = await journalIn(t);
    journal.append(...randomFacts(seeded(4), 30));
    readAll(reader);
    const position = JSON.parse(JSON.stringify(reader.position)) as typeof reader.position;
    const later = journal.append(...randomFacts(seeded(5), 30));
    const next = new JournalReader(file, position);
    assert.deepEqual(readAll(next), { facts: later, damaged: [], restarted: false });
    next.dispose();
  });
});

describe('damage', () => {
  const three = [
    fact(id, { ...created, name: 'né “à” 🌲 "} \\' }),
    fact(id, requested(1)),
    fact(id, { type: 'session.renamed', name: 'línea 🌲 rota' }),
  ];
  const lines = three.map((one) => JSON.stringify(one));

  it('of the last line, cut at every byte, costs that fact alone', async (t) => {
    const { file } = await journalIn(t);
    const head = Buffer.from(`${lines[0]!}\n${lines[1]!}\n`);
    const last = Buffer.from(`${lines[2]!}\n`);
    for (let cut = 0; cut <= last.length; cut++) {
      writeFileSync(file, Buffer.concat([head, last.subarray(0, cut)]));
      const isWhole = cut >= last.length - 1;
      const whole = isWhole ? three : three.slice(0, 2);
      const reader = new JournalReader(file);
      const before = readAll(reader);
      assert.deepEqual(before, { facts: whole, damaged: [], restarted: false }, `cut at ${cut}`);

      const journal = new Journal(file, window);
      const next = journal.append({ session: id, ...requested(1) });
      const after = readAll(reader);
      const torn = isWhole || cut === 0 ? [] : [[head.length, cut]];
      assert.deepEqual(after.facts, next, `after a cut at ${cut}`);
      assert.deepEqual(
        after.damaged.map(({ offset, length }) => [offset, length]),
        torn,
      );
      const lastLine = readFileSync(file, 'utf8').trimEnd().split('\n').at(-1)!;
      assert.deepEqual(JSON.parse(lastLine), next[0], 'on a line of its own');
      assert.deepEqual(readFile(file).facts, [...whole, ...next], 'the same for who reads it all at once');
      reader.dispose();
      journal.dispose();
    }
  });

  it('of the last line is not final while its writer still writes', async (t) => {
    const { file, reader } = await journalIn(t);
    const bytes = Buffer.from(lines.join('\n') + '\n');
    const seen: Fact[] = [];
    for (const byte of bytes) {
      appendFileSync(file, Buffer.from([byte]));
      const { facts, damaged } = readAll(reader);
      assert.deepEqual(damaged, []);
      seen.push(...facts);
    }
    assert.deepEqual(seen, three);
  });

  const middle: [string, string | Buffer, number?][] = [
    ['rubbish', 'rubbish'],
    ['a torn fact', lines[2]!.slice(0, 80)],
    ['a fact without its beginning', lines[2]!.slice(40)],
    ['NULs', Buffer.alloc(512)],
    [
      'a line that is not UTF-8',
      Buffer.concat([Buffer.from(lines[2]!.slice(0, -6)), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]),
    ],
    ['JSON that is no fact', '{"hello":"world"}'],
    ['a list', '[1,2,3]'],
    ['a fact with a field of another kind', lines[1]!.replace('"turn":1', '"turn":"1"')],
    ['a fact without a session', lines[1]!.replace(`"session":"${id}",`, '')],
    ['a session id that is a path', lines[1]!.replace(id, '../../../etc/passwd')],
    [
      'a fact of an unknown type that nobody wrote',
      lines[1]!.replace('turn.requested', 'turn.dreamt').replace('"by":', '"to":'),
    ],
  ];
  for (const [name, piece] of middle) {
    it(`in the middle (${name}) is reported, once, and blocks nothing`, async (t) => {
      const { file, reader } = await journalIn(t);
      const head = `${lines[0]!}\n`;
      writeFileSync(file, Buffer.concat([Buffer.from(head), Buffer.from(piece), Buffer.from(`\n${lines[1]!}\n`)]));
      const { facts, damaged } = readAll(reader);
      assert.deepEqual(facts, three.slice(0, 2));
      assert.deepEqual(
        damaged.map(({ offset, length }) => [offset, length]),
        [[Buffer.byteLength(head), Buffer.from(piece).length]],
      );
      assert.notEqual(damaged[0]?.reason, '');
      appendFileSync(file, `${lines[2]!}\n`);
      assert.deepEqual(readAll(reader), { facts: three.slice(2), damaged: [], restarted: false });
    });
  }

  const glued: [string, string, number[], number][] = [
    ['a torn one', lines[2]!.slice(0, 100) + lines[0]!, [0], 1],
    ['a whole one', lines[0]! + lines[1]!, [0, 1], 0],
    ['two torn ones', lines[2]!.slice(0, 100) + lines[1]!.slice(0, 90) + lines[0]!, [0], 2],
    ['NULs', '\0'.repeat(99) + lines[0]!, [0], 1],
    ['and before rubbish', lines[0]! + 'rubbish', [0], 1],
    ['and before NULs', lines[0]! + '\0'.repeat(99), [0], 1],
    ['and before a torn one', lines[0]! + lines[1]!.slice(0, 50), [0], 1],
  ];
  for (const [name, line, whole, pieces] of glued) {
    it(`leaves a fact whole that is glued behind ${name}`, async (t) => {
      const { file, reader } = await journalIn(t);
      writeFileSync(file, `${line}\n${lines[2]!}\n`);
      const { facts, damaged } = readAll(reader);
      assert.deepEqual(facts, [...whole.map((i) => three[i]), three[2]]);
      assert.equal(damaged.length, pieces);
    });
  }

  it('does not make facts of words in a prompt', async (t) => {
    const { file, reader, journal } = await journalIn(t);
    journal.append({ session: id, ...created, name: `${lines[1]!}{"v":1}` });
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.slice(0, -20) + '\n');
    const { facts, damaged } = readAll(reader);
    assert.deepEqual([facts, damaged.length], [[], 1]);
  });

  it('of many megabytes without a line end is bounded in memory and ends where the facts go on', async (t) => {
    const { file, reader } = await journalIn(t);
    writeFileSync(file, Buffer.concat([Buffer.alloc(9 * 1024 * 1024, 'x'), Buffer.from(`\n${lines[0]!}\n`)]));
    const { facts, damaged } = readAll(reader);
    assert.deepEqual(facts, three.slice(0, 1));
    assert.equal(
      damaged.reduce((sum, { length }) => sum + length, 0),
      9 * 1024 * 1024,
    );
    assert.ok(damaged.every(({ text }) => text.length <= 64 * 1024));
  });

  const unknown: [string, string][] = [
    ['of a type that this build does not know', lines[2]!.replace('session.renamed', 'session.reborn')],
    [
      'of a newer version',
      lines[1]!.replace('{"v":1,', '{"v":2,"more":{"deep":[1]},').replace('"turn":1', '"turn":"one"'),
    ],
    [
      'about something that is no session',
      lines[1]!.replace('turn.requested', 'task.split').replace(`"session":"${id}"`, '"task":7'),
    ],
    ['of a type with a name of every object', lines[1]!.replace('turn.requested', '__proto__')],
    [
      'by somebody in a role of its own',
      lines[2]!.replace('session.renamed', 'crew.formed').replace('"role":"window"', '"role":"crew"'),
    ],
  ];
  for (const [name, line] of unknown) {
    it(`is not a fact ${name}: it is kept, counted and passed over`, async (t) => {
      const { file, reader } = await journalIn(t);
      const text = `${lines[0]!}\n${line}\n${lines[1]!}\n`;
      writeFileSync(file, text);
      const { facts, damaged } = readAll(reader);
      assert.deepEqual([facts, damaged], [three.slice(0, 2), []]);
      assert.deepEqual([reader.unknown, reader.position.unknown], [1, 1]);
      assert.equal(readFileSync(file, 'utf8'), text);
    });
  }

  it('around a fact that this build does not know leaves that one out of the damage', async (t) => {
    const { file, reader } = await journalIn(t);
    const unknownLine = lines[2]!.replace('session.renamed', 'session.reborn');
    const torn = lines[2]!.slice(0, 80);
    writeFileSync(file, `${torn}${unknownLine}${lines[0]!}\n\0\0${unknownLine}\0\0\n${lines[1]!}\n`);
    const { facts, damaged } = readAll(reader);
    assert.deepEqual(facts, three.slice(0, 2));
    assert.equal(reader.unknown, 2);
    assert.deepEqual(
      damaged.map(({ text }) => text),
      [torn, '\0\0', '\0\0'],
    );
  });

  it('is not a field that a newer build added to a fact of a known version', async (t) => {
    const { file, reader } = await journalIn(t);
    const lead = repositoryFact(leads());
    const richer = [...three, lead].map((one) => JSON.stringify({ ...one, mood: { is: ['good'] } }));
    writeFileSync(file, `${richer.join('\n')}\n`);
    assert.deepEqual(readAll(reader), { facts: [...three, lead], damaged: [], restarted: false });
    assert.equal(reader.unknown, 0);
  });

  it('is not a blank line or a line end of another system', async (t) => {
    const { file, reader } = await journalIn(t);
    writeFileSync(file, `\n\r\n  \n${lines[0]!}\r\n\n${lines[1]!}\n`);
    assert.deepEqual(readAll(reader), { facts: three.slice(0, 2), damaged: [], restarted: false });
  });

  it('is not a fact that was written twice: it counts once', async (t) => {
    const { file, reader } = await journalIn(t);
    writeFileSync(file, [lines[0]!, lines[1]!, lines[0]!, lines[1]!, lines[2]!, lines[2]!].join('\n'));
    assert.deepEqual(readAll(reader).facts, three);
    const next = new JournalReader(file, reader.position);
    appendFileSync(file, `\n${lines[1]!}\n`);
    assert.deepEqual(readAll(next).facts, [], 'also for who reads on from a kept place');
    next.dispose();
  });

  it('at random places never costs more than the lines it touches', async (t) => {
    const { file } = await journalIn(t);
    const seed = Math.floor(Math.random() * 2 ** 31);
    t.diagnostic(`seed ${seed}`);
    const random = seeded(seed);
    const facts = randomFacts(random, 40).map((entry) => factOf(entry));
    const whole = Buffer.from(facts.map((one) => JSON.stringify(one) + '\n').join(''));
    for (let run = 0; run < 200; run++) {
      const bytes = Buffer.from(whole);
      const from = Math.floor(random() * bytes.length);
      const length = 1 + Math.floor(random() * 300);
      const fill = [0, 0xff, 0x7b, 0x22][Math.floor(random() * 4)]!;
      bytes.fill(fill, from, Math.min(bytes.length, from + length));
      writeFileSync(file, bytes);
      const read = new Set(idsOf(readFile(file).facts));
      let start = 0;
      for (const one of facts) {
        const end = start + Buffer.byteLength(JSON.stringify(one)) + 1;
        // A line whose newline is gone is one with the next; both are whole and can be told apart, unless a byte is hit.
        const touched = from < end - 1 && from + length > start;
        if (!touched) assert.ok(read.has(one.id), `seed ${seed}, run ${run}: the fact at ${start} is whole`);
        start = end;
      }
    }
  });
});

describe('a full disk', () => {
  /** A small file system of its own, or why there is none. */
  function smallDisk(t: TestContext, folder: string): string | undefined {
    mkdirSync(folder);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'treeline-test', folder], { stdio: 'pipe' });
    } catch (error) {
      return `no small tmpfs can be mounted here: ${String(error).split('\n')[1] ?? 'mount failed'}`;
    }
    t.after(() => execFileSync('umount', ['--lazy', folder]));
    return undefined;
  }

  it('is told; nothing that was acknowledged is missing, and what comes later is whole', async (t) => {
    const disk = path.join(await tempDir(t), 'disk');
    const reason = smallDisk(t, disk);
    if (reason !== undefined) {
      t.skip(reason);
      return;
    }
    const file = path.join(disk, 'journal.jsonl');
    const journal = new Journal(file, window);
    const reader = new JournalReader(file);
    const ballast = path.join(disk, 'ballast');
    writeFileSync(ballast, Buffer.alloc(8 * 1024));
    const acknowledged: string[] = [];
    let refusals = 0;
    for (let i = 0; i < 400; i++) {
      try {
        acknowledged.push(...idsOf(journal.append({ session: id, ...created, name: 'x'.repeat(200 + i) })));
      } catch (error) {
        assert.ok(error instanceof TreelineError);
        assert.equal(error.code, 'journal-write');
        refusals++;
      }
    }
    assert.ok(refusals > 0);
    rmSync(ballast);
    acknowledged.push(...idsOf(journal.append({ session: id, ...requested(1) })));
    await journal.flush();
    const { facts, damaged } = readAll(reader);
    const read = idsOf(facts);
    assert.deepEqual(
      read.filter((one) => acknowledged.includes(one)),
      acknowledged,
    );
    assert.equal(read.at(-1), acknowledged.at(-1));
    assert.ok(damaged.length <= 1, 'one torn line at the most');
    journal.dispose();
    reader.dispose();
  });
});

describe('fact ids', () => {
  it('are never the same', () => {
    const ids = new Set(Array.from({ length: 5_000 }, factId));
    assert.equal(ids.size, 5_000);
  });
});
