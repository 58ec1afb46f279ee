/** A bell that anybody may ring and one waits for: new work is asked for at once. */
export class Bell {
  #rung = Promise.withResolvers<void>();

  /** Rings; rings before anybody waits again are one. */
  ring(): void {
    this.#rung.resolve();
  }

  /** Resolves when it rings, at once when it has rung since the last `reset`. */
  get rung(): Promise<void> {
    return this.#rung.promise;
  }

  /** Forgets the rings so far. */
  reset(): void {
    this.#rung = Promise.withResolvers();
  }
}
