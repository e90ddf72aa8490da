import assert from 'node:assert/strict';
import { test } from 'node:test';
import { branchName, firstFree, takenRefs, isBranchName, slug } from '../../../src/git/branch-name.ts';
import { findRepository } from '../../../src/git/repository.ts';
import { DEFAULT_SETTINGS } from '../../../src/sessions/settings.ts';
import { git, tempRepo } from '../support.ts';

test('a slug is words of a-z0-9, at most 40 characters, never empty', () => {
  assert.equal(slug('Fix the LOGIN flow!'), 'fix-the-login-flow');
  assert.equal(slug("Don't crash über Größe, Łódź & æther"), 'dont-crash-uber-grosse-lodz-aether');
  assert.equal(slug('ﬁx № ①'), 'fix-no-1');
  assert.equal(slug('日本語 🚀'), 'task');
  assert.equal(slug('$(touch f) `x` ; rm -rf /'), 'touch-f-x-rm-rf');
  assert.equal(slug(''), 'task');
  assert.equal(slug('x'.repeat(100)), 'x'.repeat(40));
  assert.equal(slug('one two three four five six seven eight nine ten'), 'one-two-three-four-five-six-seven-eight');
});

test('a branch name comes from the template, and a template that git would refuse is named', () => {
  const parts = { name: 'Fix it', id: '7f3k', agent: 'claude' };
  assert.equal(branchName(DEFAULT_SETTINGS.branchName, parts), 'treeline/fix-it-7f3k');
  assert.equal(branchName('${agent}/${id}', parts), 'claude/7f3k');
  for (const bad of ['', '-${slug}', 'a b', 'a..b', 'x/${unknown}', '/x', 'x.lock', '${constructor}']) {
    assert.throws(() => branchName(bad, parts), { code: 'bad-branch-template' }, bad);
  }
});

test('isBranchName never takes what git refuses', async (t) => {
  const repo = await tempRepo(t);
  const names = [
    'a', 'a/b', 'ä/ö', '🚀', '$(touch f)', "it's", '-x', 'a..b', 'a.', '.a', 'a/.b', 'a.lock', 'a.lock/b', 'a//b', '/a', 'a/',
    '@', '@{x', 'a@{b', 'a~1', 'a^', 'a:b', 'a?', 'a*', 'a[b', 'a\\b', 'a b', 'a\tb', 'a\nb', 'a\x7fb', 'HEAD', '@{-1}', 'x@y', '',
  ]; // prettier-ignore
  for (const name of names) {
    const allowed = await git(repo, 'check-ref-format', '--branch', name).then(
      () => true,
      () => false,
    );
    if (isBranchName(name)) assert.ok(allowed, `git refuses ${JSON.stringify(name)}`);
  }
  for (const name of ['a', 'a/b', 'ä/ö', '🚀', '$(touch', "it's", 'x@y']) assert.ok(isBranchName(name), name);
});

test('the first free name avoids branches, remote branches, tags, folders and other cases', () => {
  const refs = [
    'refs/heads/main',
    'refs/heads/fix/a',
    'refs/heads/fix/a-2',
    'refs/remotes/origin/feature',
    'refs/remotes/origin/HEAD',
    'refs/remotes/my/fork/topic/x',
    'refs/tags/v1',
  ];
  assert.equal(firstFree('new', refs), 'new');
  assert.equal(firstFree('fix/a', refs), 'fix/a-3');
  assert.equal(firstFree('MAIN', refs), 'MAIN-2');
  assert.equal(firstFree('feature', refs), 'feature-2');
  assert.equal(firstFree('topic/x', refs), 'topic/x-2');
  assert.equal(firstFree('v1', refs), 'v1-2');
  assert.equal(firstFree('fix', refs), 'fix-2', 'a folder of refs');
  assert.equal(firstFree('main/x', refs), 'main-2/x', 'below a branch');
  assert.equal(firstFree('\u00e9', ['refs/heads/e\u0301']), '\u00e9-2', 'one name to macOS');
});

test('takenRefs reads the repository', async (t) => {
  const repo = await tempRepo(t);
  await git(repo, 'branch', 'x');
  await git(repo, 'update-ref', 'refs/remotes/origin/x-2', 'HEAD');
  const repository = (await findRepository(repo))!;
  assert.equal(firstFree('x', await takenRefs(repository)), 'x-3');
  assert.equal(firstFree('x/y', await takenRefs(repository)), 'x-3/y');
});
