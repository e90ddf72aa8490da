// The sample repository of `npm run try` and of the screenshots: a small project with a little history.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Commit by commit: message, and the files that it writes. */
const history = [
  [
    'Begin a greeting service',
    {
      'README.md':
        '# Sample project\n\nA small service that greets people. It is here to be changed by agents.\n\n## Notes\n\n- Begun.\n',
      'src/greet.js': 'export function greet(name) {\n  return `Hello, ${name}!`;\n}\n',
      '.gitignore': 'node_modules/\n.env\n',
    },
  ],
  [
    'Greet in more languages',
    {
      'src/languages.js':
        "export const languages = {\n  en: 'Hello',\n  fr: 'Bonjour',\n  es: 'Hola',\n  de: 'Hallo',\n};\n",
      'src/greet.js':
        "import { languages } from './languages.js';\n\nexport function greet(name, language = 'en') {\n  return `${languages[language]}, ${name}!`;\n}\n",
    },
  ],
  [
    'Add a command line',
    {
      'package.json':
        '{\n  "name": "sample-project",\n  "private": true,\n  "type": "module",\n  "bin": "src/cli.js"\n}\n',
      'src/cli.js':
        "import { greet } from './greet.js';\n\nconsole.log(greet(process.argv[2] ?? 'world', process.argv[3]));\n",
    },
  ],
];

/** Makes the repository in `folder`, unless it is there already. Returns whether it was made. */
export function makeSample(folder) {
  if (existsSync(path.join(folder, '.git'))) return false;
  mkdirSync(folder, { recursive: true });
  const git = (...args) => execFileSync('git', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  git('init', '--quiet', '--initial-branch=main');
  // Who commits there, also where this machine has no identity.
  git('config', 'user.name', 'Sample Person');
  git('config', 'user.email', 'sample@example.invalid');
  for (const [message, files] of history) {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      writeFileSync(path.join(folder, name), content);
    }
    git('add', '--all');
    git('commit', '--quiet', '--message', message);
  }
  return true;
}
