import { errorText } from '../platform/errors.ts';

/** What an unwinding came to: the steps undone, and those that could not be, each with the reason. */
export interface Unwound {
  readonly undone: readonly string[];
  readonly left: readonly string[];
}

/** The undos of an action's steps. Each is registered before its step begins, so that a step that fails halfway is undone too. */
export class Rollback {
  readonly #steps: { readonly what: string; readonly undo: () => Promise<boolean> }[] = [];

  /**
   * @param what the thing to be taken back, such as `the worktree`.
   * @param undo resolves with whether there was anything to take back.
   */
  push(what: string, undo: () => Promise<boolean>): void {
    this.#steps.push({ what, undo });
  }

  /** Undoes everything, last first. Never throws: what cannot be undone is named in `left`. */
  async unwind(): Promise<Unwound> {
    const undone: string[] = [];
    const left: string[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        if (await step.undo()) {
          undone.push(step.what);
        }
      } catch (error) {
        left.push(`${step.what} (${errorText(error)})`);
      }
    }
    return { undone, left };
  }
}
