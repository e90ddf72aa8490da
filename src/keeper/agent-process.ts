import type { ChildProcess, StdioOptions } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import spawn from 'cross-spawn';
import { hasCode, reasonOf, TreelineError } from '../platform/errors.ts';
import { say, type Saying } from '../words/saying.ts';
import { hostName, processId, readProcStat } from '../platform/process-id.ts';
import type { ProcessId } from '../platform/process-id.ts';
import type { Additions, KeeperSpec } from './protocol.ts';
import { agentEnv } from './spec.ts';

/** What waits at most for an agent that does not read its stdin: bytes. */
const STDIN_LIMIT = 4 * 1024 * 1024;

/** The agent's process, as its keeper holds it. */
export interface AgentProcess {
  readonly id: ProcessId;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when the process has ended; its pipes may still hold output then. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /**
   * Writes a message to the agent's stdin as it is, with a line end after it. Resolves when the pipe took it, be it hours later.
   * Throws TreelineError `no-stdin`, `stdin-full` or `stdin-closed`; `before` runs, and is waited for, once the message is known
   * to be welcome.
   */
  send(text: string, before: () => Promise<unknown>): Promise<void>;
  /** With `lines`: the prompt, which is to be sent first of all. */
  readonly first?: string;
}

/**
 * Starts the agent in a process group of its own, without a shell. Throws TreelineError with a plain sentence when the system
 * refuses.
 *
 * @param additions to the user's environment, for this agent alone.
 *
 * With `lines` the prompt is the first message: one with line ends in it arrives as several lines, as any message does.
 */
export async function startAgent(spec: KeeperSpec, additions: Additions = {}): Promise<AgentProcess> {
  if (statSync(spec.worktree, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new TreelineError(say('no-worktree', { worktree: spec.worktree }));
  }
  const { input, first } = openPrompt(spec);
  try {
    const child = spawnAgent(spec, additions, [input ?? (spec.stdin === 'lines' ? 'pipe' : 'ignore'), 'pipe', 'pipe']);
    const { pid, stdin, stdout, stderr } = child;
    if (pid === undefined || stdout === null || stderr === null) {
      throw await new Promise((resolve) => child.once('error', resolve));
    }
    const exited: AgentProcess['exited'] = new Promise((resolve) =>
      child.once('exit', (code, signal) => resolve({ code, signal })),
    );
    // At once, while it cannot have been fetched yet and nobody else can have its pid. Elsewhere a look takes its time: an agent
    // that is gone by then gets an identity that no living process has.
    const id = readProcStat(pid)?.id ?? (await processId(pid)) ?? { pid, start: 'gone', host: hostName() };
    return { id, stdout, stderr, exited, send: sender(stdin), ...(first !== undefined && { first }) };
  } catch (error) {
    throw refusal(spec.argv[0] ?? '', error);
  } finally {
    if (input !== undefined) closeSync(input);
  }
}

/** The prompt as the agent's stdin, or as its first message. */
function openPrompt({ stdin, prompt: file }: KeeperSpec): { input?: number; first?: string } {
  try {
    if (stdin === 'prompt') return { input: openSync(file, 'r') };
    return stdin === 'lines' ? { first: readFileSync(file, 'utf8') } : {};
  } catch (cause) {
    throw new TreelineError(say('no-prompt', { reason: reasonOf(cause) }), { cause });
  }
}

/**
 * Windows runs the batch files that npm makes of programs only by `cmd.exe`: cross-spawn does that, and escapes every argument.
 * Elsewhere, and for an `.exe`, it is node's own spawn.
 */
function spawnAgent(spec: KeeperSpec, additions: Additions, stdio: StdioOptions): ChildProcess {
  const [program = '', ...args] = spec.argv;
  return spawn(program, args, {
    cwd: spec.worktree,
    env: agentEnv(process.env, spec, additions),
    detached: true,
    shell: false,
    windowsHide: true,
    stdio,
  });
}

function sender(stdin: Writable | null): AgentProcess['send'] {
  // Without a listener an EPIPE would end the keeper; each write hears of it by its own callback.
  stdin?.on('error', () => undefined);
  return async (text, before) => {
    if (stdin === null) {
      throw new TreelineError(say('no-stdin'));
    }
    if (!stdin.writable) throw stdinClosed();
    if (stdin.writableLength > STDIN_LIMIT) {
      throw new TreelineError(say('stdin-full'));
    }
    await before();
    await new Promise<void>((resolve, reject) =>
      stdin.write(text.endsWith('\n') ? text : `${text}\n`, (error) => {
        if (error) reject(stdinClosed(error));
        else resolve();
      }),
    );
  };
}

function stdinClosed(cause?: Error): TreelineError {
  return new TreelineError(say('stdin-closed'), { cause });
}

function refusal(program: string, error: unknown): TreelineError {
  return new TreelineError(whyNot(program, error), { cause: error });
}

function whyNot(program: string, error: unknown): Saying {
  if (hasCode(error, 'ENOENT')) return say('not-found', { program });
  if (hasCode(error, 'EACCES') || hasCode(error, 'EPERM')) return say('not-executable', { program });
  if (hasCode(error, 'E2BIG') || hasCode(error, 'ENAMETOOLONG')) return say('too-long');
  return say('start-failed.system', { program, reason: reasonOf(error) });
}
