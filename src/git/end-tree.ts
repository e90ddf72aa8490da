import { setTimeout as delay } from 'node:timers/promises';
import { hasCode } from '../platform/errors.ts';
import { taskkill } from '../platform/process-id.ts';

/** How long git and its hooks may take to clean up after SIGTERM; git removes a half-made worktree by itself. Milliseconds. */
const GRACE_MS = 1500;
const LOOK_EVERY_MS = 15;

/**
 * Ends a process that was started as the leader of its own group, with all of the group: SIGTERM, then SIGKILL after a grace
 * period. Resolves when the group is gone, or was sent SIGKILL. (execa's own kill reaches git alone: a hook that hangs would
 * live on, and hold git's output open.)
 */
export async function endTree(pid: number): Promise<void> {
  if (process.platform === 'win32') {
    // Not run here. It fails where the process is already gone, which is what is wanted.
    await taskkill(pid, 'SIGKILL');
    return;
  }
  signalGroup(pid, 'SIGTERM');
  const deadline = performance.now() + GRACE_MS;
  while (signalGroup(pid, 0)) {
    if (performance.now() > deadline) {
      signalGroup(pid, 'SIGKILL');
      return;
    }
    await delay(LOOK_EVERY_MS);
  }
}

/** False when no process of the group is left. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    // macOS answers EPERM for a group that holds only zombies.
    if (hasCode(error, 'ESRCH') || hasCode(error, 'EPERM')) return false;
    throw error;
  }
}
