import { chmodSync, lstatSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { writeAtomic } from '../platform/atomic-file.ts';
import { TreelineError } from '../platform/errors.ts';
import { programsFolder } from './programs.ts';

/** By this line a file is known as ours, to be written anew. */
const MARK = 'Treeline: starts the command line of the newest version that VS Code has used.';

/** What an executable was installed as, and whether a shell finds it. */
export interface InstalledShim {
  readonly file: string;
  /** The line that puts its folder on the PATH; absent where it is there. */
  readonly line?: string;
}

/** Where the command goes: a folder of the user's own, which most systems have on the PATH. */
export function shimFile(platform: NodeJS.Platform = process.platform, home = os.homedir()): string {
  return path.join(home, '.local', 'bin', platform === 'win32' ? 'treeline.cmd' : 'treeline');
}

/**
 * Writes the command `treeline`: a script that names no version, and finds the newest copy of the programs each time. Throws
 * TreelineError where another program has that name.
 */
export async function installShim(
  globalStorage: string,
  { file = shimFile(), env = process.env }: { readonly file?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<InstalledShim> {
  if (lstatSync(file, { throwIfNoEntry: false }) !== undefined && !isOurs(file)) {
    throw new TreelineError('shim-taken', `${file} is another program. Remove or rename it, then try again.`);
  }
  const folder = path.dirname(file);
  await mkdir(folder, { recursive: true });
  const isWindows = file.endsWith('.cmd');
  const script = (isWindows ? windowsScript : shellScript)(process.execPath, programsFolder(globalStorage));
  await writeAtomic(file, script);
  chmodSync(file, 0o755);
  const onPath = (env['PATH'] ?? env['Path'] ?? '').split(isWindows ? ';' : ':').includes(folder);
  return {
    file,
    ...(!onPath && { line: isWindows ? `setx PATH "%PATH%;${folder}"` : `export PATH="${folder}:$PATH"` }),
  };
}

function isOurs(file: string): boolean {
  try {
    return readFileSync(file, 'utf8').includes(MARK);
  } catch {
    return false;
  }
}

/** The editor's own program runs it, as node; where that is gone, a node on the PATH. */
function shellScript(program: string, programs: string): string {
  return `#!/bin/sh
# ${MARK}
program=${quoted(program)}
[ -x "$program" ] || program=node
newest=
for one in ${quoted(programs)}/*/treeline.cjs; do
  folder=\${one%/*}
  if [ -f "$one" ] && { [ -z "$newest" ] || [ "$folder" -nt "$newest" ]; }; then newest=$folder; fi
done
if [ -z "$newest" ]; then
  echo 'treeline: Treeline is not installed any more; install it in VS Code and open a folder there.' >&2
  exit 1
fi
ELECTRON_RUN_AS_NODE=1 exec "$program" "$newest/treeline.cjs" "$@"
`;
}

/** Not run here. `dir /o-d` lists the newest first. */
function windowsScript(program: string, programs: string): string {
  return [
    '@echo off',
    `rem ${MARK}`,
    'setlocal',
    'set ELECTRON_RUN_AS_NODE=1',
    `for /f "delims=" %%d in ('dir /b /ad /o-d "${programs}"') do (`,
    `  if exist "${programs}\\%%d\\treeline.cjs" (`,
    `    "${program}" "${programs}\\%%d\\treeline.cjs" %*`,
    '    exit /b',
    '  )',
    ')',
    'echo treeline: Treeline is not installed any more; install it in VS Code and open a folder there. 1>&2',
    'exit /b 1',
    '',
  ].join('\r\n');
}

/** A word of a shell script that stands for itself. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
