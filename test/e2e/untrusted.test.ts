import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTreeline } from './support.mts';

test('starts nothing in a workspace until the user trusts it', async (t) => {
  const { server, workbench } = await startTreeline(t, { trustAll: false });
  const { page } = workbench;
  await page.getByRole('button', { name: "No, I don't trust the authors" }).click({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Restricted Mode' }).first().waitFor();

  // Its views are not there, its commands neither, and no process of it runs.
  const treeline = page.getByRole('tab', { name: 'Treeline' });
  assert.equal(await treeline.count(), 0);
  await workbench.palette('Treeline: Spawn', 'No matching commands');
  await page.keyboard.press('Escape');
  const processes = await server.processes();
  assert.deepEqual(
    processes.filter(({ command }) => /keeper\.cjs|agent\.mjs/.test(command)),
    [],
  );

  await workbench.command('Workspaces: Manage Workspace Trust');
  await page.getByRole('button', { name: 'Trust', exact: true }).first().click();
  await treeline.first().waitFor({ timeout: 60_000 });
});
