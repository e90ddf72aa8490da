import { appendFileSync, statSync, truncateSync } from 'node:fs';
import type { Log } from '../platform/log.ts';
import { PRIVATE_FILE } from '../platform/paths.ts';

/** A log begins anew when it is larger than this: bytes. */
const LARGEST = 1024 * 1024;

/** A log in a file of the user's alone, which never grows beyond 1 MiB. */
export class FileLog implements Log {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  debug(): void {
    // Nobody looks at it while it happens.
  }

  info(message: string): void {
    this.#write('info', message);
  }

  warn(message: string): void {
    this.#write('warning', message);
  }

  error(message: string): void {
    this.#write('error', message);
  }

  #write(level: string, message: string): void {
    const line = `${new Date().toISOString()} ${process.pid} [${level}] ${message.replaceAll('\n', ' ')}\n`;
    try {
      const size = statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0;
      if (size + Buffer.byteLength(line) > LARGEST) truncateSync(this.#file);
      appendFileSync(this.#file, line, { mode: PRIVATE_FILE });
    } catch {
      // A full disk: there is nobody else to tell.
    }
  }
}
