import { createHash } from 'node:crypto';
import os from 'node:os';
import path from 'node:path';
import { readIfExists } from '../platform/atomic-file.ts';
import { tryGit } from './git.ts';
import { gitError } from './git-error.ts';
import type { Repository } from './types.ts';
import { isAtLeast } from '../platform/version.ts';
import { gitVersion } from './version.ts';
import { exists } from './worktree-list.ts';

/** The first version with `git hook run` (git's release notes), which runs the post-checkout hook when a worktree is given out. */
const HOOK_RUN_SINCE = '2.36';

/** Extensions of the repository format that change nothing about a worktree; with any other, there is no pool. */
const HARMLESS_EXTENSIONS = new Set(['extensions.objectformat', 'extensions.preciousobjects', 'extensions.noop']);

export interface CheckoutProfile {
  /** A digest of all that a checkout depends on beside its commit. */
  readonly fingerprint: string;
  /** Whether there may be a post-checkout hook. */
  readonly mayHaveHook: boolean;
}

/**
 * What a checkout depends on beside its commit; undefined where that is more than the configuration (sparse, partial, a
 * configuration for each worktree), or git is too old: then there is no pool.
 * Names and values are those of git-config(1) and gitattributes(5).
 */
export async function checkoutProfile({ commonDir }: Repository): Promise<CheckoutProfile | undefined> {
  if (!isAtLeast(await gitVersion(), HOOK_RUN_SINCE)) return undefined;
  return profileOf(commonDir, await settingsOf(commonDir));
}

type Setting = readonly [name: string, value: string];

async function settingsOf(commonDir: string): Promise<readonly Setting[]> {
  const names = '^(core|filter|extensions|hook|worktree|include|includeif)\\.';
  const args = ['--git-dir', commonDir, 'config', '--null', '--get-regexp', names];
  const { exitCode, stdout, stderr } = await tryGit(commonDir, args);
  // 1: nothing is set.
  if (exitCode !== 0 && exitCode !== 1) throw gitError({ args, cwd: commonDir, exitCode, stderr });
  return stdout.toString('utf8').split('\0').map(nameAndValue);
}

async function profileOf(commonDir: string, settings: readonly Setting[]): Promise<CheckoutProfile | undefined> {
  const attributes = [path.join(commonDir, 'info/attributes'), path.join(configFolder(), 'attributes')];
  let mayHaveHook = await exists(path.join(commonDir, 'hooks/post-checkout'));
  for (const [name, value] of settings) {
    if (name.startsWith('extensions.') && !HARMLESS_EXTENSIONS.has(name)) return undefined;
    if (name === 'worktree.userelativepaths' && value !== 'false') return undefined;
    if (name === 'core.sparsecheckout' && value !== 'false') return undefined;
    if (name === 'core.hookspath' || name.startsWith('hook.')) mayHaveHook = true;
    if (name === 'core.attributesfile') attributes.push(value.replace(/^~(?=\/)/, os.homedir()));
  }
  const hash = createHash('sha256').update(JSON.stringify(settings));
  for (const file of attributes) {
    hash.update(`\0${(await readIfExists(file).catch(() => undefined))?.toString() ?? ''}`);
  }
  return { fingerprint: hash.digest('hex'), mayHaveHook };
}

function nameAndValue(record: string): Setting {
  const end = record.indexOf('\n');
  // A name without a value stands for true.
  return end < 0 ? [record.toLowerCase(), 'true'] : [record.slice(0, end).toLowerCase(), record.slice(end + 1)];
}

/** The user's folder for git. */
function configFolder(): string {
  return path.join(process.env['XDG_CONFIG_HOME'] || path.join(os.homedir(), '.config'), 'git');
}
