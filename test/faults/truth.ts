/**
 * What is really there, found without Treeline's code: processes from /proc, worktrees and branches from git, facts from
 * the journal's lines. The fault tests hold what Treeline says against it.
 */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';

import { git } from '../unit/support.ts';

export interface RunningProcess {
  readonly pid: number;
  readonly command: string;
  /** `<session>/<run>` from its environment. */
  readonly mark: string;
}

/** A keeper’s one argument is its run’s folder. */
const RUN_FOLDER = /\/sessions\/(ses_[^/]+)\/runs\/\d+$/;

/** The living processes (zombies are not) that carry the mark of one of these sessions, apart from their keepers. */
export function marked(sessions: readonly string[]): RunningProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const [, state] = /^\d+ \(.*\) (\S)/s.exec(readFileSync(`/proc/${name}/stat`, 'utf8')) ?? [];
        const environment = readFileSync(`/proc/${name}/environ`, 'utf8').split('\0');
        const mark = environment.find((entry) => entry.startsWith('TREELINE_MARK='))?.slice('TREELINE_MARK='.length);
        if (mark === undefined || state === 'Z' || !sessions.includes(mark.split('/')[0] ?? '')) {
          return [];
        }
        const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').replace(/\0$/, '').split('\0');
        return RUN_FOLDER.test(words.at(-1) ?? '') ? [] : [{ pid: Number(name), command: words.join(' '), mark }];
      } catch {
        return []; // It ended while it was looked at.
      }
    });
}

/** Whether a process runs: one that is dead and not fetched by its parent does not. */
export function runs(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** The living keepers of the runs below a storage folder, by their command line. */
export function keepers(storage: string): { readonly pid: number; readonly session: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const folder = readFileSync(`/proc/${name}/cmdline`, 'utf8').replace(/\0$/, '').split('\0').at(-1) ?? '';
        const [, session] = RUN_FOLDER.exec(folder) ?? [];
        return session !== undefined && folder.startsWith(`${storage}/`) ? [{ pid: Number(name), session }] : [];
      } catch {
        return [];
      }
    });
}

/** The living processes whose working directory is in a folder. */
export function workingIn(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const cwd = readlinkSync(`/proc/${name}/cwd`).replace(/ \(deleted\)$/, '');
        return cwd === folder || cwd.startsWith(`${folder}/`) ? [Number(name)] : [];
      } catch {
        return [];
      }
    });
}

/** Where worktrees are kept ready before anybody asks; git knows of one only while it is being made (see src/git/pool.ts). */
export const WARM = '.treeline-warm';

/** Paths of all worktrees but the main one and those that are kept ready. */
export async function worktrees(repo: string): Promise<string[]> {
  const listed = await git(repo, 'worktree', 'list', '--porcelain', '-z');
  return listed
    .split('\0')
    .filter((line) => line.startsWith('worktree '))
    .map((line) => line.slice('worktree '.length))
    .slice(1)
    .filter((worktree) => path.basename(path.dirname(worktree)) !== WARM);
}

/** Short names of the branches that Treeline made. */
export async function branches(repo: string): Promise<string[]> {
  const listed = await git(repo, 'for-each-ref', '--format=%(refname:short)', 'refs/heads/treeline');
  return listed.split('\n').filter((line) => line !== '');
}

/** The ids of all sessions of which the journals below a storage folder hold a fact. */
export function journalled(storage: string): string[] {
  const ids = new Set<string>();
  for (const key of readdirSync(path.join(storage, 'repos'))) {
    const journal = path.join(storage, 'repos', key, 'journal.jsonl');
    const text = existsSync(journal) ? readFileSync(journal, 'utf8') : '';
    for (const [id] of text.matchAll(/ses_[0-9a-f-]{36}/g)) {
      ids.add(id);
    }
  }
  return [...ids];
}

/** One line of a journal, as far as it matters here. */
interface Line {
  readonly id: string;
  readonly type: string;
  readonly by: { readonly process: { readonly pid: number; readonly host?: string } };
  readonly lead?: string;
  readonly replaces?: string;
  readonly session?: string;
}

/** The facts of the journals below a storage folder, in their order. */
export function facts(storage: string): Line[] {
  return readdirSync(path.join(storage, 'repos')).flatMap((key) => {
    const journal = path.join(storage, 'repos', key, 'journal.jsonl');
    const text = existsSync(journal) ? readFileSync(journal, 'utf8') : '';
    return text.split('\n').flatMap((line) => {
      try {
        return [JSON.parse(line) as Line];
      } catch {
        return []; // The end of a writer that was killed.
      }
    });
  });
}

/** The fact by which somebody acts for the one repository of a storage folder; undefined while nobody does. */
export function lead(storage: string): Line | undefined {
  let now: Line | undefined;
  for (const fact of facts(storage)) {
    if (fact.type === 'steward.leads' && fact.replaces === now?.id) now = fact;
    if (fact.type === 'steward.left' && fact.lead === now?.id) now = undefined;
  }
  return now;
}
