/**
 * Connections that the Deno workers of a process hold by address, counted in memory they share.
 *
 * Each worker has two rows of counters, found by two keyed hashes of the address; the smaller one
 * counts. So an address is never counted too low, and too high only where both of its counters are
 * shared with others: with 10,000 addresses connected, for about one address in fifty.
 */

/** Counters in a row. */
const SLOTS = 1 << 16;
const ROWS = 2;
/** Keys of the hashes, in front. */
const SEED_BYTES = 8;

/** Memory for so many workers; the main thread makes it and hands it to each. */
export function countsMemory(workers: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(SEED_BYTES + workers * ROWS * SLOTS * 2);
  const seeds = crypto.getRandomValues(new Uint32Array(2));
  new Uint32Array(memory, 0, 2).set(seeds);
  return memory;
}

/** One worker's view: it counts its own connections and reads the others'. */
export class SharedCounts {
  readonly #seeds: Uint32Array;
  readonly #counts: Uint16Array;
  readonly #workers: number;

  /** What a former worker of this number held is forgotten: its connections are gone. */
  constructor(memory: SharedArrayBuffer, readonly index: number) {
    this.#seeds = new Uint32Array(memory, 0, 2);
    this.#counts = new Uint16Array(memory, SEED_BYTES);
    this.#workers = this.#counts.length / (ROWS * SLOTS);
    for (let i = this.#start(index); i < this.#start(index + 1); i++) {
      Atomics.store(this.#counts, i, 0);
    }
  }

  /** Counts a connection of an address, or one less. */
  add(key: string, change: 1 | -1): void {
    for (let row = 0; row < ROWS; row++) {
      Atomics.add(this.#counts, this.#start(this.index) + this.#slot(key, row), change);
    }
  }

  /** What the other workers hold of an address. */
  others(key: string): number {
    const slots = [this.#slot(key, 0), this.#slot(key, 1)];
    let sum = 0;
    for (let worker = 0; worker < this.#workers; worker++) {
      if (worker === this.index) continue;
      const counts = slots.map((slot) => Atomics.load(this.#counts, this.#start(worker) + slot));
      sum += Math.min(...counts);
    }
    return sum;
  }

  #start(worker: number): number {
    return worker * ROWS * SLOTS;
  }

  /** FNV-1a with a key that nobody outside knows, and a last mixing. */
  #slot(key: string, row: number): number {
    let hash = (0x811c9dc5 ^ this.#seeds[row]!) >>> 0;
    for (let i = 0; i < key.length; i++) {
      hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
      hash ^= hash >>> 15;
    }
    hash = Math.imul(hash ^ (hash >>> 13), 0x85ebca6b);
    return row * SLOTS + ((hash ^ (hash >>> 16)) >>> 0) % SLOTS;
  }
}
