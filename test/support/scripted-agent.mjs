// An agent for tests: its prompt is its program, one command a line; other lines are only echoed.
//   print TEXT · err TEXT · write FILE TEXT · run PROGRAM ARGS… · sleep MS · burst COUNT · wait · exit CODE
//   until FILE (goes on when the file is there: the test says when)
//   deaf (ignores SIGINT and SIGTERM) · daemon FILE (leaves a child with its own session; its pid goes to FILE)
// With --lines it reads its program from stdin and goes on until `exit`; otherwise from the file that it is given.
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const commands = {
  print: (text) => console.log(text),
  err: (text) => console.error(text),
  write: (text) => {
    const [file, ...words] = text.split(' ');
    appendFileSync(file, `${words.join(' ')}\n`);
  },
  run: (text) => {
    const [program, ...args] = text.split(' ');
    spawnSync(program, args, { stdio: 'inherit' });
  },
  sleep: (ms) => sleep(Number(ms)),
  until: async (file) => {
    while (!existsSync(file)) {
      await sleep(50);
    }
  },
  burst: (count) => {
    for (let n = 1; n <= Number(count); n++) {
      console.log(`line ${n}`);
    }
  },
  wait: () => new Promise(() => setInterval(() => undefined, 60_000)),
  exit: (code) => process.exit(Number(code)),
  deaf: () => {
    process.on('SIGINT', () => undefined);
    process.on('SIGTERM', () => undefined);
  },
  daemon: (file) => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
    child.unref();
    writeFileSync(file, String(child.pid));
  },
};

async function obey(line) {
  const [, word, rest = ''] = /^(\S+)\s?(.*)$/.exec(line) ?? [];
  if (word !== undefined && Object.hasOwn(commands, word)) {
    await commands[word](rest);
  } else if (line !== '') {
    console.log(`> ${line}`);
  }
}

const [from] = process.argv.slice(2);
if (from === '--lines') {
  for await (const line of createInterface({ input: process.stdin })) {
    await obey(line);
  }
} else {
  for (const line of readFileSync(from, 'utf8').split('\n')) {
    await obey(line);
  }
}
