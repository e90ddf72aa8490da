import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeRow, StandInHost } from './stand-in-host.ts';
import { withPage } from './support.ts';

const open = withPage();
const worktree = '/work/project.worktrees/task';

test('a path in the worktree is shown without it; one outside is shown whole', async () => {
  const file = (path: string): Parameters<typeof makeRow>[1] => ({
    kind: 'tool',
    tool: { name: 'Read', argument: path, file: path, state: 'ok' },
  });
  const rows = [file(`${worktree}/src/a.ts`), file(`${worktree}-other/b.ts`)].map((init, n) => makeRow(n + 1, init));
  const { page } = await open(new StandInHost(rows, { worktree }));
  const shown = page.locator('.row .argument');
  await shown.nth(1).waitFor();
  const texts = (await shown.allTextContents()).map((text) => text.replaceAll('\u200e', ''));
  assert.deepEqual(texts, ['src/a.ts', `${worktree}-other/b.ts`]);
});

test('a to-do list says the task in hand, and a result that all went well nothing again, until they are opened', async () => {
  const todo = [
    { text: 'Look', state: 'done' as const },
    { text: 'Write', state: 'doing' as const },
  ];
  const rows = [makeRow(1, { kind: 'todo', todo }), makeRow(2, { kind: 'result', text: 'All done.' })];
  const { page } = await open(new StandInHost(rows));
  const list = page.locator('.row.kind-todo');
  await list.getByText('Write').waitFor();
  assert.equal(await list.getByText('Look').count(), 0);
  assert.equal(await page.locator('.row.kind-result').getByText('All done.').count(), 0);
  await list.getByRole('button').click();
  await list.getByText('Look').waitFor();
  await page.locator('.row.kind-result').getByRole('button').click();
  await page.locator('.row.kind-result').getByText('All done.').waitFor();
});

test('a message of another session is not taken for the one in the same place of the session before', async () => {
  const rows = (text: string) => [
    makeRow(1, { kind: 'turn-start', text: 'Go' }),
    makeRow(2, { text }),
    makeRow(3, {
      kind: 'request',
      text: 'Shall I?',
      request: {
        id: 'r1',
        about: 'plan',
        state: 'open',
        input: { text: `Plan: ${text}`, bytes: 10, cut: false },
        choices: [],
      },
    }),
  ];
  const host = new StandInHost(rows('first'));
  const { page } = await open(host);
  await page.locator('.row .markdown').getByText('Plan: first').waitFor();
  host.rows.splice(0, 3, ...rows('other'));
  host.setHeader({ session: 'ses_0196c0de-0000-7000-8000-000000000002' });
  const other = page.locator('.row .markdown');
  await other.getByText('other', { exact: true }).waitFor();
  await other.getByText('Plan: other').waitFor();
  assert.equal(await other.getByText('first').count(), 0);
});
