import { lstat, rename } from 'node:fs/promises';

/**
 * Throws where what somebody does is not his to do any more, because another process does it by now. It is asked right before
 * each step that changes something; and once more after a step that can be taken back, since a process may stand still between
 * any two instructions: it then finds out before anything is final.
 */
export type Guard = () => void;

/** For what nobody else does. */
export const unguarded: Guard = () => undefined;

/** Renames a file or folder, and back where it turns out to be somebody else's by now. */
export async function renameGuarded(from: string, to: string, guard: Guard): Promise<void> {
  guard();
  await rename(from, to);
  try {
    guard();
  } catch (error) {
    // What stands there by now is the other one's, too.
    const isTaken = await lstat(from).then(
      () => true,
      () => false,
    );
    if (!isTaken) await rename(to, from);
    throw error;
  }
}
