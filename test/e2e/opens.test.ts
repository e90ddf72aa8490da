import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTreeline } from './support.mts';

test('the packed extension shows its container with two views', async (t) => {
  const { workbench, server } = await startTreeline(t);
  await workbench.showContainer('Treeline');
  await workbench.view('Sessions').waitFor();
  await workbench.view('Worktrees').waitFor();
  await server.end();
  assert.deepEqual(await server.processes(), [], 'a window without sessions leaves no process');
});
