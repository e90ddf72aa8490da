/** A window of a real VS Code opens on a store of a thousand sessions, beside one on a store of a single session. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findRepository } from '../../../src/git/repository.ts';
import { storeFolder } from '../../../src/store/store-folder.ts';
import type { VscodeServer } from '../../support/vscode-server.mts';
import { Workbench } from '../../support/workbench.mts';
import { writeHistory } from '../history.mts';
import { makeRepository, plainGit } from '../place.mts';
import { row } from '../row.mts';
import { thousand } from '../thousand.mts';
import { globalStorage, inVscode } from '../vscode.mts';

/** The browser's VS Code writes down every 5 s how a window looks: then it comes up again as it was. */
const REMEMBERED_MS = 7000;

/** The names that history.mts gives. */
const A_SESSION = /Session number \d/;

/** What the extension writes to its log about its start. */
const TELLING =
  /\[info\] Activated in (?<activated>[\d.]+) ms at (?<at>\S+); (?<sessions>\d+) sessions known after (?<known>[\d.]+) ms\.$/gm;

/** What one opening took, in ms from the beginning of activate(). */
interface Opened {
  readonly activated: number;
  readonly known: number;
  /** Until the first sessions stood on the screen. */
  readonly drawn: number;
}

plainGit();
await row(async (context) => {
  const full = await thousand(context);
  const single = await makeRepository(path.join(full.repo, '../single-repo'), 10);
  const found = await findRepository(single);
  if (found === undefined) throw new Error(`${single} is no repository.`);
  writeHistory(storeFolder(full.storage, found.commonDir), 1);
  const share = (userData: string): void => {
    const storage = globalStorage(userData);
    mkdirSync(path.dirname(storage), { recursive: true });
    symlinkSync(full.storage, storage, 'dir');
  };
  return inVscode(
    context,
    async ({ server, browser }) => {
      const windows = {
        full: await Workbench.open(browser, server, full.repo),
        single: await Workbench.open(browser, server, single),
      };
      for (const window of Object.values(windows)) await window.showContainer('Treeline');
      await delay(REMEMBERED_MS);
      const read = new Set((await tellings(server)).map(({ line }) => line));
      const opened: Record<'full' | 'single', Opened[]> = { full: [], single: [] };
      for (let round = 0; round < (context.quick ? 2 : 7); round++) {
        for (const which of round % 2 === 0 ? (['full', 'single'] as const) : (['single', 'full'] as const)) {
          const drawnAt = await windows[which].reloadUntil(A_SESSION);
          const { activated, known, at, sessions } = await newTelling(server, read);
          if (sessions !== (which === 'full' ? full.sessions.length : 1)) throw new Error('It knows other sessions.');
          opened[which].push({ activated, known, drawn: drawnAt - at });
        }
      }
      const beside = (key: keyof Opened) => ({
        unit: 'ms' as const,
        values: opened.full.map((one) => one[key]),
        baseline: opened.single.map((one) => one[key]),
      });
      const size = `${full.sessions.length.toLocaleString('en')} sessions, ${full.events.toLocaleString('en')} events`;
      return [
        { what: `VS Code opens, ${size}: activate()`, ...beside('activated'), goal: { most: 50 } },
        {
          what: `VS Code opens, ${size}: sessions known, which is what is ours of the first rows`,
          ...beside('known'),
          goal: { most: 60 },
          note: 'from the beginning of activate(), as below',
        },
        {
          what: `VS Code opens, ${size}: sessions on the screen`,
          ...beside('drawn'),
          goal: { ratio: 1.5 },
          note: 'the baseline is a store of one session: for an empty one the editor shows words before it asks the tree',
        },
      ];
    },
    share,
  );
});

interface Telling {
  readonly line: string;
  readonly activated: number;
  readonly known: number;
  readonly sessions: number;
  /** When activate() began: ms since the epoch. */
  readonly at: number;
}

/** What a window tells next. */
async function newTelling(server: VscodeServer, read: Set<string>): Promise<Telling> {
  for (;;) {
    const telling = (await tellings(server)).find(({ line }) => !read.has(line));
    if (telling !== undefined) {
      read.add(telling.line);
      return telling;
    }
    await delay(50);
  }
}

async function tellings({ userData }: VscodeServer): Promise<Telling[]> {
  const folder = path.join(userData, 'logs');
  const names = (await readdir(folder, { recursive: true })).filter((name) => path.basename(name) === 'Treeline.log');
  const texts = await Promise.all(names.map((name) => readFile(path.join(folder, name), 'utf8')));
  return texts
    .flatMap((text) => [...text.matchAll(TELLING)])
    .map(({ 0: line, groups = {} }) => ({
      line,
      activated: Number(groups['activated']),
      known: Number(groups['known']),
      sessions: Number(groups['sessions']),
      at: Date.parse(groups['at'] ?? ''),
    }));
}
