/** A map that holds what was used most recently, up to a number of entries. */

/**
 * Two generations: when the young one has half of the maximum it becomes the old one, and what was
 * not used since the last change goes, all at once. A flood of new keys thus costs the same per key
 * however many there are; half of the maximum, most recently used, is always kept.
 */
export class RecentMap<V> {
  #young = new Map<string, V>();
  #old = new Map<string, V>();

  /** @param max entries held at most, an even number */
  constructor(readonly max: number) {}

  /** Entries held. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** The value of a key, which counts as a use. */
  get(key: string): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  /** Puts a value. */
  set(key: string, value: V): void {
    if (this.#young.size >= this.max / 2 && !this.#young.has(key)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
    this.#old.delete(key);
  }

  /** Removes a key. */
  delete(key: string): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  /** Removes every entry that the test names. */
  deleteWhere(test: (value: V) => boolean): void {
    for (const generation of [this.#young, this.#old]) {
      for (const [key, value] of generation) {
        if (test(value)) generation.delete(key);
      }
    }
  }
}
