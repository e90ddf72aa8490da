import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { readIfExists } from '../platform/atomic-file.ts';
import { tryGit } from './git.ts';
import { gitError } from './git-error.ts';
import type { Repository } from './types.ts';
import { gitVersion, isAtLeast } from './version.ts';
import { exists } from './worktree-list.ts';

/** The first version with `git hook run` (git's release notes), which runs the post-checkout hook when a worktree is given out. */
const HOOK_RUN_SINCE = '2.36';

/** Extensions of the repository format that change nothing about a worktree; with any other, worktrees are made by git alone. */
const HARMLESS_EXTENSIONS = new Set(['extensions.objectformat', 'extensions.preciousobjects', 'extensions.noop']);

/** What git said of a repository is good for so long, if no file that it rests on has changed: ms. */
const GOOD_FOR = 60_000;

export interface Survey {
  /** A digest of all that a checkout depends on beside its commit. */
  readonly fingerprint: string;
  /** Whether there may be a post-checkout hook. */
  readonly mayHaveHook: boolean;
}

/** What was found last of a repository. */
interface Found {
  readonly survey: Survey | undefined;
  /** ms since the epoch. */
  readonly at: number;
  /** What the files that it rests on looked like; undefined where not all of them are known. */
  readonly files: string | undefined;
}

/** By the common git directory. */
const last = new Map<string, Found>();

/** Whether the repository was suited when it was last looked at. */
export function wasSuited({ commonDir }: Repository): boolean {
  return last.get(commonDir)?.survey !== undefined;
}

/** As {@link surveyed}, but git is not asked again what it said a moment ago, if no file that it rests on has changed since. */
export async function surveyedLately(repository: Repository): Promise<Survey | undefined> {
  const found = last.get(repository.commonDir);
  const isFresh = found?.files !== undefined && Date.now() - found.at < GOOD_FOR;
  return isFresh && found.files === (await looksOf(repository)) ? found.survey : surveyed(repository);
}

/**
 * What a checkout depends on beside its commit; undefined where that is more than the configuration (sparse, partial, a
 * configuration for each worktree), or git is too old: then git alone makes worktrees.
 * Names and values are those of git-config(1) and gitattributes(5).
 */
export async function surveyed(repository: Repository): Promise<Survey | undefined> {
  const { commonDir } = repository;
  const at = Date.now();
  const files = await looksOf(repository);
  const settings = await settingsOf(commonDir);
  const survey = isAtLeast(await gitVersion(), HOOK_RUN_SINCE) ? await judged(commonDir, settings) : undefined;
  const includes = settings.some(([name]) => /^include(if)?\./.test(name));
  last.set(commonDir, { survey, at, files: includes ? undefined : files });
  return survey;
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

async function judged(commonDir: string, settings: readonly Setting[]): Promise<Survey | undefined> {
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

/** The files that git reads its configuration from, and the folder of the hooks, as they look: git-config(1), FILES. */
async function looksOf({ commonDir }: Repository): Promise<string> {
  const { GIT_CONFIG_SYSTEM: system = '/etc/gitconfig', GIT_CONFIG_GLOBAL: global } = process.env;
  const users =
    global === undefined ? [path.join(os.homedir(), '.gitconfig'), path.join(configFolder(), 'config')] : [global];
  const own = ['config', 'config.worktree', 'hooks'].map((name) => path.join(commonDir, name));
  const looks = await Promise.all(
    [...own, ...users, system].map((file) => stat(file, { bigint: true }).catch(() => undefined)),
  );
  return looks.map((look) => (look ? `${look.ino} ${look.size} ${look.mtimeNs}` : 'none')).join();
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
