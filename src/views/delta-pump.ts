/**
 * Sends what is new, one portion after the other: a request that comes while one is on its way makes one more round, however
 * many there were. So a reader is never sent more than it can take, and the last state always reaches it.
 */
export class DeltaPump {
  readonly #round: () => Promise<void>;
  readonly #onError: (error: unknown) => void;
  readonly #rest: number;
  #busy = false;
  #again = false;

  /** @param rest ms between the end of a round and the start of the next. */
  constructor(round: () => Promise<void>, rest: number, onError: (error: unknown) => void) {
    this.#round = round;
    this.#rest = rest;
    this.#onError = onError;
  }

  request(): void {
    this.#again = true;
    if (!this.#busy) {
      this.#busy = true;
      void this.#run();
    }
  }

  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      try {
        await this.#round();
      } catch (error) {
        this.#onError(error);
      }
      await new Promise((resolve) => setTimeout(resolve, this.#rest));
    }
    this.#busy = false;
  }
}
