import { setTimeout as delay } from 'node:timers/promises';
import { TreelineError, hasCode } from '../platform/errors.ts';

/** What passes when somebody makes room or the device recovers. */
const PASSING = ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EAGAIN', 'EBUSY', 'EMFILE', 'ENFILE'];

const RETRY = 500;

/** Does a piece of writing, again every 500 ms while the disk refuses. Other errors are thrown. */
export async function untilWritten<T>(write: () => T | Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (!isPassing(error)) throw error;
      await delay(RETRY);
    }
  }
}

function isPassing(error: unknown): boolean {
  if (!(error instanceof TreelineError)) return PASSING.some((code) => hasCode(error, code));
  // The journal says what kept it; a disk that took a part of a fact has no code.
  const { code, cause } = error;
  return (
    code === 'journal-write' &&
    (PASSING.some((one) => hasCode(cause, one)) || !(cause instanceof Error && 'code' in cause))
  );
}
