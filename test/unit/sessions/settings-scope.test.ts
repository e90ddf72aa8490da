import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

/** Settings that a repository may bring: they choose names, figures and looks, and start, delete or place nothing elsewhere. */
const HARMLESS = new Set([
  'treeline.maxConcurrent',
  'treeline.branchName',
  'treeline.stopGraceInterrupt',
  'treeline.stopGraceTerminate',
  'treeline.warmWorktrees',
  'treeline.sessionsLayout',
  'treeline.notifications',
  'treeline.showArchived',
]);

test('no setting of a repository runs a program, deletes anything, or writes outside its place', () => {
  const manifest = JSON.parse(readFileSync(path.join(import.meta.dirname, '../../../package.json'), 'utf8')) as {
    contributes: { configuration: readonly { properties: Record<string, { scope?: string }> }[] };
  };
  const settings = manifest.contributes.configuration.flatMap(({ properties }) => Object.entries(properties));
  assert.ok(settings.length > HARMLESS.size);
  for (const [name, { scope }] of settings) {
    if (HARMLESS.has(name)) continue;
    assert.ok(scope === 'machine' || scope === 'application', `${name} can be set by a repository (${scope})`);
  }
  const trash = settings.find(([name]) => name === 'treeline.trashDays');
  assert.equal(trash?.[1].scope, 'application');
});
