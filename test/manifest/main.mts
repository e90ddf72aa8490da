// npm run manifest: writes what follows from the sources.
//   package.json              commands, menus, keybindings and settings, from the tables in src/
//   l10n/bundle.l10n.json     every sentence of the code
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { withTables } from './contributes.ts';
import { bundle } from './sentences.ts';

const root = path.resolve(import.meta.dirname, '../..');
const manifest = path.join(root, 'package.json');
writeFileSync(manifest, withTables(readFileSync(manifest, 'utf8')));
writeFileSync(path.join(root, 'l10n/bundle.l10n.json'), bundle());
