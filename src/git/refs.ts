import { gitText } from './git.ts';
import type { Ref, Repository } from './types.ts';

const KINDS: Readonly<Record<string, Ref['kind']>> = { heads: 'branch', remotes: 'remote', tags: 'tag' };

/** One field a line is not possible (a subject may hold anything but newline and NUL), so fields end with NUL and records with newline. */
const FORMAT = [
  'refname',
  'symref',
  'objecttype',
  'objectname',
  '*objecttype',
  '*objectname',
  'creatordate:unix',
  'contents:subject',
]
  .map((field) => `%(${field})`)
  .join('%00');

/** The id that git uses for no commit, as long as `commit`'s: SHA-1 and SHA-256 differ. */
export function noCommit(commit: string): string {
  return '0'.repeat(commit.length);
}

/** Branches, remote branches and tags that lead to a commit, newest first, at most `limit`. */
export async function refs(repository: Repository, limit = 2000, signal?: AbortSignal): Promise<Ref[]> {
  const args = [
    'for-each-ref',
    `--format=${FORMAT}`,
    '--sort=-creatordate',
    `--count=${limit}`,
    'refs/heads',
    'refs/remotes',
    'refs/tags',
  ];
  const output = await gitText(repository.commonDir, ['--git-dir', repository.commonDir, ...args], { signal });
  return output.split('\n').flatMap((line) => {
    const [ref = '', symref, type, id = '', peeledType, peeled = '', date, subject = ''] = line.split('\0');
    const [, folder = '', name = ''] = /^refs\/(\w+)\/(.*)$/.exec(ref) ?? [];
    const kind = KINDS[folder];
    const commit = type === 'commit' ? id : peeledType === 'commit' ? peeled : undefined;
    // A symbolic ref such as origin/HEAD shows a branch that is listed by itself.
    if (kind === undefined || commit === undefined || symref !== '') return [];
    return [{ kind, name, ref, commit, at: Number(date) * 1000, subject }];
  });
}
