import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTreeline } from './support.mts';

test('starts nothing in a workspace that is not trusted', async (t) => {
  const { server, workbench } = await startTreeline(t, { trustAll: false });
  const { page } = workbench;
  await page
    .getByRole('button', { name: /Restricted Mode/ })
    .first()
    .waitFor({ timeout: 60_000 });
  // Its views are not there, its commands neither, and no process of it runs.
  assert.equal(await page.getByRole('tab', { name: /Treeline/ }).count(), 0);
  await page.keyboard.press('F1');
  await workbench.quickInput.locator('input').first().fill('>Treeline: Spawn');
  await workbench.quickInput.getByText('No matching commands').first().waitFor({ timeout: 15_000 });
  const processes = await server.processes();
  assert.deepEqual(
    processes.filter(({ command }) => /keeper\.cjs|agent\.mjs/.test(command)),
    [],
  );
});
