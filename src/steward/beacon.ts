import { timingSafeEqual } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { isRecord, nonEmpty, parseJson, record, shape, type Read } from '../platform/check.ts';
import type { Dispose } from '../platform/emitter.ts';
import { errorText } from '../platform/errors.ts';
import { LineSplitter } from '../platform/lines.ts';
import type { Log } from '../platform/log.ts';
import { PRIVATE_FILE, privateFolder } from '../platform/paths.ts';
import type { Lead } from '../store/model.ts';
import type { Activity } from '../protocol/rows.ts';

/** Who does not say the token within this many ms is none of ours. */
const HELLO_WITHIN = 5000;

/** A watcher that does not read is let go when this much waits for it: bytes. It comes back, and is told all anew. */
const MOST_WAITING = 4 * 1024 * 1024;

/** What is told in this many ms is told at once: each watcher is woken once for all sessions. */
const GATHER_MS = 200;

/** How often who leads says that it lives: ms. */
const PULSE = 1000;

/** After so many pulses that did not come, it hangs. */
const SILENT = 10;

const hello = shape({ token: nonEmpty, role: nonEmpty });

const activity: Read<Activity> = (value, what) => {
  const { session } = shape({ session: nonEmpty })(value, what);
  // Made by the worker of a process of ours, for display alone.
  return { ...(record(value, what) as unknown as Activity), session };
};

/**
 * The socket of who leads. That it is open and says so is the proof of life: who watches it notices the end at once, and after a
 * while that it hangs. It tells what the agents' output came to, so that one process reads it for all; nothing of it has to arrive.
 */
export class Beacon {
  readonly #socket: string;
  readonly #token: Buffer;
  readonly #log: Log;
  readonly #server: net.Server;
  readonly #watchers = new Map<net.Socket, string>();
  readonly #last = new Map<string, Activity>();
  /** Sessions of which there is something to tell. */
  readonly #fresh = new Set<string>();
  readonly #pulse: number;
  #telling: NodeJS.Timeout | undefined;
  #beating: NodeJS.Timeout | undefined;

  /** @param pulse how often it says that it lives, in ms. */
  constructor(socket: string, token: string, log: Log, pulse: number = PULSE) {
    this.#pulse = pulse;
    this.#socket = socket;
    this.#token = Buffer.from(token);
    this.#log = log;
    this.#server = net.createServer((client) => this.#welcome(client));
    this.#server.on('error', (error) => log.warn(`The socket ${socket} failed: ${errorText(error)}`));
  }

  /** Whether a window watches. */
  get watched(): boolean {
    return [...this.#watchers.values()].includes('window');
  }

  /** Begins to listen. A failure is no obstacle: the others look at the process instead. */
  async light(): Promise<void> {
    try {
      if (process.platform !== 'win32') {
        privateFolder(path.dirname(this.#socket));
        // Whoever listened here leads no more.
        await rm(this.#socket, { force: true });
      }
      await new Promise<void>((resolve, reject) => {
        this.#server.once('error', reject);
        this.#server.listen(this.#socket, resolve);
      });
      if (process.platform !== 'win32') chmodSync(this.#socket, PRIVATE_FILE);
      this.#server.unref();
    } catch (error) {
      this.#log.warn(`Other windows learn of the agents' output only when it is over: ${errorText(error)}`);
    }
  }

  tell(one: Activity): void {
    this.#last.set(one.session, one);
    this.#fresh.add(one.session);
    this.#telling ??= setTimeout(() => this.#tellAll(), GATHER_MS).unref();
  }

  forget(session: string): void {
    // Its last words are told before.
    if (this.#fresh.has(session)) this.#tellAll();
    this.#last.delete(session);
  }

  put(): void {
    clearTimeout(this.#telling);
    clearInterval(this.#beating);
    for (const client of this.#watchers.keys()) client.destroy();
    this.#server.close();
    if (process.platform !== 'win32') void rm(this.#socket, { force: true }).catch(() => undefined);
  }

  #tellAll(): void {
    clearTimeout(this.#telling);
    this.#telling = undefined;
    const fresh = [...this.#fresh].flatMap((session) => this.#last.get(session) ?? []);
    this.#fresh.clear();
    for (const client of this.#watchers.keys()) send(client, fresh);
  }

  #beat(): void {
    if (this.#watchers.size === 0) {
      clearInterval(this.#beating);
      this.#beating = undefined;
    }
    for (const client of this.#watchers.keys()) client.write('{}\n');
  }

  #welcome(client: net.Socket): void {
    const lines = new LineSplitter();
    const patience = setTimeout(() => client.destroy(), HELLO_WITHIN);
    client.unref();
    client.on('error', () => client.destroy());
    client.once('close', () => {
      clearTimeout(patience);
      this.#watchers.delete(client);
    });
    client.on('data', (chunk) => {
      try {
        for (const line of lines.push(chunk)) {
          const { token, role } = parseJson(line, hello, 'The greeting');
          if (!this.#isToken(token)) throw new Error('wrong token');
          clearTimeout(patience);
          this.#watchers.set(client, role);
          this.#beating ??= setInterval(() => this.#beat(), this.#pulse).unref();
          send(client, [...this.#last.values()]);
        }
      } catch {
        client.destroy();
      }
    });
  }

  #isToken(text: string): boolean {
    const given = Buffer.from(text);
    return given.length === this.#token.length && timingSafeEqual(given, this.#token);
  }
}

function send(client: net.Socket, all: readonly Activity[]): void {
  if (client.writableLength > MOST_WAITING) client.destroy();
  else if (all.length > 0) client.write(all.map((one) => `${JSON.stringify(one)}\n`).join(''));
}

export interface WatchOptions {
  /** What this process is: `window`, `command`. */
  readonly role: string;
  readonly onActivity: (activity: Activity) => void;
  /** The connection is over, or there was none to be had. */
  readonly onGone: () => void;
  /** It has not said for so long that it lives, while this process ran, that it hangs. Called once; it may come to itself again. */
  readonly onSilent?: () => void;
  /** How often it says that it lives, in ms. */
  readonly pulse?: number;
}

/** Watches who leads until the result is called. */
export function watchBeacon({ socket, token }: Pick<Lead, 'socket' | 'token'>, options: WatchOptions): Dispose {
  let over = false;
  const client = net.connect(socket);
  client.unref();
  const lines = new LineSplitter();
  client.once('connect', () => client.write(`${JSON.stringify({ token, role: options.role })}\n`));
  client.on('error', () => client.destroy());
  const ear = listen(options);
  client.on('data', (chunk) => {
    ear.heard();
    try {
      for (const line of lines.push(chunk)) {
        const said = JSON.parse(line) as unknown;
        if (isRecord(said) && 'session' in said) options.onActivity(activity(said, 'The activity'));
      }
    } catch {
      client.destroy();
    }
  });
  client.once('close', () => {
    ear.stop();
    if (!over) options.onGone();
  });
  return () => {
    over = true;
    client.destroy();
  };
}

/** Counts the pulses that do not come. While this process stood still as well (the machine slept, say), none is missed. */
function listen({ onSilent, pulse = PULSE }: WatchOptions): { readonly heard: () => void; readonly stop: () => void } {
  let missed = 0;
  let lookedAt = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    if (now - lookedAt < 2 * pulse) missed += 1;
    lookedAt = now;
    if (missed === SILENT) onSilent?.();
  }, pulse).unref();
  return { heard: () => (missed = 0), stop: () => clearInterval(timer) };
}
