import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bundle } from '../../manifest/sentences.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (file: string): unknown => JSON.parse(readFileSync(path.join(root, file), 'utf8'));

describe('localisation', () => {
  it('has every sentence of the code in the bundle, and no other', () => {
    const written = readFileSync(path.join(root, 'l10n/bundle.l10n.json'), 'utf8');
    assert.equal(written, bundle(), 'npm run manifest writes the sentences of the code into the bundle');
  });

  it('has every string that package.json names, and no other', () => {
    const manifest = readFileSync(path.join(root, 'package.json'), 'utf8');
    const named = [...manifest.matchAll(/"%([^%"]+)%"/g)].map(([, key]) => key);
    assert.deepEqual(Object.keys(read('package.nls.json') as object).sort(), [...new Set(named)].sort());
  });
});
