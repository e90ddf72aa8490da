import { execa } from 'execa';
import { stat } from 'node:fs/promises';
import os from 'node:os';
import type { Readable } from 'node:stream';
import { TreelineError } from '../platform/errors.ts';
import { say } from '../words/saying.ts';
import { endTree } from './end-tree.ts';
import { gitEnvironment } from './environment.ts';
import { gitError } from './git-error.ts';

export interface GitOptions {
  /** Ends git and everything it started. */
  readonly signal?: AbortSignal | undefined;
  /** For git's stdin, which is empty otherwise. */
  readonly input?: string | Uint8Array;
  /** Milliseconds after which git and everything it started is ended; 2 minutes by default. */
  readonly timeoutMs?: number;
  /** More output than this (bytes, 64 MiB by default) is an error. */
  readonly maxBytes?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** True where git may take locks and write; a read leaves the user's index alone. */
  readonly writes?: boolean;
  /** True for work that nobody waits for: it leaves the processor to everything else. */
  readonly low?: boolean;
}

/** How a git ended that was allowed to fail. */
export interface GitResult {
  /** undefined when a signal ended it. */
  readonly exitCode: number | undefined;
  readonly stdout: Buffer;
  /** The last 64 KiB. */
  readonly stderr: string;
}

const DEFAULT_TIMEOUT_MS = 120_000;
const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;
const STDERR_BYTES = 64 * 1024;
/** How long after git's own end a background process of a hook may keep stderr open before it is closed on our side. */
const STDERR_LINGER_MS = 300;

/** Runs git and returns its stdout. Throws a TreelineError in git's own words when it fails. */
export async function git(cwd: string, args: readonly string[], options: GitOptions = {}): Promise<Buffer> {
  const result = await tryGit(cwd, args, options);
  if (result.exitCode !== 0) throw gitError({ args, cwd, ...result });
  return result.stdout;
}

/** As `git`, as text without the one newline at its end (a path may end with another). */
export async function gitText(cwd: string, args: readonly string[], options: GitOptions = {}): Promise<string> {
  return withoutNewline(await git(cwd, args, options));
}

/** As `git`, for calls whose failure is an answer. Throws only for what is none: no git, cancelled, out of time, too much output. */
export async function tryGit(cwd: string, args: readonly string[], options: GitOptions = {}): Promise<GitResult> {
  const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
  const running = start(cwd, args, options);
  const chunks: Buffer[] = [];
  let bytes = 0;
  running.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maxBytes) chunks.push(chunk);
    else {
      running.end(new TreelineError(say('too-large', { folder: cwd, most: maxBytes })));
    }
  });
  const { exitCode, stderr } = await running.ended;
  return { exitCode, stdout: Buffer.concat(chunks), stderr };
}

/** The records of git's stdout as they come, each ended by NUL. Leaving the loop early ends git. */
export async function* gitRecords(
  cwd: string,
  args: readonly string[],
  options: GitOptions = {},
): AsyncGenerator<string> {
  const running = start(cwd, args, options);
  // Not awaited until the end: without this, a failure in the middle of the loop would count as unhandled.
  running.ended.catch(() => undefined);
  let finished = false;
  try {
    const pending: Buffer[] = [];
    for await (const chunk of running.stdout as AsyncIterable<Buffer>) {
      let from = 0;
      for (let nul = chunk.indexOf(0); nul >= 0; nul = chunk.indexOf(0, from)) {
        pending.push(chunk.subarray(from, nul));
        // Bytes are joined before they are decoded: a character may lie across two chunks.
        const record = Buffer.concat(pending.splice(0)).toString('utf8');
        from = nul + 1;
        yield record;
      }
      if (from < chunk.length) pending.push(chunk.subarray(from));
    }
    finished = true;
  } finally {
    if (!finished) running.end();
  }
  const { exitCode, stderr } = await running.ended;
  if (exitCode !== 0) throw gitError({ args, cwd, exitCode, stderr });
}

export function withoutNewline(output: Buffer): string {
  return output.toString('utf8').replace(/\r?\n$/, '');
}

interface Running {
  readonly stdout: Readable;
  /** Rejects with what ended it early, if anything did. */
  readonly ended: Promise<{ readonly exitCode: number | undefined; readonly stderr: string }>;
  /** Ends git and all it started; `ended` then rejects with `reason`, if there is one. */
  readonly end: (reason?: TreelineError) => void;
}

function start(cwd: string, args: readonly string[], options: GitOptions): Running {
  const { signal } = options;
  if (signal?.aborted === true) throw cancelled(args);
  const child = execa('git', ['-c', 'core.quotePath=false', ...args], {
    cwd,
    env: gitEnvironment(options.writes ?? false, options.env),
    extendEnv: false,
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    encoding: 'buffer',
    buffer: false,
    reject: false,
    windowsHide: true,
    // A group of its own, so that a hook or filter that hangs can be ended together with git.
    detached: process.platform !== 'win32',
  });

  const program = child.nodeChildProcess;
  if (options.low === true && child.pid !== undefined) lowerPriority(child.pid);
  let reason: TreelineError | undefined;
  let ending: Promise<void> | undefined;
  const end = (why?: TreelineError): void => {
    reason ??= why;
    // Once it has ended, its number may be another's.
    const runs = program.exitCode === null && program.signalCode === null;
    if (child.pid !== undefined && runs) ending ??= endTree(child.pid);
  };
  const onAbort = (): void => end(cancelled(args));
  signal?.addEventListener('abort', onAbort, { once: true });
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const timer = setTimeout(
    () => end(new TreelineError(say('timeout', { verb: verb(args), limit: timeoutMs, folder: cwd }))),
    timeoutMs,
  );

  let stderr = Buffer.alloc(0);
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = Buffer.concat([stderr, chunk]).subarray(-STDERR_BYTES);
  });
  let linger: NodeJS.Timeout | undefined;
  program.once('exit', () => {
    linger = setTimeout(() => child.stderr.destroy(), STDERR_LINGER_MS);
  });

  const ended = (async () => {
    const result = await child;
    clearTimeout(timer);
    clearTimeout(linger);
    signal?.removeEventListener('abort', onAbort);
    await ending;
    if (reason !== undefined) throw reason;
    if (result.code === 'ENOENT' || child.pid === undefined) throw await notStarted(cwd, result.originalMessage ?? '');
    return { exitCode: result.exitCode, stderr: stderr.toString('utf8') };
  })();
  return { stdout: child.stdout, ended, end };
}

function lowerPriority(pid: number): void {
  try {
    os.setPriority(pid, os.constants.priority.PRIORITY_LOW);
  } catch {
    // It has ended already, or the system does not let us: then it runs like any other.
  }
}

function cancelled(args: readonly string[]): TreelineError {
  return new TreelineError(say('cancelled.git', { verb: verb(args) }));
}

function verb(args: readonly string[]): string {
  return args.find((arg) => /^[a-z]/.test(arg)) ?? '';
}

/** The system says ENOENT for a missing program and for a missing folder alike. */
async function notStarted(cwd: string, message: string): Promise<TreelineError> {
  const there = await stat(cwd).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!there) return new TreelineError(say('no-folder', { folder: cwd }));
  if (!message.includes('ENOENT')) return new TreelineError(say('git-failed.start', { reason: message }));
  return new TreelineError(say('git-missing'));
}
