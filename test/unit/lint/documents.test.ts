/** What the documents name is there. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

const root = path.resolve(import.meta.dirname, '../../..');
const text = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const { scripts } = JSON.parse(text('package.json')) as { readonly scripts: Readonly<Record<string, string>> };
const folders = ['', 'src/', 'src/*/', 'test/faults/'];

/** Whether a file, a folder or a pattern of the repository is there; paths in src/ and names in one of its folders are written without it. */
function exists(name: string): boolean {
  const pattern = name.replace(/<\w+>/g, '*');
  return folders.some((folder) => globSync(path.join(root, folder, pattern)).length > 0);
}

for (const document of ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md']) {
  test(`${document}: each file of the sources, each link and each script is there`, () => {
    const words = text(document);
    const files = [...words.matchAll(/`((?:[\w<>*.-]+\/)*[\w<>*.-]+\.(?:ts|mts|mjs))`/g)].map(([, name]) => name!);
    // What other people's commands name is theirs.
    assert.deepEqual(
      files.filter((name) => !exists(name) && name !== 'notes.mjs'),
      [],
    );
    const links = [...words.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, name]) => name!);
    assert.deepEqual(
      links.filter((name) => !existsSync(path.join(root, name))),
      [],
    );
    const run = [...words.matchAll(/npm run (\w+)/g)].map(([, name]) => name!);
    assert.deepEqual(
      run.filter((name) => !(name in scripts)),
      [],
    );
  });
}
