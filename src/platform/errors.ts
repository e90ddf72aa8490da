import { isSaying, quoted, textOf, type Said, type Saying } from '../words/saying.ts';

/**
 * An error that is meant for the user: the message is one sentence that says what failed, why, and what to do next.
 * Everything else that is thrown is a defect and is shown as such.
 */
export class TreelineError extends Error {
  /** A stable word for programs (tests, API callers), such as `branch-exists`. */
  readonly code: string;
  /** The sentence by its code, so that it can be stored, and shown in any language; absent where it is in English alone. */
  readonly saying?: Saying;

  constructor(saying: Saying, options?: ErrorOptions);
  /** @param words the sentence: in English, or as a saying whose own code is another. */
  constructor(code: string, words: Said, options?: ErrorOptions);
  constructor(what: Said, words?: Said | ErrorOptions, options?: ErrorOptions) {
    const said = isSaying(what) ? what : (words as Said);
    super(textOf(said), isSaying(what) ? (words as ErrorOptions) : options);
    this.name = 'TreelineError';
    this.code = typeof what === 'string' ? what : (what.code.split('.')[0] ?? what.code);
    if (typeof said !== 'string') this.saying = said;
  }
}

/** The text of anything that was thrown, for a log or a message. */
export function errorText(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** What was thrown, as a part of a saying: by its code where it has one, else as the system, or whoever it was, said it. */
export function reasonOf(thrown: unknown): Said {
  return (thrown instanceof TreelineError ? thrown.saying : undefined) ?? errorText(thrown);
}

/** What was thrown, to be stored. */
export function sayingOf(thrown: unknown): Saying {
  const reason = reasonOf(thrown);
  return typeof reason === 'string' ? quoted(reason) : reason;
}

/** Whether `thrown` is a system error with this code, such as `ENOENT`. */
export function hasCode(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && (thrown as NodeJS.ErrnoException).code === code;
}
