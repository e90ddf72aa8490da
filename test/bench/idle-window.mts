/** The program of a window that is left alone for a while: `idle-window.mts REPOSITORY STORAGE SECONDS COUNT_FILE`. */
import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { watchRepository } from '../../src/git/watch-repository.ts';
import { openWindow } from './place.mts';

const [, , repo = '', storage = '', seconds = '0', count = ''] = process.argv;
const { sessions } = await openWindow(repo, storage);
// As the view of the worktrees does.
watchRepository(sessions.repository, () => undefined);
// Until what follows an opening, such as the first snapshot of a store, is over.
await delay(6000);
rmSync(count, { force: true });
const before = process.cpuUsage();
await delay(Number(seconds) * 1000);
const { user, system } = process.cpuUsage(before);
process.send?.((user + system) / 1e4 / Number(seconds), () => process.exit(0));
