import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';

/** Windows has no such flag, and no such files. */
const AT_ONCE = (constants.O_NONBLOCK as number | undefined) ?? 0;

const READ = constants.O_RDONLY | AT_ONCE;
const APPEND = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | AT_ONCE;

/**
 * Opens what has to be a plain file, and refuses anything else: a pipe that somebody put in its place would hold the thread
 * until another process opens it, a device would take what is written and keep nothing. Throws the system's error, or one
 * with the code ENOTREG.
 */
export function openRegular(file: string, to: 'read' | { readonly appendWithMode: number }): number {
  const fd = to === 'read' ? openSync(file, READ) : openSync(file, APPEND, to.appendWithMode);
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw notRegular(file);
}

/** The content of a plain file. Throws as {@link openRegular} does. */
export function readRegularSync(file: string): Buffer {
  const fd = openRegular(file, 'read');
  try {
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** As {@link readRegularSync}. */
export async function readRegular(file: string): Promise<Buffer> {
  const handle = await open(file, READ);
  try {
    if (!(await handle.stat()).isFile()) throw notRegular(file);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

function notRegular(file: string): Error {
  return Object.assign(new Error(`ENOTREG: not a regular file, open '${file}'`), { code: 'ENOTREG' });
}
