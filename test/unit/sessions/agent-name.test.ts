import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_SETTINGS } from '../../../src/sessions/settings.ts';
import { Treeline } from '../../../src/hosts/treeline.ts';
import { tempDir } from '../support.ts';
import { ASSETS, LOG, customAgents } from './support.ts';

test('an agent is called by its name, one that nobody knows by its id', async (t) => {
  const settings = { ...DEFAULT_SETTINGS, customAgents: customAgents() };
  const treeline = new Treeline({
    globalStorage: await tempDir(t),
    settings: () => settings,
    log: LOG,
    version: '0.1.0',
    assets: ASSETS,
  });
  t.after(() => treeline.dispose());
  assert.deepEqual(
    ['claude', 'scripted', 'nobody'].map((id) => treeline.agentName(id)),
    ['Claude Code', 'Scripted', 'nobody'],
  );
});
