import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

const UUID_V7 = '[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}';
const SESSION = new RegExp(`^ses_${UUID_V7}$`);
const FACT = new RegExp(`^${UUID_V7}$`);

/** A new session id: `ses_` and a UUIDv7, never used before. Safe as a file name. */
export function sessionId(): string {
  return `ses_${v7()}`;
}

/** Whether `text` has the form of a session id: to be asked before it becomes part of a path. */
export function isSessionId(text: string): boolean {
  return SESSION.test(text);
}

/** Random bytes for fact ids, fetched for many at once: one by one they cost more than writing the fact. */
const pool = new Uint8Array(16 * 256);
let used = pool.length;

/** A new fact id: a UUIDv7. Ids of one millisecond are in no order; the journal has its own. */
export function factId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  return v7({ random: pool.subarray(used, (used += 16)) });
}

export function isFactId(text: string): boolean {
  return FACT.test(text);
}

/** Six characters that tell sessions apart in names. From the random end of the id: ids of one moment share their beginning. */
export function shortId(session: string): string {
  return session.slice(-6);
}
