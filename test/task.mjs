// Runs one TypeScript program of the test folder (a bench, the screenshots) under Node 24, with its set-up.
//   node test/task.mjs [--vscode] FILE [ARGS…]
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { underNode24 } from './setup/node24.mjs';
import { root } from './setup/paths.mjs';
import { Missing } from './setup/say.mjs';

try {
  await underNode24(fileURLToPath(import.meta.url));
  const { setUp } = await import('./setup/all.mjs');
  const args = process.argv.slice(2);
  const vscode = args[0] === '--vscode';
  if (vscode) args.shift();
  await setUp(new Set(vscode ? ['dependencies', 'vscode', 'browser'] : ['dependencies']));
  const [file = '', ...rest] = args;
  const child = spawn(process.execPath, [path.resolve(root, file), ...rest], { stdio: 'inherit' });
  process.on('SIGINT', () => {});
  child.on('exit', (code) => process.exit(code ?? 1));
} catch (error) {
  console.error(error instanceof Missing ? `treeline: ${error.message}` : error);
  process.exit(1);
}
