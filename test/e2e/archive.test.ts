import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Shell } from './shell.mts';
import { sessionItem, startTreeline, story, until, worktrees } from './support.mts';

test('archive, undo, purge, a foreign worktree, and a repair by the health check', async (t) => {
  const { workbench, server, browser, repo } = await startTreeline(t);
  const step = story(t, browser);
  const place = path.join(path.dirname(repo), `${path.basename(repo)}.worktrees`);
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: repo, encoding: 'utf8' });
  const kept = workbench.notification('All files are kept for at least 14 days');
  let tree = '';

  await step('archive from the menu takes the session out of sight, and Undo brings every file back', async () => {
    await workbench.showContainer('Treeline');
    await (await Shell.of(server, repo)).spawn('write draft.txt mine');
    await sessionItem(workbench, /^Idle: /).waitFor();
    [tree = ''] = worktrees(repo);
    await workbench.treeMenu(/^Idle: /, 'Archive Session', kept);
    await sessionItem(workbench, /^Idle: /).waitFor({ state: 'detached' });
    assert.equal(existsSync(tree), false);
    await workbench.notificationAction('All files are kept for at least 14 days', 'Undo');
    await sessionItem(workbench, /^Idle: /).waitFor();
    assert.equal(readFileSync(path.join(tree, 'draft.txt'), 'utf8'), 'mine\n');
  });

  await step('an archived worktree is deleted for good only after it was said what that loses', async () => {
    await workbench.treeMenu(/^Idle: /, 'Archive Session', kept);
    await workbench.notificationAction('All files are kept for at least 14 days', 'Show Archived');
    await sessionItem(workbench, /^Archived: /).waitFor();
    const dialog = workbench.dialog('Permanently delete');
    await workbench.treeMenu(/^Archived: /, 'Permanently Delete Archived Worktree…', dialog);
    await dialog.getByText('including 1 files whose contents are not in git').waitFor();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await dialog.waitFor({ state: 'detached' });
    await workbench.treeAction(/^Archived: /, 'Restore Archived Session', sessionItem(workbench, /^Idle: /));
  });

  await step('a worktree of the user’s own is removed only by its name', async () => {
    const foreign = path.join(path.dirname(repo), 'my-own');
    git('worktree', 'add', '--quiet', '-b', 'my-own', foreign);
    writeFileSync(path.join(foreign, 'draft.txt'), 'mine');
    await workbench.treeItem(/my-own/).waitFor();
    await workbench.treeMenu(/my-own/, 'Remove Worktree…', workbench.question('Remove Worktree my-own'));
    await workbench.answer('something', { asked: 'Remove Worktree my-own' });
    await workbench.quickInput.getByText('This does not match the name').waitFor();
    assert.ok(existsSync(foreign));
    await workbench.answer('my-own', { asked: 'Remove Worktree my-own' });
    await workbench.notificationAction('Archived: my-own', 'Undo');
    await until(() => existsSync(path.join(foreign, 'draft.txt')), 'it is back');
  });

  await step('the health check shows what a repair does, does it, and opens a report', async () => {
    mkdirSync(path.join(place, 'left-over'), { recursive: true });
    await workbench.command('Treeline: Check Health');
    await workbench.choose('left-over', { asked: 'Treeline: Health' });
    const dialog = workbench.dialog('left-over');
    await dialog.getByText('Remove ').first().waitFor();
    await dialog.getByRole('button', { name: 'Remove Empty Folder' }).click();
    await until(() => !existsSync(path.join(place, 'left-over')), 'the folder is gone');
    await workbench.choose('Open Full Report', { asked: 'Treeline: Health' });
    await workbench.tab('Treeline Health.md').waitFor();
    await workbench.editorText.getByText('# Treeline: health').waitFor();
  });
});
