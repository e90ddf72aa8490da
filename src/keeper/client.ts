import { readFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isRecord, natural, number, oneOf, parseJson, positive, record, shape, string } from '../platform/check.ts';
import type { Read } from '../platform/check.ts';
import { Emitter, type Dispose } from '../platform/emitter.ts';
import { errorText, reasonOf, TreelineError } from '../platform/errors.ts';
import { saying } from '../store/read-saying.ts';
import { say } from '../words/saying.ts';
import { startDetachedProcess } from '../platform/detached-process.ts';
import { hostName, isAliveNow, isElsewhere, processId } from '../platform/process-id.ts';
import type { ProcessId } from '../platform/process-id.ts';
import { exitRecord, type ExitRecord } from '../store/model.ts';
import { LineSplitter } from '../platform/lines.ts';
import { RUN_FILES, STREAM_KEYS } from './protocol.ts';
import type { Grown, KeeperReply, KeeperRequest, KeeperSpec, Message, StartWith, StreamKey } from './protocol.ts';
import { keeperEnv } from './spec.ts';

export { keeperEnv, MARK, markerEnv, readSpec, userEnv, writeSpec } from './spec.ts';

/** Between two attempts to reach a keeper that is starting: ms. */
const ATTEMPT = 4;

export interface Launch {
  /** Node, or an Electron that can be told to be one. */
  readonly execPath: string;
  /** The keeper's bundle. */
  readonly entry: string;
  readonly runFolder: string;
  /** The user's environment. What this agent alone is given comes with `start`. */
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Starts a keeper that outlives this process, on the spec.json that stands in the folder. What it cannot tell anybody else it
 * writes to keeper.err there. Throws TreelineError `keeper-start` when the system refuses.
 */
export async function launchKeeper({ execPath, entry, runFolder, env }: Launch): Promise<ProcessId> {
  try {
    const output = path.join(runFolder, RUN_FILES.errors);
    const pid = await startDetachedProcess([execPath, entry, runFolder], { env: keeperEnv(env), output });
    return (await processId(pid)) ?? { pid, start: 'gone', host: hostName() };
  } catch (error) {
    throw new TreelineError(say('keeper-start', { reason: reasonOf(error) }), { cause: error });
  }
}

/** How long a keeper that runs may take to answer: ms. */
const ANSWERS_WITHIN = 3000;

export interface ConnectOptions {
  /** How long it may take to answer: ms; absent: as one that runs has. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** The keeper's process, where it is known: when it is gone, waiting is over. */
  readonly keeper?: ProcessId;
  /** Whether to be told of everything that is recorded: see `onGrew`. */
  readonly follow?: boolean;
  /** Whether this process acts for the repository, so that the keeper need not start another that does. */
  readonly steward?: boolean;
}

/**
 * Connects to a run's keeper and says the token. Throws TreelineError `keeper-gone` when none answers in time, or when the
 * keeper's process is known to be gone; `protocol` when it refuses us; `elsewhere` when it runs on another machine.
 */
export async function connectKeeper(
  { socket, token }: Pick<KeeperSpec, 'socket' | 'token'>,
  { timeoutMs = ANSWERS_WITHIN, signal, keeper, follow, steward }: ConnectOptions,
): Promise<KeeperConnection> {
  const deadline = performance.now() + timeoutMs;
  const hello = {
    token,
    ...(follow === true && { follow }),
    ...(steward === true && { role: 'steward' as const }),
  };
  if (keeper !== undefined && isElsewhere(keeper)) {
    throw new TreelineError(say('elsewhere.open', { host: keeper.host ?? '?' }));
  }
  for (;;) {
    signal?.throwIfAborted();
    // Looked at before the attempt: a keeper may answer, and end, between the two.
    const gone = keeper !== undefined && !isAliveNow(keeper);
    const client = await connect(socket);
    if (client !== undefined) return KeeperConnection.greet(client, hello, deadline);
    if (gone || performance.now() > deadline) {
      throw new TreelineError(say(gone ? 'keeper-gone.ended' : 'keeper-gone.silent'));
    }
    await delay(ATTEMPT, undefined, signal && { signal });
  }
}

/** {@link launchKeeper} and {@link connectKeeper} in one; when the keeper cannot start, the error says why. */
export async function openKeeper(
  spec: KeeperSpec,
  launch: Launch,
  options: Omit<ConnectOptions, 'keeper'>,
): Promise<KeeperConnection> {
  const keeper = await launchKeeper(launch);
  try {
    return await connectKeeper(spec, { ...options, keeper });
  } catch (error) {
    if (!(error instanceof TreelineError)) throw error;
    const said = await readFile(path.join(launch.runFolder, RUN_FILES.errors), 'utf8').catch(() => '');
    // One line of its own; or what node prints when it cannot even run it, with the error somewhere in the middle.
    const lines = said.trim().split('\n');
    const why = lines.find((line) => line.includes('Error: ')) ?? lines[0];
    throw why
      ? new TreelineError(error.code, say('keeper-gone.said', { problem: reasonOf(error), reason: why }), {
          cause: error,
        })
      : error;
  }
}

function connect(socket: string): Promise<net.Socket | undefined> {
  return new Promise((resolve) => {
    const client = net.connect(socket);
    client.once('connect', () => resolve(client));
    client.once('error', () => resolve(undefined));
  });
}

type Hello = Omit<Extract<KeeperRequest, { do: 'hello' }>, 'id' | 'do'>;
type Answer = Extract<KeeperReply, { ok: true }>;
type Question = KeeperRequest extends infer R ? (R extends unknown ? Omit<R, 'id'> : never) : never;

const grownReply: Read<Grown> = shape({ stream: oneOf(STREAM_KEYS), at: number, end: natural });

const reply: Read<KeeperReply> = (value, what) => {
  const from = record(value, what);
  if (from['event'] === 'ended') return { event: 'ended', exit: exitRecord(from['exit'], `${what}.exit`) };
  if (from['event'] === 'grew') return { event: 'grew', ...grownReply(from, what) };
  const id = natural(from['id'], `${what}.id`);
  if (from['ok'] !== true) {
    return {
      id,
      ok: false,
      code: string(from['code'], `${what}.code`),
      why: saying(from['why'], `${what}.why`),
    };
  }
  return {
    id,
    ok: true,
    ...(isRecord(from['exit']) && { exit: exitRecord(from['exit'], `${what}.exit`) }),
    ...(from['again'] === true && { again: true as const }),
    ...(from['pid'] !== undefined && { pid: positive(from['pid'], `${what}.pid`) }),
  };
};

/** A window's hold on a keeper. Losing it does nothing to the agent, once that was started. */
export class KeeperConnection {
  readonly #client: net.Socket;
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>();
  readonly #ended = Promise.withResolvers<ExitRecord>();
  readonly #closed: Promise<void>;
  /** How far each stream is recorded, as far as it was told. */
  readonly #grown = new Map<StreamKey, Grown>();
  // A listener that throws is a defect, and not the keeper's: it shows as one.
  readonly #growth = new Emitter<Grown>((error) =>
    queueMicrotask(() => {
      throw error;
    }),
  );
  #lastId = 0;

