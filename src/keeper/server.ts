import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import {
  invalid,
  mapOf,
  natural,
  nonEmpty,
  oneOf,
  optional,
  parseJson,
  positive,
  record,
  shape,
  string,
} from '../platform/check.ts';
import type { Read } from '../platform/check.ts';
import { errorText, hasCode, reasonOf, sayingOf, TreelineError } from '../platform/errors.ts';
import { say, type Said } from '../words/saying.ts';
import { PRIVATE_FILE, isSafeFolder } from '../platform/paths.ts';
import type { ExitRecord } from '../store/model.ts';
import { LineSplitter } from '../platform/lines.ts';
import type { Grown, KeeperReply, KeeperRequest, Message, StartWith, StreamKey } from './protocol.ts';

/** A connection that has not said the token after this many ms is closed. */
const HELLO_WITHIN = 5000;

/** How often to look whether the socket's file is still there: ms. */
const LOOK = 3000;

/** How long a client may take to read the last words: ms. */
const GOODBYE = 1000;

const isTrue: Read<true> = (value, what) => (value === true ? value : invalid(what, 'true', value));

const hello = shape({ token: string, follow: optional(isTrue), role: optional(oneOf(['steward'])) });

const message: Read<Message> = shape({ key: nonEmpty, text: string, turn: optional(positive) });

const startWith: Read<StartWith> = shape({ env: optional(mapOf(string)), later: optional(string) });

const request: Read<KeeperRequest> = (value, what) => {
  const from = record(value, what);
  const id = natural(from['id'], `${what}.id`);
  const verb = oneOf(['hello', 'start', 'send', 'remember', 'stop'])(from['do'], `${what}.do`);
  if (verb === 'hello') return { id, do: verb, ...hello(from, what) };
  if (verb === 'start') return { id, do: verb, ...startWith(from, what) };
  if (verb === 'remember') return { id, do: verb, text: string(from['text'], `${what}.text`) };
  if (verb === 'send') return { id, do: verb, ...message(from, what) };
  return { id, do: verb };
};

/** What a client may ask for, once it has said the token. */
export interface Service {
  start(how: StartWith): Promise<{ pid: number }>;
  remember(text: string): void;
  send(message: Message): Promise<{ again?: true }>;
  stop(): Promise<ExitRecord>;
  /** Whether a client that acts for the repository is there; told when that changes. */
  led(is: boolean): void;
  /** The socket was removed, and could not be put back. */
  unreachable(why: Said): void;
  /** The last client that had said the token is gone. */
  alone(): void;
}

/** What the server knows of a connection. */
interface Client {
  /** Whether it has said the token. */
  known: boolean;
  /** Whether it acts for the repository. */
  steward: boolean;
  /** Of one that follows: what it has not been told yet. */
  news: Map<StreamKey, Grown> | undefined;
}

/** The keeper's local socket: JSON lines, any number of clients, each of which has to say the token first. */
export class KeeperServer {
  #server: net.Server | undefined;
  /** Which file the socket is; undefined where none is. */
  #bound: string | undefined;
  #looking: NodeJS.Timeout | undefined;
  readonly #socket: string;
  readonly #token: Buffer;
  readonly #service: Service;
  /** All connections. */
  readonly #clients = new Map<net.Socket, Client>();
  /** How far each stream is recorded. */
  readonly #ends = new Map<StreamKey, Grown>();
  #telling: NodeJS.Immediate | undefined;
  #rebinding = false;
  /** What keeps the socket from being there, as it was told last. */
  #trouble: string | undefined;
  #ended: KeeperReply | undefined;

  constructor(socket: string, token: string, service: Service) {
    this.#socket = socket;
    this.#token = Buffer.from(token);
    this.#service = service;
  }

