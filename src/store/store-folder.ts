import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { hasCode } from '../platform/errors.ts';
import { PRIVATE_FILE, PRIVATE_FOLDER, privateFolder } from '../platform/paths.ts';
import { readRegularSync } from '../platform/regular-file.ts';

/** Where a repository says which store is its own: in its common git directory, so that it moves with it. */
const ID_FILE = 'treeline/id';
/** Where a store says which repository it belongs to: the real path of its common git directory. */
const OWNER_FILE = 'repository';

/** Both files hold a line; what is larger is neither: bytes. */
const LARGEST = 16 * 1024;

/** A store's key: a slug for people, and what tells it from others. */
const KEY = /^[a-z0-9-]{1,32}-[0-9a-f]{12}$/;

/**
 * The folder of a repository's store, `<globalStorage>/repos/<key>`. Every worktree leads to the same one, and so does the
 * repository after it was moved: the key stands in a file in the common git directory once the store was claimed (see
 * {@link claimStore}), and comes from the directory's path before, and where that file cannot be written.
 *
 * A copy of a repository has the original's key in it, and gets a store of its own, as does a new repository at a path that
 * another one has left. Nothing is written; until a store is claimed, the answer is the same for every window that asks.
 */
export function storeFolder(globalStorage: string, commonDir: string): string {
  const real = realPath(commonDir);
  const id = readId(real);
  const key = id ?? keyOf(real, real);
  const folder = path.join(globalStorage, 'repos', key);
  const owner = readText(path.join(folder, OWNER_FILE));
  if (owner === undefined || owner === real) return folder;
  const isMoved = id !== undefined && !isAnother(owner, real, id);
  return isMoved ? folder : path.join(globalStorage, 'repos', newKey(key, real));
}

/**
 * Ties a store and its repository to each other. Writes nothing where both say so already. Of several windows that do it at
 * once, all write the same. A repository that cannot be written keeps being known by its path.
 */
export function claimStore(folder: string, commonDir: string): void {
  const real = realPath(commonDir);
  const key = path.basename(folder);
  privateFolder(folder);
  if (readText(path.join(folder, OWNER_FILE)) !== real) replace(path.join(folder, OWNER_FILE), real);
  if (readId(real) === key) return;
  const file = path.join(real, ID_FILE);
  try {
    mkdirSync(path.dirname(file), { mode: PRIVATE_FOLDER });
  } catch (error) {
    if (isReadOnly(error)) return;
    if (!hasCode(error, 'EEXIST')) throw error;
  }
  try {
    replace(file, `${key}\n`);
  } catch (error) {
    if (!isReadOnly(error)) throw error;
  }
}

/** Whether the repository that a store belongs to is still where it was, and so is not the one at `real`. */
function isAnother(owner: string, real: string, id: string): boolean {
  try {
    return realPath(owner) !== real && readId(owner) === id;
  } catch {
    return false; // It is gone from there.
  }
}

/** The key of a repository whose own would be another's. The folder's birth tells it from a later one at the same path. */
function newKey(key: string, real: string): string {
  const { ino, birthtimeNs } = statSync(real, { bigint: true });
  return keyOf(real, [key, real, ino, birthtimeNs].join('\0'));
}

function keyOf(real: string, identity: string): string {
  const hash = createHash('sha256').update(identity).digest('hex').slice(0, 12);
  const name = path.basename(real) === '.git' ? path.basename(path.dirname(real)) : path.basename(real, '.git');
  const slug = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 32)
    .replace(/^-+|-+$/g, '');
  return `${slug || 'repository'}-${hash}`;
}

/** The key in a repository's file; undefined where there is none, or none that can be read. */
function readId(commonDir: string): string | undefined {
  const text = readText(path.join(commonDir, ID_FILE))?.trim();
  return text !== undefined && KEY.test(text) ? text : undefined;
}

function readText(file: string): string | undefined {
  try {
    if (statSync(file).size > LARGEST) return undefined;
    return readRegularSync(file).toString();
  } catch {
    return undefined;
  }
}

/** Replaces a small file in one step. */
function replace(file: string, text: string): void {
  const temporary = `${file}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`;
  try {
    writeFileSync(temporary, text, { flag: 'wx', mode: PRIVATE_FILE });
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function isReadOnly(error: unknown): boolean {
  return ['EROFS', 'EACCES', 'EPERM'].some((code) => hasCode(error, code));
}

/** The native one gives a path's true case on systems that ignore case. */
function realPath(folder: string): string {
  return realpathSync.native(folder);
}
