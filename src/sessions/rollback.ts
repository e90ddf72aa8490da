import { reasonOf } from '../platform/errors.ts';
import { say, type Saying } from '../words/saying.ts';

/** What an unwinding came to: the steps undone, and those that could not be, each with the reason. */
export interface Unwound {
  readonly undone: readonly Saying[];
  readonly left: readonly Saying[];
}

/** The undos of an action's steps. Each is registered before its step begins, so that a step that fails halfway is undone too. */
export class Rollback {
  readonly #steps: { readonly what: Saying; readonly undo: () => Promise<boolean> }[] = [];

  /**
   * @param what the thing to be taken back, such as the worktree.
   * @param undo resolves with whether there was anything to take back.
   */
  push(what: Saying, undo: () => Promise<boolean>): void {
    this.#steps.push({ what, undo });
  }

  /** Undoes everything, last first. Never throws: what cannot be undone is named in `left`. */
  async unwind(): Promise<Unwound> {
    const undone: Saying[] = [];
    const left: Saying[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        if (await step.undo()) {
          undone.push(step.what);
        }
      } catch (error) {
        left.push(say('made.left', { what: step.what, reason: reasonOf(error) }));
      }
    }
    return { undone, left };
  }
}
