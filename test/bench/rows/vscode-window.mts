/** A window of a real VS Code opens on a store of a thousand sessions, beside one on an empty store. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { VscodeServer } from '../../support/vscode-server.mts';
import { Workbench } from '../../support/workbench.mts';
import { makeRepository, plainGit } from '../place.mts';
import { row } from '../row.mts';
import { thousand } from '../thousand.mts';
import { globalStorage, inVscode } from '../vscode.mts';

/** The browser's VS Code writes down every 5 s how a window looks: then it comes up again as it was. */
const REMEMBERED_MS = 7000;

/** What the extension writes to its log about its start, and when (UTC). */
const TELLING =
  /^(\S+ \S+) \[info\] Activated in ([\d.]+) ms; the (\d+) sessions here were known after ([\d.]+) ms\.$/gm;

/** What one opening took, in ms from the beginning of activate(). */
interface Opened {
  readonly activated: number;
  /** Until the sessions were known. */
  readonly listed: number;
  /** Until the first of them stood on the screen; in an empty store, the words that there are none. */
  readonly drawn: number;
}

plainGit();
await row(async (context) => {
  const full = await thousand(context);
  const places = {
    full: { repo: full.repo, sessions: full.sessions.length, shows: /Session number/ },
    empty: {
      repo: await makeRepository(path.join(full.repo, '../empty-repo'), 10),
      sessions: 0,
      shows: /No session yet|No coding agent/,
    },
  };
  const share = (userData: string): void => {
    const storage = globalStorage(userData);
    mkdirSync(path.dirname(storage), { recursive: true });
    symlinkSync(full.storage, storage, 'dir');
  };
  return inVscode(
    context,
    async ({ server, browser }) => {
      const windows = {
        full: await Workbench.open(browser, server, places.full.repo),
        empty: await Workbench.open(browser, server, places.empty.repo),
      };
      for (const window of Object.values(windows)) await window.showContainer('Treeline');
      await delay(REMEMBERED_MS);
      const known = new Set(await tellings(server));

      const opened: Record<'full' | 'empty', Opened[]> = { full: [], empty: [] };
      for (let round = 0; round < (context.quick ? 2 : 7); round++) {
        for (const which of round % 2 === 0 ? (['full', 'empty'] as const) : (['empty', 'full'] as const)) {
          const { sessions, shows } = places[which];
          const drawnAt = await windows[which].reloadUntil(shows);
          const told = await newTelling(server, known);
          if (told.sessions !== sessions) throw new Error(`It shows ${told.sessions} sessions.`);
          opened[which].push({ ...told, drawn: drawnAt - told.began });
        }
      }
      const of = (which: 'full' | 'empty', key: keyof Opened): number[] => opened[which].map((one) => one[key]);
      const size = `${full.sessions.length.toLocaleString('en')} sessions, ${full.events.toLocaleString('en')} events`;
      const beside = (key: keyof Opened) =>
        ({ unit: 'ms', values: of('full', key), baseline: of('empty', key) }) as const;
      return [
        { what: `VS Code opens, ${size}: activate()`, ...beside('activated'), goal: { most: 50 } },
        {
          what: `VS Code opens, ${size}: sessions known`,
          ...beside('listed'),
          note: 'from the beginning of activate()',
        },
        {
          what: `VS Code opens, ${size}: first sessions on the screen`,
          ...beside('drawn'),
          goal: { ratio: 1.5, most: 200 },
          note: 'from the beginning of activate(); the baseline is the words that there is no session',
        },
      ];
    },
    share,
  );
});

interface Telling extends Omit<Opened, 'drawn'> {
  readonly sessions: number;
  /** ms since the epoch. */
  readonly began: number;
}

async function newTelling(server: VscodeServer, known: Set<string>): Promise<Telling> {
  for (;;) {
    const line = (await tellings(server)).find((one) => !known.has(one));
    const [, at, activated, sessions, listed] = (line === undefined ? undefined : [...line.matchAll(TELLING)][0]) ?? [];
    if (line !== undefined && at !== undefined) {
      known.add(line);
      const times = { activated: Number(activated), listed: Number(listed) };
      return { ...times, sessions: Number(sessions), began: Date.parse(`${at.replace(' ', 'T')}Z`) - times.listed };
    }
    await delay(50);
  }
}

async function tellings({ userData }: VscodeServer): Promise<string[]> {
  const files = await readdir(path.join(userData, 'logs'), { recursive: true });
  const logs = files.filter((name) => path.basename(name) === 'Treeline.log');
  const texts = await Promise.all(logs.map((name) => readFile(path.join(userData, 'logs', name), 'utf8')));
  return texts.flatMap((text) => [...text.matchAll(TELLING)].map(([line]) => line));
}
