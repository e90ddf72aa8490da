/**
 * A process with a store of its own build: `node build-process.ts <src of the build> <store>`. Each line on stdin is an
 * instruction, and each is answered with a line:
 *   {"append": [entries]}  appends them
 *   {"look": true}         reads what others have written
 *   {"close": true}        closes the store and ends
 */
import path from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import type * as Paths from '../../../src/platform/paths.ts';
import type * as Processes from '../../../src/platform/process-id.ts';
import type { FactEntry } from '../../../src/store/facts.ts';
import type { Session } from '../../../src/store/model.ts';
import type * as Stores from '../../../src/store/store.ts';

export type Instruction = { readonly append: readonly object[] } | { readonly look: true } | { readonly close: true };

export interface Answer {
  readonly ids: readonly string[];
  readonly sessions: readonly Session[];
  readonly lead: string | undefined;
  readonly unknown: number;
  readonly damaged: number;
  readonly notes: readonly string[];
  readonly catalogue: string;
}

async function main(src: string, folder: string): Promise<void> {
  const load = (name: string): Promise<unknown> => import(pathToFileURL(path.join(src, name)).href);
  const { Store } = (await load('store/store.ts')) as typeof Stores;
  const { selfId } = (await load('platform/process-id.ts')) as typeof Processes;
  const { catalogueFile } = (await load('platform/paths.ts')) as typeof Paths;
  const notes: string[] = [];
  const note = (text: string): number => notes.push(text);
  const log = { debug: () => undefined, info: note, warn: note, error: note };
  const store = Store.open(folder, { role: 'window', process: await selfId() }, log);
  await store.ready;
  const answer = (ids: readonly string[]): void => {
    const lead = store.leadership.lead?.fact;
    const all = { ids, sessions: store.list(), lead, unknown: store.unknown, damaged: store.damaged.length, notes };
    process.stdout.write(`${JSON.stringify({ ...all, catalogue: catalogueFile(folder) } satisfies Answer)}\n`);
  };
  answer([]);
  for await (const line of createInterface(process.stdin)) {
    const instruction = JSON.parse(line) as Instruction;
    if ('append' in instruction) {
      answer(store.append(...(instruction.append as FactEntry[])).map(({ id }) => id));
    } else if ('look' in instruction) {
      store.refresh();
      answer([]);
    } else {
      await store.dispose();
      answer([]);
      break;
    }
  }
  process.stdin.destroy();
}

const [src, folder] = process.argv.slice(2);
if (src !== undefined && folder !== undefined) await main(src, folder);
