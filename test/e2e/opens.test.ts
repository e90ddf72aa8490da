import { test } from 'node:test';
import { startTreeline, untilNothingRuns } from './support.mts';

test('the packed extension shows its container with two views', async (t) => {
  const { workbench, server } = await startTreeline(t, { whole: true });
  await workbench.showContainer('Treeline');
  await workbench.view('Sessions').waitFor();
  await workbench.view('Worktrees').waitFor();
  await server.end();
  // A window without sessions leaves no process.
  await untilNothingRuns(server);
});
