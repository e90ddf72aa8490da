import path from 'node:path';

/** The programs that run beside a window or without one. */
export interface Programs {
  readonly keeper: string;
  readonly steward: string;
  readonly worker: string;
  readonly wasm: string;
}

/** The bundles in a folder. */
export function programsIn(folder: string): Programs {
  return {
    keeper: path.join(folder, 'keeper.cjs'),
    steward: path.join(folder, 'steward.cjs'),
    worker: path.join(folder, 'indexer.cjs'),
    wasm: path.join(folder, 'sql-wasm.wasm'),
  };
}

/** Those of the same build as the program that runs: bundles beside it, or the sources, which node runs as they are. */
export function ownPrograms(): Programs {
  const here = import.meta.dirname;
  if (path.basename(here) !== 'hosts') return programsIn(here);
  return {
    keeper: path.join(here, '../keeper/main.ts'),
    steward: path.join(here, 'detached.ts'),
    worker: path.join(here, '../timeline/worker.ts'),
    wasm: path.join(here, '../../node_modules/sql.js/dist/sql-wasm.wasm'),
  };
}
