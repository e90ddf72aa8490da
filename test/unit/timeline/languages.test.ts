import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { readerFor } from '../../../src/agents/registry.ts';
import { SessionIndex } from '../../../src/timeline/session-index.ts';
import { SNAPSHOT_FILE } from '../../../src/timeline/snapshot.ts';
import { SAYINGS } from '../../../src/words/table.ts';
import { tempDir } from '../support.ts';
import { allRows, drain, quiet, RunWriter, source, sqlJs } from './support.ts';

const GERMAN: Readonly<Record<string, string>> = {
  [SAYINGS['end.exited']]: 'Endete mit Code {exit} nach {lasted:duration}.',
  [SAYINGS.seconds]: '{seconds} Sekunden',
};

test('the same index is read and searched in the language of each window', async (t) => {
  const folder = await tempDir(t);
  const turn = new RunWriter(folder);
  turn.chunk('o', 'hello\n');
  turn.exit({ code: 3 });
  const of = source(folder, 'text', true);
  const open = async (words: Readonly<Record<string, string>>): Promise<SessionIndex> => {
    const index = new SessionIndex(await sqlJs(), readerFor('text'), of, quiet, (english) => words[english] ?? english);
    drain(index);
    t.after(() => index.close());
    return index;
  };
  const found = (index: SessionIndex, query: string): readonly string[] =>
    index.page({ groups: [], query }, 0, 10).rows.map(({ text }) => text.text);

  const german = await open(GERMAN);
  await german.save();
  const stored = readFileSync(path.join(folder, SNAPSHOT_FILE), 'latin1');
  assert.match(stored, /"code":"end\.exited"/);
  assert.doesNotMatch(stored, /Endete|Exited/);
  // Made of the snapshot that the other one has saved.
  const english = await open({});
  const [told, said] = ['Endete mit Code 3 nach 60 Sekunden.', 'Exited with code 3 after 60 s.'];
  assert.equal(allRows(german).at(-1)?.text.text, told);
  assert.equal(allRows(english).at(-1)?.text.text, said);
  assert.deepEqual([found(german, 'sekunden'), found(german, 'exited')], [[told], []]);
  assert.deepEqual([found(english, 'exited'), found(english, 'sekunden')], [[said], []]);
  assert.equal(german.text(allRows(german).at(-1)!.seq, 'text'), told);
});
