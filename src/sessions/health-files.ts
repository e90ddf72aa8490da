import { open, readdir, rm, stat } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';

import { hasCode } from '../platform/errors.ts';
import { sessionFolder, sessionsFolder, socketPath, timelineFile } from '../platform/paths.ts';
import { isSessionId } from '../platform/ids.ts';
import { processId } from '../platform/process-id.ts';
import { removeTree } from '../platform/remove-tree.ts';
import type { Finding } from './finding.ts';
import type { HealthContext } from './health-context.ts';

/** What is younger than this (ms) may be in the making. */
const SETTLED = 60_000;

/** How long a keeper may take to say that it is there: ms. */
const CONNECT_TIMEOUT = 1000;

/** The first bytes of every SQLite database (sqlite.org/fileformat.html, 1.3). */
const SQLITE = 'SQLite format 3\0';

/** Sockets without a keeper, temporary files without a writer, databases that are none, folders of sessions that never were. */
export async function staleFiles(health: HealthContext, signal: AbortSignal): Promise<readonly Finding[]> {
  const { folder, store } = health.context;
  const sessions = (await readdir(sessionsFolder(folder)).catch(() => [])).filter(isSessionId);
  const temporary = await temporaryFiles([folder], signal);
  const unreadable: string[] = [];
  const strays: string[] = [];
  for (const id of sessions) {
    signal.throwIfAborted();
    const own = sessionFolder(folder, id);
    const runs = await readdir(path.join(own, 'runs')).catch(() => []);
    const folders = [path.join(own, 'texts'), ...runs.map((run) => path.join(own, 'runs', run))];
    temporary.push(...(await temporaryFiles([own, ...folders], signal)));
    unreadable.push(...(await notDatabases([timelineFile(folder, id)])));
    if (store.get(id) === undefined && store.unknown === 0 && (await holdsOnlyPrompt(own))) strays.push(own);
  }
  return [
    ...leftovers('sockets that are no longer in use', await deadSockets()),
    ...leftovers('abandoned temporary files', temporary),
    ...leftovers('folders without a session', strays),
    ...(unreadable.length === 0 ? [] : [rebuilt(unreadable)]),
  ];
}

function leftovers(what: string, files: readonly string[]): readonly Finding[] {
  return files.length === 0
    ? []
    : [
        {
          kind: 'file-stale',
          severity: 'info',
          sentence: `There are ${files.length} ${what}.`,
          evidence: files,
          repair: {
            title: 'Delete',
            plan: files.map((file) => `Delete ${file}.`),
            run: async () => {
              for (const file of files) await removeTree(file);
            },
          },
        },
      ];
}

function rebuilt(files: readonly string[]): Finding {
  return {
    kind: 'index-unreadable',
    severity: 'info',
    sentence: `${files.length} index files cannot be read. Nothing is lost: Treeline rebuilds them from its records and the logs.`,
    evidence: files,
    repair: {
      title: 'Delete',
      plan: files.map((file) => `Delete ${file}. It is recreated when needed.`),
      run: async () => {
        for (const file of files) await rm(file, { force: true });
      },
    },
  };
}

/** Named pipes of Windows go with their process. */
async function deadSockets(): Promise<string[]> {
  if (process.platform === 'win32') return [];
  // Any id does: all sockets lie in one folder.
  const folder = path.dirname(socketPath('ses_00000000-0000-7000-8000-000000000000', 1));
  const names = await readdir(folder).catch(() => []);
  const files = names.filter((name) => name.endsWith('.sock')).map((name) => path.join(folder, name));
  const dead = await Promise.all(files.map(async (file) => (await isSettled(file)) && (await isRefused(file))));
  return files.filter((_file, index) => dead[index]);
}

function isRefused(file: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(file);
    const answer = (refused: boolean): void => {
      socket.destroy();
      resolve(refused);
    };
    socket.setTimeout(CONNECT_TIMEOUT, () => answer(false));
    socket.once('connect', () => answer(false));
    socket.once('error', (error) => answer(hasCode(error, 'ECONNREFUSED')));
  });
}

/** Files that an atomic write left when its process was killed: their names say which process. */
async function temporaryFiles(folders: readonly string[], signal: AbortSignal): Promise<string[]> {
  const found: string[] = [];
  for (const folder of folders) {
    signal.throwIfAborted();
    for (const name of await readdir(folder).catch(() => [])) {
      const [, pid] = /\.(\d+)-[0-9a-f]{12}\.tmp$/.exec(name) ?? [];
      if (pid === undefined) continue;
      const file = path.join(folder, name);
      if ((await processId(Number(pid))) === undefined || (await isSettled(file, 60 * SETTLED))) found.push(file);
    }
  }
  return found;
}

async function notDatabases(files: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const file of files) {
    const head = await start(file);
    if (head !== undefined && head !== SQLITE) found.push(file);
  }
  return found;
}

/** The first 16 bytes; undefined where there is no file. */
async function start(file: string): Promise<string | undefined> {
  try {
    const handle = await open(file);
    try {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(SQLITE.length), 0, SQLITE.length, 0);
      return buffer.toString('latin1', 0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    return hasCode(error, 'ENOENT') ? undefined : '';
  }
}

/** Whether a session's folder holds no more than what is written before the session is created. */
async function holdsOnlyPrompt(session: string): Promise<boolean> {
  const names = await readdir(session).catch(() => []);
  return names.every((name) => name === 'texts') && (await isSettled(path.join(session, 'texts')));
}

async function isSettled(file: string, age = SETTLED): Promise<boolean> {
  return stat(file).then(
    ({ mtimeMs }) => Date.now() - mtimeMs > age,
    () => false,
  );
}
