/** Real mounts, for the tests of what must not cross them. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmdirSync } from 'node:fs';
import type { TestContext } from 'node:test';

/** Why mounts cannot be made here, or false. */
export const noMounts = canMount() ? false : 'it takes root on Linux to mount something';

/** Mounts a file system of its own at a folder, or `source` (a folder or a file) where one is given, for the length of a test. */
export function mountAt(t: TestContext, target: string, source?: string): { readonly unmount: () => void } {
  const args = source === undefined ? ['-t', 'tmpfs', 'none', target] : ['--bind', source, target];
  execFileSync('mount', args);
  let mounted = true;
  const unmount = (): void => {
    if (mounted) execFileSync('umount', [target]);
    mounted = false;
  };
  t.after(unmount);
  return { unmount };
}

function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const target = `/tmp/treeline-mount-${process.pid}`;
  try {
    mkdirSync(target);
    execFileSync('mount', ['-t', 'tmpfs', 'none', target], { stdio: 'ignore' });
    execFileSync('umount', [target]);
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(target);
  }
}
