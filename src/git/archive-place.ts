import path from 'node:path';
import type { Archive, Repository } from './types.ts';

/** An archive with the paths that it has now: git's folder of the worktree moves with the repository. */
export function archiveIn({ commonDir }: Repository, archive: Archive): Archive {
  if (archive.registration === undefined) return archive;
  const { from, to } = archive.registration;
  // Both lie two levels down.
  const before = path.dirname(path.dirname(to));
  const now = (file: string): string => path.join(commonDir, path.relative(before, file));
  return before === commonDir ? archive : { ...archive, registration: { from: now(from), to: now(to) } };
}