  private constructor(client: net.Socket) {
    this.#client = client;
    const lines = new LineSplitter();
    client.on('error', () => client.destroy());
    client.on('data', (chunk) => {
      try {
        for (const line of lines.push(chunk)) this.#hear(parseJson(line, reply, 'The reply'));
      } catch (error) {
        this.#fail(error instanceof TreelineError ? error : new TreelineError('protocol', errorText(error)));
        client.destroy();
      }
    });
    this.#closed = new Promise((resolve) =>
      client.once('close', () => {
        this.#fail(new TreelineError(say('keeper-gone.disconnected')));
        resolve();
      }),
    );
  }

  /** Says the token on a fresh socket. Throws what the keeper answers, or `keeper-gone` when it does not until `deadline`. */
  static async greet(client: net.Socket, hello: Hello, deadline: number): Promise<KeeperConnection> {
    const connection = new KeeperConnection(client);
    const timer = setTimeout(() => client.destroy(), Math.max(1000, deadline - performance.now()));
    try {
      await connection.#ask({ do: 'hello', ...hello });
      return connection;
    } catch (error) {
      client.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** How the run ended, once it has. Stays pending when the connection is lost before: see `closed`. */
  get ended(): Promise<ExitRecord> {
    return this.#ended.promise;
  }

  /** Resolves when the connection is gone, whether or not the run has ended. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /**
   * Calls the listener whenever more is recorded, with how far the stream is recorded now; what is known already it hears at once.
   * Only for a connection that follows.
   */
  onGrew(listener: (grown: Grown) => void): Dispose {
    for (const grown of this.#grown.values()) listener(grown);
    return this.#growth.event(listener);
  }

  /** Starts the agent; asking again changes nothing. Throws TreelineError when it cannot be started. */
  async start(how: StartWith = {}): Promise<{ pid: number }> {
    const { pid = 0 } = await this.#ask({ do: 'start', ...how });
    return { pid };
  }

  /** Replaces what a steward is given that the keeper starts: see StartWith. */
  async remember(text: string): Promise<void> {
    await this.#ask({ do: 'remember', text });
  }

  /**
   * Sends a message to an agent that reads lines, once for each key: `again` tells that it had been sent before. Throws
   * TreelineError when it does not reach the agent.
   */
  async send(message: Message): Promise<{ again: boolean }> {
    const { again = false } = await this.#ask({ do: 'send', ...message });
    return { again };
  }

  /**
   * Ends the agent with all its descendants, and resolves when none is left. An abort ends the waiting, not the stop.
   * A run that ends by itself meanwhile is as good an answer.
   */
  async stop(signal?: AbortSignal): Promise<ExitRecord> {
    signal?.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => aborted.reject(signal?.reason);
    signal?.addEventListener('abort', abort);
    try {
      const answer = this.#ask({ do: 'stop' }).then(({ exit }) => exit ?? this.ended);
      return await Promise.race([answer, this.ended, aborted.promise]);
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  dispose(): void {
    this.#client.destroy();
  }

  #ask(question: Question): Promise<Answer> {
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<Answer>();
    this.#waiting.set(id, answer);
    if (this.#client.writable) this.#client.write(`${JSON.stringify({ id, ...question })}\n`);
    else this.#fail(new TreelineError(say('keeper-gone.disconnected')));
    return answer.promise;
  }

  #hear(said: KeeperReply): void {
    if ('event' in said) {
      if (said.event === 'ended') {
        this.#ended.resolve(said.exit);
      } else {
        const { stream, at, end } = said;
        this.#grown.set(stream, { stream, at, end });
        this.#growth.fire({ stream, at, end });
      }
      return;
    }
    if (said.id === 0 && !said.ok) {
      this.#fail(new TreelineError(said.code, said.why));
      return;
    }
    const waiting = this.#waiting.get(said.id);
    this.#waiting.delete(said.id);
    if (said.ok) waiting?.resolve(said);
    else waiting?.reject(new TreelineError(said.code, said.why));
  }

  #fail(error: TreelineError): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