  /** Starts to listen. A socket file that a dead keeper left is removed; a living one's is not, and this throws. */
  async listen(): Promise<void> {
    if (process.platform === 'win32') {
      await this.#bind();
      return;
    }
    const folder = path.dirname(this.#socket);
    mkdirSync(path.dirname(folder), { recursive: true });
    if (!isSafeFolder(folder)) {
      throw new TreelineError(say('socket-folder', { folder }));
    }
    try {
      await this.#bind();
    } catch (error) {
      if (!hasCode(error, 'EADDRINUSE') || (await answers(this.#socket))) throw error;
      await rm(this.#socket, { force: true });
      await this.#bind();
    }
    // At once: what the caller does next comes before the first client.
    chmodSync(this.#socket, PRIVATE_FILE);
    this.#bound = this.#fileThere();
    this.#looking ??= setInterval(() => void this.#keepPlace(), LOOK).unref();
  }

  /** Whether a client that has said the token is there. */
  get attended(): boolean {
    return [...this.#clients.values()].some(({ known }) => known);
  }

  /** Tells every client how the run ended, if it began, then closes; resolves when all have heard it, or after a second. */
  async close(exit?: ExitRecord): Promise<void> {
    if (exit !== undefined) this.#ended = { event: 'ended', exit };
    clearInterval(this.#looking);
    this.#server?.close();
    const gone = Promise.all([...this.#clients.keys()].map((client) => once(client, 'close')));
    clearImmediate(this.#telling);
    for (const [client, state] of this.#clients) {
      tellGrowth(client, state);
      if (state.known && this.#ended !== undefined) tell(client, this.#ended);
      client.end();
    }
    const timer = setTimeout(() => {
      for (const client of this.#clients.keys()) client.destroy();
    }, GOODBYE);
    await gone;
    clearTimeout(timer);
  }

  /** Tells those who follow, once for all that is recorded in this turn of the event loop. */
  tell(grown: Grown): void {
    this.#ends.set(grown.stream, grown);
    let anybody = false;
    for (const { news } of this.#clients.values()) {
      if (news === undefined) continue;
      news.set(grown.stream, grown);
      anybody = true;
    }
    if (!anybody) return;
    this.#telling ??= setImmediate(() => {
      this.#telling = undefined;
      for (const [client, state] of this.#clients) tellGrowth(client, state);
    });
  }

  async #bind(): Promise<void> {
    const server = net.createServer((client) => this.#welcome(client));
    server.listen(this.#socket);
    await once(server, 'listening');
    // No more descriptors, say: who could not connect tries again.
    server.on('error', () => undefined);
    this.#server = server;
  }

  /** Which file stands at the socket's path. Numbers of files are used again, their births are not. */
  #fileThere(): string | undefined {
    const file = lstatSync(this.#socket, { throwIfNoEntry: false });
    return file && `${file.ino} ${file.birthtimeMs}`;
  }

  /** Somebody may have cleaned up: binds again where the socket's file is gone, or has become another. */
  async #keepPlace(): Promise<void> {
    if (this.#rebinding) return;
    this.#rebinding = true;
    try {
      if (this.#bound === undefined || this.#fileThere() !== this.#bound) {
        if (await answers(this.#socket)) throw new TreelineError(say('socket-taken'));
        // Before the next is bound: closing removes what stands at the path.
        this.#server?.close();
        this.#bound = undefined;
        await this.listen();
        this.#trouble = undefined;
      }
    } catch (error) {
      const why = errorText(error);
      if (why !== this.#trouble) this.#service.unreachable(reasonOf(error));
      this.#trouble = why;
    } finally {
      this.#rebinding = false;
    }
  }

  #welcome(client: net.Socket): void {
    const lines = new LineSplitter();
    const patience = setTimeout(() => client.destroy(), HELLO_WITHIN);
    const state: Client = { known: false, steward: false, news: undefined };
    this.#clients.set(client, state);
    client.on('error', () => client.destroy());
    client.once('close', () => {
      clearTimeout(patience);
      this.#clients.delete(client);
      if (state.steward && !this.#led) this.#service.led(false);
      if (state.known && !this.attended) this.#service.alone();
    });
    client.on('data', (chunk) => {
      try {
        for (const line of lines.push(chunk)) {
          const asked = parseJson(line, request, 'The request');
          if (state.known) void this.#serve(client, asked);
          else this.#greet(client, state, asked, patience);
        }
      } catch (error) {
        // Who breaks the protocol has nothing more to say.
        tell(client, { id: 0, ok: false, code: 'protocol', why: sayingOf(error) });
        client.destroySoon();
      }
    });
  }

  get #led(): boolean {
    return [...this.#clients.values()].some(({ steward }) => steward);
  }

  #greet(client: net.Socket, state: Client, asked: KeeperRequest, patience: NodeJS.Timeout): void {
    if (asked.do !== 'hello' || !this.#isToken(asked.token)) {
      invalid('The first request', 'hello with the token of this run', asked);
    }
    clearTimeout(patience);
    state.known = true;
    tell(client, { id: asked.id, ok: true });
    if (asked.role === 'steward') {
      state.steward = true;
      this.#service.led(true);
    }
    if (asked.follow === true) {
      // What stands there already comes first.
      state.news = new Map(this.#ends);
      client.on('drain', () => tellGrowth(client, state));
      tellGrowth(client, state);
    }
    if (this.#ended !== undefined) tell(client, this.#ended);
  }

  #isToken(text: string): boolean {
    const given = Buffer.from(text);
    return given.length === this.#token.length && timingSafeEqual(given, this.#token);
  }

  async #serve(client: net.Socket, asked: KeeperRequest): Promise<void> {
    const { id } = asked;
    try {
      const result = await this.#answer(asked);
      tell(client, { id, ok: true, ...result });
    } catch (error) {
      const code = error instanceof TreelineError ? error.code : 'failed';
      tell(client, { id, ok: false, code, why: sayingOf(error) });
    }
  }

  async #answer(asked: KeeperRequest): Promise<{ pid?: number; exit?: ExitRecord; again?: true }> {
    switch (asked.do) {
      case 'hello':
        return {};
      case 'start':
        return this.#service.start(asked);
      case 'remember':
        this.#service.remember(asked.text);
        return {};
      case 'send':
        return this.#service.send(asked);
      case 'stop':
        return { exit: await this.#service.stop() };
    }
  }
}

function tell(client: net.Socket, reply: KeeperReply): void {
  if (client.writable) client.write(`${JSON.stringify(reply)}\n`);
}

/** Says what is new, unless the client has not read what it was told before: then as soon as it has. */
function tellGrowth(client: net.Socket, { news }: Client): void {
  if (news === undefined || client.writableNeedDrain) return;
  for (const grown of news.values()) tell(client, { event: 'grew', ...grown });
  news.clear();
}

/** Whether somebody listens on this socket. */
function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.connect(socket);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}
