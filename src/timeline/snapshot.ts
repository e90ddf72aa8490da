import { createHash } from 'node:crypto';
import { writeAtomic } from '../platform/atomic-file.ts';
import { hasCode } from '../platform/errors.ts';
import { readRegularSync } from '../platform/regular-file.ts';

export const SNAPSHOT_FILE = 'timeline.db';

const HASH_BYTES = 32;

/**
 * Says what a snapshot is of, and is part of its checksum: a snapshot of anything else does not load. Another build may make
 * other rows of the same output, or hold them in other tables.
 */
export interface SnapshotOf {
  readonly build: string;
  readonly session: string;
  readonly format: string;
}

/** Saves an exported database with a checksum behind it, where SQLite does not look. */
export async function saveSnapshot(file: string, content: Uint8Array, of: SnapshotOf): Promise<void> {
  await writeAtomic(file, Buffer.concat([content, checksum(content, of)]));
}

/** The database of a snapshot; undefined where there is none, or a damaged one, or one of something else. */
export function loadSnapshot(file: string, of: SnapshotOf): Uint8Array | undefined {
  let bytes: Buffer;
  try {
    bytes = readRegularSync(file);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  if (bytes.length <= HASH_BYTES) return undefined;
  const content = bytes.subarray(0, -HASH_BYTES);
  return checksum(content, of).equals(bytes.subarray(-HASH_BYTES)) ? content : undefined;
}

function checksum(content: Uint8Array, { build, session, format }: SnapshotOf): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([build, session, format]))
    .update(content)
    .digest();
}
