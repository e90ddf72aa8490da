import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { STRINGS } from '../../../src/protocol/strings.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (file: string): unknown => JSON.parse(readFileSync(path.join(root, file), 'utf8'));

/** The English sentences that the code hands to `t(…)` or `l10n.t(…)`. */
function sentences(): Set<string> {
  const files = ['views', 'commands', 'documents'].flatMap((folder) =>
    readdirSync(path.join(root, 'src', folder)).map((name) => path.join('src', folder, name)),
  );
  const found = new Set<string>(Object.values(STRINGS));
  for (const file of [...files, 'src/extension.ts']) {
    const text = readFileSync(path.join(root, file), 'utf8');
    for (const [, quoted = ''] of text.matchAll(/\bt\(\s*'((?:[^'\\]|\\.)*)'/g)) {
      found.add(quoted.replaceAll("\\'", "'"));
    }
  }
  return found;
}

describe('localisation', () => {
  it('has every sentence of the code in the bundle, and no other', () => {
    const bundle = read('l10n/bundle.l10n.json') as Record<string, string>;
    assert.deepEqual(Object.keys(bundle).sort(), [...sentences()].sort());
    for (const [key, value] of Object.entries(bundle)) {
      assert.equal(value, key);
    }
  });

  it('has every string that package.json names, and no other', () => {
    const manifest = readFileSync(path.join(root, 'package.json'), 'utf8');
    const named = [...manifest.matchAll(/"%([^%"]+)%"/g)].map(([, key]) => key);
    assert.deepEqual(Object.keys(read('package.nls.json') as object).sort(), [...new Set(named)].sort());
  });
});
