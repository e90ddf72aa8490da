import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** What a question came to: its result, or the word by which what was thrown is known. */
export type Answer = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: string };

/** How its node is started. */
export interface ProcessOptions {
  readonly execArgv?: readonly string[];
  /** Added to its environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A program in a process of its own that is asked one thing after the other. Its side is `answerAll`. */
export class AskedProcess<Call> {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #last = 0;

  protected constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', ({ id, answer }: { id: number; answer: Answer }) => {
      this.#waiting.get(id)?.(answer);
      this.#waiting.delete(id);
    });
    child.on('exit', () => {
      for (const resolve of this.#waiting.values()) resolve({ ok: false, error: 'window-gone' });
    });
  }

  /** Starts a program, tells it where it works, and gives what it says when it is ready. */
  protected static async start(
    program: string,
    opening: object,
    { execArgv = [], env = {} }: ProcessOptions,
  ): Promise<{ readonly child: ChildProcess; readonly ready: unknown }> {
    const child = fork(program, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: [...execArgv],
      env: { ...process.env, ...env },
    });
    const opened = once(child, 'message');
    const ended = once(child, 'exit').then(() => Promise.reject(new Error('The window ended before it was open.')));
    ended.catch(() => undefined);
    child.send(opening);
    const [{ ready }] = (await Promise.race([opened, ended])) as [{ ready: unknown }];
    return { child, ready };
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** kill -9, and waits until the process is gone. */
  async kill(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const gone = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await gone;
    }
  }

  /** Asks the last thing, and waits until the process is gone. */
  protected async leave(call: Call): Promise<void> {
    const gone = once(this.#child, 'exit');
    await this.ask(call);
    this.#child.disconnect();
    await gone;
  }

  protected async ask(call: Call): Promise<unknown> {
    const id = ++this.#last;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#waiting.set(id, resolve);
    this.#child.send({ id, call });
    const answer = await promise;
    if (!answer.ok) {
      throw Object.assign(new Error(answer.error), { code: answer.error });
    }
    return answer.value;
  }
}

/**
 * In the process: says that it is ready, answers what it is asked, and ends with who asks.
 * @param nameOf the word for what was thrown.
 */
export function answerAll(
  ready: unknown,
  obey: (call: never) => Promise<unknown>,
  nameOf: (error: unknown) => string,
): void {
  process.on('message', ({ id, call }: { id: number; call: unknown }) => {
    const reply = (answer: Answer): void => void process.send?.({ id, answer });
    // Who asks is of this build.
    obey(call as never).then(
      (value) => reply({ ok: true, value }),
      (error: unknown) => reply({ ok: false, error: nameOf(error) }),
    );
  });
  process.on('disconnect', () => process.exit());
  process.send?.({ ready });
}
