/** Deadlines of many connections kept by one coarse sweep, so that no write and no state has a timer. */

/** Something that is over when its time has come. */
export interface Timed {
  /** When it is due (milliseconds since 1970); only `Deadlines` writes it. */
  dueMs: number;
  /** Called once by the sweep that finds it due. */
  onDue(): void;
}

/** The deadlines that are set now; at most one for each item. */
export class Deadlines {
  readonly #items = new Set<Timed>();

  /** Sets an item's deadline, or moves it. */
  set(item: Timed, dueMs: number): void {
    item.dueMs = dueMs;
    this.#items.add(item);
  }

  /** Takes an item's deadline away. */
  clear(item: Timed): void {
    this.#items.delete(item);
  }

  /** Ends what is due. */
  sweep(nowMs: number): void {
    for (const item of this.#items) {
      if (item.dueMs > nowMs) continue;
      this.#items.delete(item);
      item.onDue();
    }
  }
}
