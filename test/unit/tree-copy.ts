/** Copies of the project's sources, to be changed by a test. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { tempDir } from './support.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** Copies the files of these folders and names that git knows, or would take; packages are those of the original. */
export async function copyTree(t: TestContext, ...what: readonly string[]): Promise<string> {
  const copy = await tempDir(t);
  const argv = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...what];
  const listed = execFileSync('git', argv, { cwd: root, encoding: 'utf8' }).split('\0');
  const files = new Set(listed.filter((file) => file !== ''));
  const deleted = execFileSync('git', ['ls-files', '-z', '--deleted'], { cwd: root, encoding: 'utf8' }).split('\0');
  for (const file of deleted) files.delete(file);
  for (const file of files) cpSync(path.join(root, file), path.join(copy, file));
  symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'), 'junction');
  return copy;
}

/** Puts `to` for `from`, which has to be there exactly once. */
export function edit(tree: string, file: string, from: string, to: string): void {
  const whole = path.join(tree, file);
  const parts = readFileSync(whole, 'utf8').split(from);
  if (parts.length !== 2) throw new Error(`${file} has “${from}” ${parts.length - 1} times`);
  writeFileSync(whole, parts.join(to));
}

/** The tests that fail in a copy of the tree, by their names. */
export function failingTests(tree: string, ...files: readonly string[]): string[] {
  // The child must not take itself for a part of this run.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const args = ['--test', '--test-reporter=tap', ...files];
  const { stdout } = spawnSync(process.execPath, args, { cwd: tree, env, encoding: 'utf8' });
  assert.match(stdout, /^# tests [1-9]/m);
  const failed = stdout.matchAll(/^ *not ok \d+ - (.*)\n *---\n *duration_ms: .*\n *type: '(\w+)'$/gm);
  return [...failed].flatMap(([, name = '', type]) => (type === 'suite' ? [] : [name]));
}
