import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { BUILD } from './build.ts';
import { hasCode, TreelineError } from './errors.ts';
import { say } from '../words/saying.ts';
import { isFactId, isSessionId } from './ids.ts';

/** Folders that Treeline makes are the user's alone, and so are the files in them. */
export const PRIVATE_FOLDER = 0o700;
export const PRIVATE_FILE = 0o600;

/** Bytes of a local socket's path, with its final NUL: the shortest limit of the systems we run on (macOS sun_path). */
const SOCKET_PATH_BYTES = 104;

/** The names in a repository's store. */
export const journalFile = (store: string): string => path.join(store, 'journal.jsonl');
/** Copies of damaged journal lines, for people to look at. */
export const damagedFile = (store: string): string => path.join(store, 'journal.damaged.jsonl');
/** Each build has a catalogue of its own: two that are open at once would replace each other's for ever. */
export const catalogueFile = (store: string, build = BUILD): string => path.join(store, `catalogue-${build}.jsonl`);
/** What archives removed, until it is purged. */
export const trashFolder = (store: string): string => path.join(store, 'trash');
/** What a process that acts for the repository without a window needs to know, as the last window knew it. */
export const settingsFile = (store: string): string => path.join(store, 'settings.json');
/** What such a process did. */
export const stewardLogFile = (store: string): string => path.join(store, 'steward.log');
export const sessionsFolder = (store: string): string => path.join(store, 'sessions');

/** `sessions/<id>`. Throws on an id that is not one: it may come from a file or a message. */
export function sessionFolder(store: string, session: string): string {
  if (!isSessionId(session)) throw new TreelineError('invalid', 'This is not a session id of Treeline.');
  return path.join(sessionsFolder(store), session);
}

export const timelineFile = (store: string, session: string): string =>
  path.join(sessionFolder(store, session), 'timeline.db');

/** `sessions/<id>/runs/<n>` */
export function runFolder(store: string, session: string, run: number): string {
  return path.join(sessionFolder(store, session), 'runs', String(run));
}

/** The file of a prompt or message: `sessions/<id>/texts/<key>.md`. Throws on a key that is none: it may come from a file. */
export function textFile(store: string, session: string, key: string): string {
  if (!isFactId(key)) throw new TreelineError('invalid', 'This is not the name of a text of Treeline.');
  return path.join(sessionFolder(store, session), 'texts', `${key}.md`);
}

/** Whether a path is the folder itself or lies below it. Both are absolute; links are not followed. */
export function isInside(inner: string, folder: string): boolean {
  const relative = path.relative(folder, inner);
  return relative === '' || (!path.isAbsolute(relative) && relative !== '..' && !relative.startsWith(`..${path.sep}`));
}

/** Makes a folder, and the missing ones above it, for the user alone. An existing folder is narrowed to that. */
export function privateFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
  if (process.platform !== 'win32' && (statSync(folder).mode & 0o077) !== 0) chmodSync(folder, PRIVATE_FOLDER);
}

/**
 * The address of a run's keeper: a socket in a folder of the user's own, or a named pipe on Windows (not run here).
 * Always the same for one run and one environment. Makes the folder; throws where no safe one is to be had.
 *
 * It lies in the folder for temporary files, whose life is that of the machine's processes: a login's runtime folder goes when
 * the user logs out, while agents work on; a store's path is too long for a socket on most machines. Whoever cleans up by age
 * spares sockets that live (systemd), or takes one away that its keeper then puts back (KeeperServer).
 */
export function socketPath(session: string, run: number, env: NodeJS.ProcessEnv = process.env): string {
  // 48 random bits of the id: the path has to be short.
  return localSocket(`${session.slice(-12)}-${run}`, env);
}

function localSocket(name: string, env: NodeJS.ProcessEnv): string {
  if (process.platform === 'win32') return `\\\\.\\pipe\\treeline-${name}`;
  const places = [env['TMPDIR'] ?? os.tmpdir(), '/tmp'];
  for (const place of places) {
    if (!path.isAbsolute(place)) continue;
    const folder = path.join(place, `treeline-${os.userInfo().uid}`);
    const socket = path.join(folder, `${name}.sock`);
    if (Buffer.byteLength(socket) < SOCKET_PATH_BYTES && isSafeFolder(folder)) return socket;
  }
  throw new TreelineError(say('socket-folder.none', { folder: `/tmp/treeline-${os.userInfo().uid}` }));
}

/** The address at which whoever acts for a repository can be watched: another one for each process and store. */
export function stewardSocketPath(store: string, env: NodeJS.ProcessEnv = process.env): string {
  const key = createHash('sha256').update(store).digest('hex').slice(0, 12);
  return localSocket(`s-${key}-${process.pid}`, env);
}

/** Whether the folder could be made, or is there, and is this user's alone; in a shared place somebody else may have been first. */
export function isSafeFolder(folder: string): boolean {
  try {
    mkdirSync(folder, { mode: PRIVATE_FOLDER });
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) return false;
  }
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  if (stat?.isDirectory() !== true || stat.uid !== os.userInfo().uid) return false;
  if ((stat.mode & 0o077) !== 0) chmodSync(folder, PRIVATE_FOLDER);
  return true;
}
