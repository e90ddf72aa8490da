/** One table of agents: what must stand elsewhere for each of them is named here. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { suite, test } from 'node:test';
import { adapterOf } from '../../../src/agents/registry.ts';
import { AGENTS, FORMATS, READERS } from '../../../src/agents/table.ts';

const root = path.join(import.meta.dirname, '../../..');
const json = (file: string): unknown => JSON.parse(readFileSync(path.join(root, file), 'utf8'));

/** The cells of the row of the README that begins with this. */
function readmeRow(first: string): readonly string[] {
  const rows = readFileSync(path.join(root, 'README.md'), 'utf8').split('\n');
  const cells = rows.map((row) => row.split('|').map((cell) => cell.trim()));
  return cells.find((row) => row[1] === first) ?? assert.fail(`README.md has no row for ${first}`);
}

interface Property {
  readonly type: string;
  readonly default: unknown;
  readonly scope: string;
  readonly description?: string;
  readonly markdownDescription?: string;
  readonly items?: {
    readonly properties: Record<string, { readonly enum: string[]; readonly enumDescriptions: string[] }>;
  };
}

const { contributes } = json('package.json') as {
  contributes: { configuration: readonly { readonly properties: Record<string, Property> }[] };
};
const properties = Object.assign({}, ...[contributes.configuration].flat().map((one) => one.properties)) as Record<
  string,
  Property
>;
const texts = json('package.nls.json') as Record<string, string>;

suite('the manifest has for each agent of the table', () => {
  for (const { id, name } of AGENTS) {
    test(`${id}: the settings treeline.${id}.command and .args, machine alone, with their words`, () => {
      for (const [key, type, otherwise] of [
        ['command', 'string', ''],
        ['args', 'array', []],
      ] as const) {
        const property = properties[`treeline.${id}.${key}`];
        assert.ok(property, `package.json has no setting treeline.${id}.${key}`);
        assert.equal(property.type, type);
        assert.deepEqual(property.default, otherwise);
        // A repository must not choose which program runs.
        assert.equal(property.scope, 'machine');
        const words = texts[`setting.${id}.${key}`];
        assert.ok(words?.includes(name), `package.nls.json has no setting.${id}.${key} that names ${name}`);
        assert.equal(property.markdownDescription ?? property.description, `%setting.${id}.${key}%`);
      }
    });
  }

  test('and settings of the agents in it alone', () => {
    const set = Object.keys(properties).flatMap((key) => /^treeline\.(\w+)\.(?:command|args)$/.exec(key)?.[1] ?? []);
    assert.deepEqual([...new Set(set)].sort(), AGENTS.map(({ id }) => id).sort());
  });

  test('and every format that a custom agent may have, with its words', () => {
    const format = properties['treeline.customAgents']?.items?.properties['format'];
    assert.deepEqual([...(format?.enum ?? [])].sort(), [...FORMATS].sort());
    assert.deepEqual(
      format?.enumDescriptions,
      format?.enum.map((one) => `%setting.customAgents.format.${one}%`),
    );
    for (const one of FORMATS) assert.ok(texts[`setting.customAgents.format.${one}`], one);
  });
});

suite('each agent', () => {
  test('ids and formats are there once', () => {
    assert.equal(new Set(AGENTS.map(({ id }) => id)).size, AGENTS.length);
    assert.equal(new Set(FORMATS).size, READERS.length);
  });

  for (const entry of AGENTS) {
    const adapter = adapterOf(entry);

    test(`${entry.id} can do what it says, and nothing else of what the code shows`, () => {
      assert.equal(entry.can.includes('resume'), adapter.resume !== undefined);
      assert.equal(entry.can.includes('own-id'), adapter.newAgentSession !== undefined);
      assert.equal(entry.can.includes('own-id'), entry.readers[0].ids?.chosen === true);
    });

    test(`${entry.id}: there are recordings of every format it prints`, () => {
      const captures = path.join(root, 'test/fixtures/captures');
      const folders = readdirSync(captures);
      for (const { format } of entry.readers) {
        assert.ok(
          folders.some((folder) => folder === format || folder.startsWith(`${format}-`)),
          `no recordings in test/fixtures/captures/${format}`,
        );
      }
    });

    test(`${entry.id}: the README says its id, how to install it, and its formats`, () => {
      const row = readmeRow(entry.name);
      assert.equal(row[2], `\`${entry.id}\``);
      assert.equal(row[3], `\`${entry.install}\``);
      for (const { format } of entry.readers) assert.ok(readmeRow('`format`')[2]?.includes(`\`${format}\``), format);
      // In backticks: what is copied for a terminal is the command alone.
      assert.ok(adapter.detection.install.includes(`\`${entry.install}\``));
    });
  }
});
