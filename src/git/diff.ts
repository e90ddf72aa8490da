import { constants } from 'node:fs';
import { access, lstat } from 'node:fs/promises';
import path from 'node:path';
import { TreelineError } from '../platform/errors.ts';
import { say } from '../words/saying.ts';
import { git, gitRecords, gitText, tryGit, withoutNewline, type GitOptions } from './git.ts';
import { gitError } from './git-error.ts';
import type { ChangeKind, FileChange, Repository } from './types.ts';
import { exists } from './worktree-list.ts';

/**
 * The commit that a worktree's changes are counted from: where its branch left the base. The base itself when it is an ancestor
 * of HEAD, and also when the two share no history that is here (a shallow clone).
 */
export async function diffBase(worktree: string, baseCommit: string, signal?: AbortSignal): Promise<string> {
  const args = ['merge-base', '--end-of-options', baseCommit, 'HEAD'];
  const found = await tryGit(worktree, args, { signal });
  if (found.exitCode === 0) return withoutNewline(found.stdout);
  if (found.exitCode === 1) return baseCommit;
  throw gitError({ args, cwd: worktree, ...found });
}

/**
 * Every file that differs between `diffBase(worktree, baseCommit)` and the worktree as it is now, whether committed, staged,
 * changed or untracked, each path once. The index is not touched. Line counts are absent for untracked files.
 */
