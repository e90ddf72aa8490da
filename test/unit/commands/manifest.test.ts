import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { COMMAND_NAMES, commandId } from '../../../src/commands/table.ts';
import { SETTINGS } from '../../../src/sessions/settings.ts';
import { withTables } from '../../manifest/contributes.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const text = (file: string): string => readFileSync(path.join(root, file), 'utf8');

test('package.json has the commands and settings of the tables', () => {
  const manifest = text('package.json');
  assert.equal(manifest, withTables(manifest), 'npm run manifest writes what src/ has changed into package.json');
});

test('the README says of every setting what it is where nobody sets it', () => {
  const rows = text('README.md')
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()));
  for (const [name, setting] of Object.entries(SETTINGS)) {
    const [, , otherwise] = rows.find(([, first]) => first === `\`treeline.${name}\``) ?? [];
    assert.equal(otherwise, `\`${setting.default}\``, `README.md: treeline.${name}`);
  }
});

test('every setting is read somewhere', () => {
  const files = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' });
  const code = files
    .filter((file) => file.endsWith('.ts') && path.basename(file) !== 'settings.ts')
    .map((file) => text(path.join('src', file)))
    .join('\n');
  for (const name of Object.keys(SETTINGS)) assert.ok(code.includes(`('${name}'`), `nothing in src/ reads ${name}`);
});

test('what package.nls.json and the settings link to are commands that exist', () => {
  const links = [...text('package.nls.json').matchAll(/\(command:(treeline\.\w+)/g)].map(([, id]) => id);
  assert.ok(links.length > 0);
  const ids = COMMAND_NAMES.map(commandId);
  assert.deepEqual(
    links.filter((id) => !ids.includes(id!)),
    [],
  );
});

test('only the table knows the ids of commands', () => {
  // Some have the name of the setting that they change.
  const names = COMMAND_NAMES.filter((name) => !(name in SETTINGS));
  const ids = names.map((name) => new RegExp(`['"\`]${commandId(name).replace('.', '\\.')}['"\`]`));
  const files = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' });
  const found = files
    .filter((file) => file.endsWith('.ts'))
    .filter((file) => ids.some((id) => id.test(text(path.join('src', file)))));
  assert.deepEqual(found, []);
});
