/**
 * An error that is meant for the user: the message is one sentence that says what failed, why, and what to do next.
 * Everything else that is thrown is a defect and is shown as such.
 */
export class TreelineError extends Error {
  /** A stable word for programs (tests, API callers), such as `branch-exists`. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TreelineError';
    this.code = code;
  }
}

/** The text of anything that was thrown, for a log or a message. */
export function errorText(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Whether `thrown` is a system error with this code, such as `ENOENT`. */
export function hasCode(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && (thrown as NodeJS.ErrnoException).code === code;
}
