import { gitText, tryGit } from './git.ts';
import type { Repository } from './types.ts';
import { listWorktrees } from './worktree-list.ts';

/** A branch that is checked out nowhere. */
export interface LooseBranch {
  readonly name: string;
  readonly commit: string;
  /** Whether another branch, a remote one or a tag holds its commits. */
  readonly held: boolean;
}

/** Branches that begin with `prefix` and are checked out in no worktree, without those in `except`; all branches for an empty prefix. */
export async function looseBranches(
  repository: Repository,
  prefix: string,
  except: ReadonlySet<string>,
): Promise<LooseBranch[]> {
  const args = ['for-each-ref', '--format=%(objectname) %(refname)', 'refs/heads'];
  const output = await gitText(repository.commonDir, ['--git-dir', repository.commonDir, ...args]);
  const all = output.split('\n').flatMap((line) => {
    const [, commit, name] = /^([0-9a-f]+) refs\/heads\/(.*)$/.exec(line) ?? [];
    return commit === undefined || name === undefined ? [] : [{ commit, name, held: false }];
  });
  if (prefix === '') return all;
  const checkedOut = new Set((await listWorktrees(repository)).map(({ branch }) => branch));
  const loose = all.filter(({ name }) => name.startsWith(prefix) && !except.has(name) && !checkedOut.has(name));
  const result: LooseBranch[] = [];
  for (const branch of loose) result.push({ ...branch, held: await isHeldElsewhere(repository, branch) });
  return result;
}

/** Deletes the branch if it is still at its commit, and if that is still held elsewhere. */
export async function deleteHeldBranch(repository: Repository, branch: LooseBranch): Promise<void> {
  if (!(await isHeldElsewhere(repository, branch))) return;
  const args = ['--git-dir', repository.commonDir, 'branch', '-D', '--', branch.name];
  const ref = ['--git-dir', repository.commonDir, 'rev-parse', '--verify', '--quiet', `refs/heads/${branch.name}`];
  const now = await tryGit(repository.commonDir, ref);
  if (now.stdout.toString('utf8').trim() === branch.commit) {
    await gitText(repository.commonDir, args, { writes: true });
  }
}

async function isHeldElsewhere(
  { commonDir }: Repository,
  { name, commit }: Omit<LooseBranch, 'held'>,
): Promise<boolean> {
  const places = ['refs/heads', 'refs/remotes', 'refs/tags'];
  const args = ['for-each-ref', '--count=2', '--format=%(refname)', `--contains=${commit}`, ...places];
  const holders = (await gitText(commonDir, ['--git-dir', commonDir, ...args])).split('\n');
  return holders.some((holder) => holder !== '' && holder !== `refs/heads/${name}`);
}