export async function* changes(
  worktree: string,
  baseCommit: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<FileChange> {
  const base = await diffBase(worktree, baseCommit, signal);
  const listed = listConflicts(worktree, signal);
  // Awaited later, beside a loop that may fail first.
  listed.catch(() => undefined);
  /** Removed from the index but not from the disk: where git lists it as untracked too, it is one changed file to the user. */
  const onDisk = new Map<string, FileChange>();
  for await (const change of trackedChanges(worktree, [base], signal)) {
    const conflicted = await listed;
    if (conflicted.delete(change.path)) yield { ...change, kind: 'conflicted' };
    else if (change.kind === 'deleted' && (await exists(path.join(worktree, change.path)))) {
      onDisk.set(change.path, change);
    } else yield change;
  }
  // In conflict, though as in the base at the moment.
  for (const file of await listed) yield { path: file, kind: 'conflicted', binary: false };
  // As they come: there may be very many, and who asked may want only the first.
  const others = ['ls-files', '--others', '--exclude-standard', '-z'];
  for await (const file of gitRecords(worktree, others, { signal })) {
    const removed = onDisk.get(file);
    // A folder is listed whole when it is a repository of its own.
    if (file.endsWith('/')) yield { path: file.slice(0, -1), kind: 'submodule', binary: false };
    else if (removed === undefined) yield { path: file, kind: 'untracked', binary: false };
    else yield { path: file, kind: 'modified', binary: removed.binary };
    onDisk.delete(file);
  }
  // What is left is ignored by git.
  yield* onDisk.values();
}

/** Every file that differs between two commits: what is left to see of a worktree that is gone. */
export async function* changesBetween(
  repository: Repository,
  base: string,
  tip: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<FileChange> {
  yield* trackedChanges(repository.commonDir, [base, tip], signal);
}

/** Files in conflict, which `git diff <commit>` does not tell. `git ls-files --unmerged` has `mode id stage TAB path` for each stage. */
async function listConflicts(worktree: string, signal: AbortSignal | undefined): Promise<Set<string>> {
  const conflicted = new Set<string>();
  for await (const record of gitRecords(worktree, ['ls-files', '--unmerged', '-z'], { signal })) {
    conflicted.add(record.slice(record.indexOf('\t') + 1));
  }
  return conflicted;
}

interface RawChange {
  readonly kind: ChangeKind;
  readonly from?: string;
  readonly modeChanged?: true;
}

/** Rounds in which files that git cannot read are found and left out; the first finds all but those that come up meanwhile. */
const READ_ROUNDS = 5;
/** More files that git cannot read than this are an error: they become arguments. */
const MOST_UNREADABLE = 500;

/**
 * As {@link readChanges}. One file that git cannot read makes it give up with "cannot hash": then the rest is read without it,
 * and it is told as unreadable.
 */
async function* trackedChanges(
  folder: string,
  commits: readonly string[],
  signal: AbortSignal | undefined,
): AsyncGenerator<FileChange> {
  const told = new Set<string>();
  const unreadable: string[] = [];
  for (let round = 1; ; round++) {
    const waiting = new Map<string, RawChange>();
    try {
      for await (const change of readChanges(folder, commits, { signal, waiting, without: unreadable })) {
        if (told.has(change.path)) continue;
        told.add(change.path);
        yield change;
      }
      return;
    } catch (error) {
      if (round === READ_ROUNDS || !(error instanceof TreelineError) || error.code !== 'file-unreadable') throw error;
      const found: string[] = [];
      for (const [file, raw] of waiting) {
        if (raw.kind === 'deleted' || raw.kind === 'submodule' || (await isReadable(path.join(folder, file)))) continue;
        found.push(file);
        told.add(file);
        yield { path: file, ...raw, binary: false, unreadable: true };
      }
      unreadable.push(...found);
      if (found.length === 0 || unreadable.length > MOST_UNREADABLE) throw error;
    }
  }
}

/** Whether git can read it: a file or a link, whose permissions allow it. */
async function isReadable(file: string): Promise<boolean> {
  try {
    const found = await lstat(file);
    if (found.isSymbolicLink()) return true;
    await access(file, constants.R_OK);
    return found.isFile();
  } catch {
    return false;
  }
}

interface ReadChanges {
  readonly signal: AbortSignal | undefined;
  /** Filled with the files that are listed and whose lines are not counted yet. */
  readonly waiting: Map<string, RawChange>;
  /** Files to leave out. */
  readonly without: readonly string[];
}

/**
 * Reads `git diff --raw --numstat -z`: first all raw records (`:mode mode id id status` NUL path NUL [path NUL]), then all counts
 * (`added TAB removed TAB path NUL`, or with an empty path, NUL from NUL path NUL for a rename; `-` for binary).
 */
async function* readChanges(
  folder: string,
  commits: readonly string[],
  { signal, waiting, without }: ReadChanges,
): AsyncGenerator<FileChange> {
  const args = [
    'diff',
    '--raw',
    '--numstat',
    '-z',
    '-M',
    '--abbrev=40',
    '--no-ext-diff',
    '--no-textconv',
    '--no-relative',
    '--submodule=short',
    ...commits,
    '--',
    ...(without.length === 0 ? [] : ['.', ...without.map((file) => `:(top,exclude,literal)${file}`)]),
  ];
  const records = gitRecords(folder, args, { signal, timeoutMs: 600_000 });
  const next = async (): Promise<string> => {
    const step = await records.next();
    if (step.done === true) {
      throw new TreelineError(say('git-failed.torn', { folder }));
    }
    return step.value;
  };
  try {
    for (let step = await records.next(); step.done !== true; step = await records.next()) {
      const record = step.value;
      if (record.startsWith(':')) {
        const [oldMode = '', newMode = '', , , status = ''] = record.slice(1).split(' ');
        const first = await next();
        const renamed = status.startsWith('R') || status.startsWith('C');
        const file = renamed ? await next() : first;
        const modeChanged = oldMode !== newMode && isFile(oldMode) && isFile(newMode);
        waiting.set(file, {
          kind: kindOf(status, oldMode, newMode),
          ...(renamed ? { from: first } : {}),
          ...(modeChanged ? { modeChanged } : {}),
        });
        continue;
      }
      const [, added, removed, own = ''] = /^(\d+|-)\t(\d+|-)\t([^]*)$/.exec(record) ?? [];
      let file = own;
      if (file === '') {
        await next();
        file = await next();
      }
      const raw = waiting.get(file);
      if (raw === undefined) continue;
      waiting.delete(file);
      const counted = added !== '-' && raw.kind !== 'submodule';
      yield {
        path: file,
        ...raw,
        binary: added === '-',
        ...(counted ? { added: Number(added), removed: Number(removed) } : {}),
      };
    }
    for (const [file, raw] of waiting) yield { path: file, ...raw, binary: false };
  } finally {
    await records.return(undefined);
  }
}

const SUBMODULE = '160000';

function isFile(mode: string): boolean {
  return mode.startsWith('100');
}

/** Status letters: git-diff(1), `--diff-filter`. */
function kindOf(status: string, oldMode: string, newMode: string): ChangeKind {
  if (oldMode === SUBMODULE || newMode === SUBMODULE) return 'submodule';
  switch (status.charAt(0)) {
    case 'A':
    case 'C':
      return 'added';
    case 'D':
      return 'deleted';
    case 'R':
      return 'renamed';
    case 'T':
      return 'type-changed';
    default:
      return 'modified';
  }
}

/** Larger files are not shown as text by an editor either. */
const BLOB_BYTES = 50 * 1024 * 1024;

/**
 * A file's content in a commit; for a submodule, the line that git shows for it. `file` is relative to the root, with `/`.
 * Throws a TreelineError: `no-such-file` when the commit has none, `too-large` above 50 MiB.
 */
export async function blob(
  repository: Repository,
  commit: string,
  file: string,
  options: Pick<GitOptions, 'signal' | 'maxBytes'> = {},
): Promise<Buffer> {
  if (!/^[0-9a-f]{4,64}$/.test(commit)) throw new TreelineError(say('unknown-revision.commit', { commit }));
  const where = ['--git-dir', repository.commonDir];
  const bounded = { ...options, maxBytes: options.maxBytes ?? BLOB_BYTES };
  const found = await tryGit(repository.commonDir, [...where, 'cat-file', 'blob', `${commit}:${file}`], bounded);
  if (found.exitCode === 0) return found.stdout;
  // A submodule's commit lies in another repository, so the entry itself is looked up.
  const env = { GIT_LITERAL_PATHSPECS: '1' };
  const entry = await git(repository.commonDir, [...where, 'ls-tree', '-z', '--full-tree', commit, '--', file], {
    ...options,
    env,
  });
  const [, mode, id] = /^(\d+) \w+ ([0-9a-f]+)\t/.exec(entry.toString('utf8')) ?? [];
  if (mode === SUBMODULE) return Buffer.from(`Subproject commit ${String(id)}\n`);
  throw new TreelineError(say('no-such-file', { commit: commit.slice(0, 10), file }));
}

/** The line for a submodule as it is in a worktree now, beside the one that `blob` gives for a commit. */
export async function submoduleText(worktree: string, file: string, signal?: AbortSignal): Promise<string> {
  const folder = path.join(worktree, file);
  const id = await gitText(folder, ['rev-parse', '--verify', 'HEAD^{commit}'], { signal });
  const dirty =
    (await gitText(folder, ['status', '--porcelain=v1', '-z', '--untracked-files=normal'], { signal })) !== '';
  return `Subproject commit ${id}${dirty ? '-dirty' : ''}\n`;
}
