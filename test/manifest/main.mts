// npm run manifest: writes the commands and settings of src/commands/table.ts and src/sessions/settings.ts into package.json.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { withTables } from './contributes.ts';

const file = path.resolve(import.meta.dirname, '../../package.json');
writeFileSync(file, withTables(readFileSync(file, 'utf8')));
