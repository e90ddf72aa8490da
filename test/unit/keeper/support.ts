/** A run with a real keeper and a real agent, for the keeper's tests. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestContext } from 'node:test';
import { connectKeeper, launchKeeper, openKeeper, writeSpec } from '../../../src/keeper/client.ts';
import type { ConnectOptions, KeeperConnection, Launch } from '../../../src/keeper/client.ts';
import { RUN_FILES } from '../../../src/keeper/protocol.ts';
import type { KeeperNote, KeeperSpec, SentMessage, StreamKey } from '../../../src/keeper/protocol.ts';
import { runMarker } from '../../../src/keeper/spec.ts';
import { factId, sessionId } from '../../../src/platform/ids.ts';
import { processId } from '../../../src/platform/process-id.ts';
import type { ProcessId } from '../../../src/platform/process-id.ts';
import { descendants, signalProcesses } from '../../../src/platform/process-tree.ts';
import type { Fact } from '../../../src/store/facts.ts';
import type { ExitRecord } from '../../../src/store/model.ts';
import { textOf } from '../../../src/words/saying.ts';
import { tempDir, until } from '../support.ts';

/** The keeper's source: node runs it as it is. */
export const ENTRY = fileURLToPath(new URL('../../../src/keeper/main.ts', import.meta.url));

export interface RunOptions extends Partial<Omit<KeeperSpec, 'v' | 'argv'>> {
  /** The text of the prompt; the spec names its file. */
  readonly prompt?: string;
  readonly processEnv?: Readonly<Record<string, string>>;
  /** Where the run's folder stands; a fresh one by default. */
  readonly home?: string;
  /** The keeper's program. */
  readonly entry?: string;
}

/** A run whose agent is `argv`; a text is a script for node. */
export async function prepare(
  t: TestContext,
  agent: string | readonly string[],
  options: RunOptions = {},
): Promise<TestRun> {
  const { prompt = 'Do it.', processEnv = {}, home, entry = ENTRY, ...given } = options;
  const dir = await tempDir(t);
  const folder = path.join(home ?? dir, 'run');
  const worktree = path.join(dir, 'worktree');
  mkdirSync(folder);
  mkdirSync(worktree);
  const promptFile = path.join(dir, 'prompt.md');
  writeFileSync(promptFile, prompt);
  const spec: KeeperSpec = {
    v: 1,
    session: sessionId(),
    run: 1,
    journal: path.join(dir, 'journal.jsonl'),
    socket: path.join(dir, 'sock', 'k'),
    token: randomBytes(16).toString('hex'),
    argv: typeof agent === 'string' ? [process.execPath, '-e', agent] : agent,
    worktree,
    stdin: 'closed',
    prompt: promptFile,
    key: factId(),
    turn: 1,
    expects: [],
    grace: { interrupt: 500, terminate: 500 },
    ...given,
  };
  await writeSpec(folder, spec);
  const run = new TestRun(spec, folder, processEnv, entry);
  t.after(() => run.clean());
  return run;
}

/** A prepared run, its agent started. */
export async function started(
  t: TestContext,
  agent: string | readonly string[],
  options: RunOptions = {},
): Promise<{ run: TestRun; keeper: KeeperConnection }> {
  const run = await prepare(t, agent, options);
  const keeper = await run.open();
  await keeper.start();
  return { run, keeper };
}

export class TestRun {
  readonly spec: KeeperSpec;
  readonly folder: string;
  readonly #launch: Launch;

  constructor(spec: KeeperSpec, folder: string, env: Readonly<Record<string, string>>, entry: string) {
    this.spec = spec;
    this.folder = folder;
    const base = { PATH: process.env['PATH'] ?? '', HOME: path.dirname(folder) };
    this.#launch = { execPath: process.execPath, entry, runFolder: folder, env: { ...base, ...env } };
  }

  open(): Promise<KeeperConnection> {
    return openKeeper(this.spec, this.#launch, { timeoutMs: 20_000 });
  }

  launch(): Promise<ProcessId> {
    return launchKeeper(this.#launch);
  }

  /** A further client. */
  connect(as: Pick<ConnectOptions, 'follow' | 'steward'> = {}): Promise<KeeperConnection> {
    return connectKeeper(this.spec, { timeoutMs: 5000, ...as });
  }

  bytes(key: StreamKey): Buffer {
    return readFileSync(path.join(this.folder, RUN_FILES[key]));
  }

  text(key: StreamKey): string {
    return this.bytes(key).toString('utf8');
  }

  /** Waits until stdout holds `text`: the agent has come so far. */
  async printed(text: string): Promise<void> {
    await until(() => this.text('o').includes(text), { what: `the agent prints ${text}` });
  }

  /** What stdin.log tells of. */
  sent(): SentMessage[] {
    return this.text('i')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as SentMessage);
  }

  /** What keeper.log says, a note a line; what is no note as it is. */
  notes(): string {
    const lines = this.text('k').split('\n');
    return lines.map((line) => (line.endsWith('}') ? textOf((JSON.parse(line) as KeeperNote).said) : line)).join('\n');
  }

  /** The whole lines of times.log. */
  times(): { key: StreamKey; at: number; end: number }[] {
    const lines = readFileSync(path.join(this.folder, RUN_FILES.times), 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => {
      const [key, at, end] = line.split(' ');
      return { key: key as StreamKey, at: Number(at), end: Number(end) };
    });
  }

  facts(): Fact[] {
    const lines = readFileSync(this.spec.journal, 'utf8').split('\n').slice(0, -1);
    return lines.filter((line) => line.trim() !== '').map((line) => JSON.parse(line) as Fact);
  }

  fact<T extends Fact['type']>(type: T): Extract<Fact, { type: T }> {
    const fact = this.facts().find((one) => one.type === type);
    if (fact === undefined) throw new Error(`There is no fact ${type}.`);
    return fact as Extract<Fact, { type: T }>;
  }

  exit(): ExitRecord {
    return JSON.parse(readFileSync(path.join(this.folder, RUN_FILES.exit), 'utf8')) as ExitRecord;
  }

  exitExists(): boolean {
    return existsSync(path.join(this.folder, RUN_FILES.exit));
  }

  /** Processes of the run that still live, by the marker and by the worktree as their folder. */
  async left(): Promise<number[]> {
    const marked = await descendants({ roots: [], marker: runMarker(this.spec.session, this.spec.run) });
    return [...new Set([...marked.map(({ pid }) => pid), ...inFolder(this.spec.worktree)])];
  }

  /** Ends whatever a failed test has left. */
  async clean(): Promise<void> {
    const keepers = inArguments(this.folder);
    const ids = await Promise.all([...keepers, ...(await this.left())].map((pid) => processId(pid)));
    await signalProcesses(
      ids.filter((id) => id !== undefined),
      'SIGKILL',
    );
  }
}

/** Linux: the processes whose current folder is this one. */
function inFolder(folder: string): number[] {
  return pids((pid) => readlinkSync(`/proc/${pid}/cwd`) === folder);
}

/** Linux: the processes that have this word among their arguments. */
function inArguments(word: string): number[] {
  return pids((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(word));
}

function pids(test: (pid: string) => boolean): number[] {
  return readdirSync('/proc')
    .filter((pid) => {
      try {
        return /^\d+$/.test(pid) && test(pid);
      } catch {
        return false;
      }
    })
    .map(Number);
}
