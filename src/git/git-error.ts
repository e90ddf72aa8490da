import { TreelineError } from '../platform/errors.ts';
import { say, type Saying } from '../words/saying.ts';

/** What is known of a git that failed. */
export interface GitFailure {
  readonly args: readonly string[];
  readonly cwd: string;
  /** The end of what it printed to stderr. */
  readonly stderr: string;
  readonly exitCode: number | undefined;
}

interface Explanation {
  readonly pattern: RegExp;
  readonly say: (found: readonly string[], failure: GitFailure) => Saying;
}

/** git's English messages (LC_ALL=C) as of git 2.31 to 2.47, most telling first. */
const EXPLANATIONS: readonly Explanation[] = [
  {
    pattern: /detected dubious ownership in repository at '([^]*?)'|unsafe repository \('([^]*?)' is owned/,
    say: ([first, second]) => say('unsafe-repository', { folder: (first || second) ?? '' }),
  },
  {
    pattern: /No space left on device|Disk quota exceeded/,
    say: (_found, { cwd }) => say('disk-full.git', { folder: cwd }),
  },
  {
    pattern: /cannot lock ref 'refs\/heads\/([^']*)': reference already exists/,
    say: ([branch = '']) => say('branch-exists', { branch }),
  },
  {
    pattern: /a branch named '([^']*)' already exists/i,
    say: ([branch = '']) => say('branch-exists', { branch }),
  },
  {
    pattern: /'refs\/heads\/([^']*)' exists; cannot create 'refs\/heads\/([^']*)'/,
    say: ([other = '', branch = '']) => say('branch-exists.folder', { branch, other }),
  },
  {
    pattern: /'([^']*)' is already (?:checked out|used by worktree) at '([^]*?)'(?:\n|$)/,
    say: ([branch = '', folder = '']) => say('branch-checked-out', { branch, folder }),
  },
  {
    pattern: /ref updates aborted by hook/,
    say: (_found, { stderr }) => {
      const ownWords = stderr.replace(/^.*ref updates aborted by hook.*$|^Preparing worktree .*$/gm, '');
      const reason = lastWords({ stderr: ownWords });
      return reason === undefined ? say('hook-failed.refs-silent') : say('hook-failed.refs', { reason });
    },
  },
  {
    pattern: /Unable to create '([^]*?\.lock)': File exists/,
    say: ([file = '']) => say('locked', { file }),
  },
  {
    pattern: /(?:smudge|clean) filter '?([^'\n]*?)'? failed/,
    say: ([program = '']) => say('filter-failed', { program }),
  },
  {
    pattern: /cannot hash (.*)/,
    say: ([file = ''], { cwd }) => say('file-unreadable', { file, folder: cwd }),
  },
  {
    pattern: /not a git repository: (.*)/,
    say: ([target = ''], { cwd }) => say('broken-repository', { folder: cwd, target }),
  },
  {
    pattern: /not a git repository|must be run in a work tree/,
    say: (_found, { cwd }) => say('not-a-repository', { folder: cwd }),
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
  for (const { pattern, say: explain } of EXPLANATIONS) {
    const found = pattern.exec(failure.stderr);
    if (found) return new TreelineError(explain(found.slice(1), failure), { cause });
  }
  const verb = failure.args.find((arg) => /^[a-z]/.test(arg)) ?? '';
  const where = { verb, folder: failure.cwd };
  const reason = lastWords(failure);
  const said =
    reason === undefined
      ? say('git-failed.silent', { ...where, exit: failure.exitCode ?? '?' })
      : say('git-failed', { ...where, reason });
  return new TreelineError(said, { cause });
}

/** The line of stderr that says most: the last `fatal:` or `error:`, else the last one; undefined where it says nothing. */
export function lastWords({ stderr }: Pick<GitFailure, 'stderr'>): string | undefined {
  const lines = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const telling = lines.findLast((line) => /^(fatal|error):/.test(line)) ?? lines.at(-1);
  return telling?.replace(/^(fatal|error): /, '').replace(/([^.!?])$/, '$1.');
}
