import { countFilesNotInGit } from '../git/archive.ts';
import type { Archive, Repository } from '../git/types.ts';
import type { Archived, Session } from '../store/model.ts';
import { folderSize } from './disk-use.ts';
import type { ArchiveContents } from './service-types.ts';
import type { TrashRecord } from './trash-record.ts';

/** What a deletion from the trash would delete. */
export async function archiveContents(
  repository: Repository,
  { archive }: Session,
  signal?: AbortSignal,
): Promise<ArchiveContents> {
  if (archive === undefined || archive.purgedAt !== undefined) {
    return { bytes: 0, complete: true, unheld: 0 };
  }
  const { bytes, complete } = await folderSize(archive.files, { ...(signal && { signal }) });
  return { bytes, complete, unheld: await countFilesNotInGit(repository, archive, signal) };
}

/**
 * Archived sessions whose files are kept longer than the setting says, in days on which the repository was open; none where
 * that is 0.
 */
export function expiredArchives(
  sessions: readonly Session[],
  trash: TrashRecord,
  trashDays: number,
): readonly Session[] {
  return trashDays <= 0
    ? []
    : sessions.filter(
        ({ archive }) =>
          archive !== undefined && archive.purgedAt === undefined && trash.daysSince(archive.at) > trashDays,
      );
}

/** An archive without what only the state knows of it. */
export function withoutState({ files, registration, branch, commit }: Archived): Archive {
  return {
    files,
    ...(registration !== undefined && { registration }),
    ...(branch !== undefined && { branch }),
    ...(commit !== undefined && { commit }),
  };
}
