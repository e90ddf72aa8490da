/** The program of a window that opens, tells how long that took, and ends: `open-window.mts REPOSITORY STORAGE`. */
import { openWindow, plainGit } from './place.mts';

plainGit();
const [, , repo = '', storage = ''] = process.argv;
const start = performance.now();
const { sessions } = await openWindow(repo, storage);
const count = sessions.list().length;
const ms = performance.now() - start;
globalThis.gc?.();
process.send?.({ ms, memory: process.memoryUsage.rss() / 1024 ** 2, sessions: count }, () => process.exit(0));
