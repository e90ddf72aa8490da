import { TreelineError } from '../platform/errors.ts';

/** What is known of a git that failed. */
export interface GitFailure {
  readonly args: readonly string[];
  readonly cwd: string;
  /** The end of what it printed to stderr. */
  readonly stderr: string;
  readonly exitCode: number | undefined;
}

interface Explanation {
  readonly code: string;
  readonly pattern: RegExp;
  readonly say: (found: RegExpExecArray, failure: GitFailure) => string;
}

/** git's English messages (LC_ALL=C) as of git 2.31 to 2.47, most telling first. */
const EXPLANATIONS: readonly Explanation[] = [
  {
    code: 'unsafe-repository',
    pattern: /detected dubious ownership in repository at '([^]*?)'|unsafe repository \('([^]*?)' is owned/,
    say: (found) => {
      const where = found[1] ?? found[2] ?? '';
      return `git does not trust ${where}, because it belongs to another user; if you trust it, run: git config --global --add safe.directory ${where}`;
    },
  },
  {
    code: 'disk-full',
    pattern: /No space left on device|Disk quota exceeded/,
    say: (_found, { cwd }) =>
      `git could not write because the disk is full (working in ${cwd}); free some space and try again.`,
  },
  {
    code: 'branch-exists',
    pattern: /cannot lock ref 'refs\/heads\/([^']*)': reference already exists/,
    say: (found) => `There is already a branch ${String(found[1])}; choose another name.`,
  },
  {
    code: 'branch-exists',
    pattern: /a branch named '([^']*)' already exists/i,
    say: (found) => `There is already a branch ${String(found[1])}; choose another name.`,
  },
  {
    code: 'branch-exists',
    pattern: /'refs\/heads\/([^']*)' exists; cannot create 'refs\/heads\/([^']*)'/,
    say: (found) =>
      `The branch ${String(found[2])} cannot be made beside the branch ${String(found[1])}, because one is a folder of the other to git; choose another name.`,
  },
  {
    code: 'branch-checked-out',
    pattern: /'([^']*)' is already (?:checked out|used by worktree) at '([^]*?)'(?:\n|$)/,
    say: (found) =>
      `The branch ${String(found[1])} is checked out in ${String(found[2])}; close or switch that worktree and try again.`,
  },
  {
    code: 'hook-failed',
    pattern: /ref updates aborted by hook/,
    say: (_found, failure) =>
      `The repository's reference-transaction hook refused the change: ${lastWords(failure)} See the hook, or ask who keeps it.`,
  },
  {
    code: 'locked',
    pattern: /Unable to create '([^]*?\.lock)': File exists/,
    say: (found) =>
      `Another git process holds ${String(found[1])}; wait for it to end, and delete that file if no git is running.`,
  },
  {
    code: 'filter-failed',
    pattern: /(?:smudge|clean) filter '?([^'\n]*?)'? failed/,
    say: (found) =>
      `The repository's content filter ${String(found[1])} failed; check that its program is installed (Git LFS, for instance) and try again.`,
  },
  {
    code: 'file-unreadable',
    pattern: /cannot hash (.*)/,
    say: (found, { cwd }) =>
      `git could not read ${String(found[1])} in ${cwd}; check its permissions, or remove it if it is not a regular file.`,
  },
  {
    code: 'broken-repository',
    pattern: /not a git repository: (.*)/,
    say: (found, { cwd }) =>
      `The .git file of ${cwd} points to ${String(found[1])}, which is not there; run git worktree repair in the main worktree.`,
  },
  {
    code: 'not-a-repository',
    pattern: /not a git repository|must be run in a work tree/,
    say: (_found, { cwd }) =>
      `${cwd} is not in a git repository's worktree; open a folder of a repository, or run git init.`,
  },
];

/** A failure that goes away by itself: another git held a lock, or was in the middle of making or removing a worktree. */
const TRANSIENT =
  /Unable to create '[^]*?\.lock': File exists|could not lock|failed to read [^\n]*(?:commondir|gitdir|HEAD)|unable to (?:create directory for|append to) [^\n]*refs|Invalid path '[^]*?[/\\]worktrees[/\\][^/\\]+': No such file/;

export function isTransient(stderr: string): boolean {
  return TRANSIENT.test(stderr);
}

/** The error for the user: git's own words, and what to do. */
export function gitError(failure: GitFailure): TreelineError {
  const cause = new Error(
    `git ${failure.args.join(' ')} (in ${failure.cwd}): exit ${String(failure.exitCode)}\n${failure.stderr}`,
  );
  for (const { code, pattern, say } of EXPLANATIONS) {
    const found = pattern.exec(failure.stderr);
    if (found) return new TreelineError(code, say(found, failure), { cause });
  }
  const verb = failure.args.find((arg) => /^[a-z]/.test(arg)) ?? '';
  return new TreelineError('git-failed', `git ${verb} failed in ${failure.cwd}: ${lastWords(failure)}`, { cause });
}

/** The line of stderr that says most: the last `fatal:` or `error:`, else the last one. */
export function lastWords({ stderr, exitCode }: Pick<GitFailure, 'stderr' | 'exitCode'>): string {
  const lines = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const telling = lines.findLast((line) => /^(fatal|error):/.test(line)) ?? lines.at(-1);
  if (telling === undefined) return `it said nothing (exit ${String(exitCode ?? 'by a signal')}).`;
  return telling.replace(/^(fatal|error): /, '').replace(/([^.!?])$/, '$1.');
}
