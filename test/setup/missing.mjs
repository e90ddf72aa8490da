// Prints the Debian packages that this machine lacks for all tiers, on one line: for CI machines, which install them.
import { missing } from './all.mjs';

console.log(missing(new Set(['vscode', 'browser'])).join(' '));
