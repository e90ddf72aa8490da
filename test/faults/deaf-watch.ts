/** Files that cannot be watched: as on a network file system, where no change is told, or where watching is refused. */
import fs from 'node:fs';
import { EventEmitter } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';

export type Deafness = 'silent' | 'refused';

/** Replaces fs.watch in this thread; returns how to take that back. */
export function deafen(how: Deafness): () => void {
  const { watch } = fs;
  fs.watch = (() => {
    if (how === 'refused') {
      throw Object.assign(new Error('ENOSPC: System limit for number of file watchers reached'), { code: 'ENOSPC' });
    }
    return Object.assign(new EventEmitter(), { close: () => undefined, ref: () => undefined, unref: () => undefined });
  }) as unknown as typeof watch;
  syncBuiltinESMExports();
  return () => {
    fs.watch = watch;
    syncBuiltinESMExports();
  };
}
