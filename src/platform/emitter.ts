/** Ends a subscription or frees a resource. Calling it again does nothing. */
export type Dispose = () => void;

/** Listeners of one kind of event, called in the order they came. A listener that throws does not keep the others from hearing it. */
export class Emitter<T> {
  readonly #listeners = new Set<(event: T) => void>();
  readonly #onError: (error: unknown) => void;

  /** @param onError told of what a listener throws. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** The way to subscribe, to be handed out without the right to fire. */
  readonly event = (listener: (event: T) => void): Dispose => {
    // A wrapper of its own, so that one function subscribed twice is two subscriptions.
    const own = (event: T): void => listener(event);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  };

  fire(event: T): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
