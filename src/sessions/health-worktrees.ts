import { readdir, realpath, rmdir } from 'node:fs/promises';
import path from 'node:path';

import { halfMadeRegistrations, removeHalfMade } from '../git/half-made.ts';
import { deleteHeldBranch, looseBranches } from '../git/loose-branches.ts';
import type { Worktree } from '../git/types.ts';
import { exists, listWorktrees } from '../git/worktree-list.ts';
import { worktreeFolder } from '../git/worktree-path.ts';
import { recreateWorktree } from '../git/worktrees.ts';
import { isOpen, lastTurn } from '../store/lifecycle.ts';
import type { Session } from '../store/model.ts';
import type { Finding } from './finding.ts';
import type { HealthContext } from './health-context.ts';

/** Worktrees, and other folders, in the place where Treeline makes worktrees, that no session works in. */
export async function leftWorktrees(health: HealthContext, signal: AbortSignal): Promise<readonly Finding[]> {
  const { context } = health;
  const place = worktreeFolder(context.settings().worktreeFolder, context.repository);
  const folder = await realpath(place).catch(() => undefined);
  const all = await listWorktrees(context.repository, { signal });
  const own = new Set(inUse(context.store.list()).map(({ worktree }) => worktree));
  const inPlace = all.filter(
    (each) => !each.main && path.dirname(each.path) === (folder ?? place) && !own.has(each.path),
  );
  const registered = new Set(all.map((each) => each.path));
  const names = folder === undefined ? [] : await readdir(folder, { withFileTypes: true });
  const others = names
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.treeline-'))
    .map((entry) => path.join(folder ?? place, entry.name))
    .filter((each) => !registered.has(each) && !own.has(each));
  const strangers = await Promise.all(others.map((each) => strangeFolder(each)));
  const halfMade = (await halfMadeRegistrations(context.repository)).map((each) => halfMadeWorktree(each));
  return [
    ...halfMade,
    ...inPlace.map((each) => leftWorktree(health, each)),
    ...strangers.flatMap((found) => found ?? []),
  ];
}

function leftWorktree({ context, sessions }: HealthContext, worktree: Worktree): Finding {
  const { trashDays } = context.settings();
  const gone = worktree.prunable !== undefined;
  return {
    kind: 'worktree-left',
    severity: 'info',
    sentence: gone
      ? `git still lists the worktree ${worktree.path}, but its folder is missing and no session uses it.`
      : `No session uses the worktree ${worktree.path}.`,
    evidence: [worktree.branch === undefined ? `At ${worktree.head ?? 'no commit'}` : `Branch ${worktree.branch}`],
    repair: {
      title: gone ? 'Remove from Git’s List' : 'Move to Trash',
      plan: [
        gone ? 'Move git’s data for it to the trash.' : `Move ${worktree.path} and all files in it to the trash.`,
        ...(worktree.branch === undefined ? [] : [`Keep the branch ${worktree.branch}.`]),
        `Add it to the archived sessions, where it can be restored${trashDays > 0 ? ` for ${trashDays} days` : ''}.`,
      ],
      run: () => sessions.removeWorktree(worktree.path),
    },
  };
}

/** What a killed `git worktree add` left: git neither lists nor prunes it. */
function halfMadeWorktree(registration: string): Finding {
  return {
    kind: 'worktree-left',
    severity: 'warning',
    sentence: `git was stopped while it created the worktree ${path.basename(registration)}, and left an incomplete record of it.`,
    evidence: [registration],
    repair: {
      title: 'Remove the Incomplete Record',
      plan: [`Remove ${registration}, if it is still incomplete. There are no files that belong to it.`],
      run: () => removeHalfMade(registration),
    },
  };
}

/** A folder that git does not know. Another repository's worktree is fine there; what has files in it is for the user to judge. */
async function strangeFolder(folder: string): Promise<Finding | undefined> {
  const names = await readdir(folder);
  if (names.includes('.git')) return undefined;
  const empty = names.length === 0;
  return {
    kind: 'worktree-left',
    severity: 'info',
    sentence: `${folder} is in the worktrees folder but is not a worktree.`,
    evidence: [empty ? 'It is empty.' : `It contains ${names.length} entries, such as ${names[0] ?? ''}.`],
    ...(empty && {
      repair: {
        title: 'Remove Empty Folder',
        plan: [`Remove ${folder}, if it is still empty.`],
        run: () => rmdir(folder),
      },
    }),
  };
}

/** Sessions whose worktree is not there, though an agent worked in it. */
export async function missingWorktrees({ context, sessions }: HealthContext): Promise<readonly Finding[]> {
  const { repository, store } = context;
  const findings: Finding[] = [];
  const branches = new Set((await looseBranches(repository, '', new Set())).map(({ name }) => name));
  for (const session of inUse(store.list())) {
    const { worktree, branch, name } = session;
    const turn = lastTurn(session);
    const worked = session.turns.some(({ begunAt }) => begunAt !== undefined);
    if (!worked || turn === undefined || isOpen(turn) || (await exists(worktree))) continue;
    const there = branches.has(branch);
    findings.push({
      kind: 'worktree-missing',
      severity: there ? 'warning' : 'error',
      sentence: there
        ? `The worktree of “${name}” is missing. Its branch ${branch} still exists.`
        : `The worktree of “${name}” and its branch ${branch} are missing.`,
      evidence: [worktree],
      repair: there
        ? {
            title: 'Recreate',
            plan: [`Check out the branch ${branch} at ${worktree}. Files that were never committed are not restored.`],
            run: () => recreateWorktree(repository, { path: worktree, branch }),
          }
        : {
            title: 'Archive Session',
            plan: ['Archive the session. There are no files to move. Its logs are kept.'],
            run: () => sessions.archive(session.id),
          },
    });
  }
  return findings;
}

/** Branches named as Treeline names them that no session has. */
export async function leftBranches({ context }: HealthContext): Promise<readonly Finding[]> {
  const { repository, store, settings } = context;
  const [prefix = ''] = settings().branchName.split('${', 1);
  if (prefix === '') return [];
  const taken = new Set(store.list().map(({ branch }) => branch));
  const left = await looseBranches(repository, prefix, taken);
  const held = left.filter(({ held }) => held);
  const alone = left.filter(({ held }) => !held);
  const line = ({ name, commit }: { name: string; commit: string }): string => `${name} at ${commit.slice(0, 10)}`;
  return [
    ...(held.length === 0
      ? []
      : [
          {
            kind: 'branch-left',
            severity: 'info',
            sentence: `${held.length} branches that begin with ${prefix} have no session and contain no commits of their own.`,
            evidence: held.map(line),
            repair: {
              title: 'Delete',
              plan: held.map(
                (one) => `Delete the branch ${line(one)}, if it still exists and its commits are on another branch.`,
              ),
              run: async () => {
                for (const one of held) await deleteHeldBranch(repository, one);
              },
            },
          } satisfies Finding,
        ]),
    ...(alone.length === 0
      ? []
      : [
          {
            kind: 'branch-left',
            severity: 'info',
            sentence: `${alone.length} branches that begin with ${prefix} have no session but contain commits that are on no other branch. Merge or delete them yourself.`,
            evidence: alone.map(line),
          } satisfies Finding,
        ]),
  ];
}

/** Sessions that have a worktree of their own now. */
function inUse(sessions: readonly Session[]): readonly Session[] {
  return sessions.filter(({ archive, foreign }) => archive === undefined && foreign !== true);
}
