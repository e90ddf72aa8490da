import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { ESLint, Linter } from 'eslint';
import tseslint from 'typescript-eslint';

const root = path.resolve(import.meta.dirname, '../../..');

/** What the project's rules of style, which need no types, say of this code. */
async function lint(code: string): Promise<string[]> {
  const config = (await new ESLint({ cwd: root }).calculateConfigForFile(path.join(root, 'src/git/a.ts'))) as {
    rules: Linter.RulesRecord;
  };
  const { curly, 'no-restricted-syntax': syntax } = config.rules;
  const flat: Linter.Config = {
    files: ['**/*.ts'],
    languageOptions: { parser: tseslint.parser },
    rules: { ...(curly && { curly }), ...(syntax && { 'no-restricted-syntax': syntax }) },
  };
  return new Linter({ cwd: root }).verify(code, flat, 'src/git/a.ts').map(({ message }) => message);
}

test('a body has braces, unless it stands on the line of its if', async () => {
  assert.deepEqual(await lint('if (a) b();'), []);
  assert.deepEqual(await lint('if (a) {\n  b();\n}'), []);
  assert.equal((await lint('if (a)\n  b();')).length, 1);
  assert.equal((await lint('for (const a of b)\n  c(a);')).length, 1);
});

test('node:path is taken whole', async () => {
  assert.deepEqual(await lint("import path from 'node:path';"), []);
  assert.equal((await lint("import { join } from 'node:path';")).length, 1);
});
