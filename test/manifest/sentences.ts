import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { STATUS_LOOKS } from '../../src/protocol/statuses.ts';
import { STRINGS } from '../../src/protocol/strings.ts';
import { TEMPLATES } from '../../src/words/saying.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** The English sentences that the code hands to `t(…)` or `l10n.t(…)`, those of the timeline page, the titles of statuses, and what is stored as a code, sorted. */
export function sentences(): readonly string[] {
  const files = ['views', 'commands', 'documents'].flatMap((folder) =>
    readdirSync(path.join(root, 'src', folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => path.join('src', folder, name)),
  );
  const statuses = Object.values(STATUS_LOOKS).map(({ title }) => title);
  const found = new Set<string>([...Object.values(STRINGS), ...statuses, ...TEMPLATES]);
  for (const file of [...files, 'src/extension.ts']) {
    const text = readFileSync(path.join(root, file), 'utf8');
    for (const [, quoted = ''] of text.matchAll(/\bt\(\s*'((?:[^'\\]|\\.)*)'/g)) {
      found.add(quoted.replaceAll("\\'", "'"));
    }
  }
  return [...found].sort();
}

/** The text of l10n/bundle.l10n.json: each sentence, as itself. */
export function bundle(): string {
  return `${JSON.stringify(Object.fromEntries(sentences().map((sentence) => [sentence, sentence])), null, 2)}\n`;
}
