/**
 * One worker's buckets, oldest first, with sums that run over the windows: what enters is added and
 * what leaves is taken away, so that a look costs the same however long the windows are.
 */
import { BUCKET_SECONDS } from "../ledger/mod.ts";
import { emptyTally, partSince, type Tally } from "./hashrate.ts";

/** Buckets that left are cut off in groups: moving the rest each time would cost more. */
const CUT = 32;

/** A window's sum over the buckets that begin inside it. */
interface Running {
  /** Index of the first of them. */
  index: number;
  sum: bigint;
}

/** Buckets of one worker. */
export class Spans {
  /** Unix seconds, ascending. */
  readonly #starts: number[] = [];
  /** Difficulty (hashes); a number where that is exact, which takes a third of the memory. */
  readonly #amounts: (number | bigint)[] = [];
  #lastSeconds = -Infinity;
  readonly #running: readonly [small: Running, large: Running] = [
    { index: 0, sum: 0n },
    { index: 0, sum: 0n },
  ];

  /** Whether nothing is left. */
  get empty(): boolean {
    return this.#starts.length === 0;
  }

  /** Takes what a bucket holds now; one that was there before is replaced. */
  set(startSeconds: number, difficulty: bigint, lastSeconds: number): void {
    let at = this.#starts.length;
    while (at > 0 && this.#starts[at - 1]! > startSeconds) at--;
    const known = at > 0 && this.#starts[at - 1] === startSeconds;
    const before = known ? BigInt(this.#amounts[--at]!) : 0n;
    const amount = difficulty <= Number.MAX_SAFE_INTEGER ? Number(difficulty) : difficulty;
    if (known) this.#amounts[at] = amount;
    else if (at === this.#starts.length) {
      this.#starts.push(startSeconds);
      this.#amounts.push(amount);
    } else {
      this.#starts.splice(at, 0, startSeconds);
      this.#amounts.splice(at, 0, amount);
    }
    for (const running of this.#running) {
      if (at >= running.index) running.sum += difficulty - before;
      else if (!known) running.index++;
    }
    this.#lastSeconds = Math.max(this.#lastSeconds, lastSeconds);
  }

  /** Forgets buckets that ended at a time or before it; no window may begin before it. */
  forget(untilSeconds: number): void {
    let gone = 0;
    while (gone < this.#starts.length && this.#starts[gone]! + BUCKET_SECONDS <= untilSeconds) {
      gone++;
    }
    if (gone < CUT && gone < this.#starts.length) return;
    for (const running of this.#running) {
      this.#advance(running, this.#starts[gone] ?? Infinity);
      running.index -= gone;
    }
    this.#starts.splice(0, gone);
    this.#amounts.splice(0, gone);
  }

  /** Sums since two times (unix seconds), which only ever grow from call to call. */
  tally(
    fromSmall: number,
    fromLarge: number,
    nowSeconds: number,
  ): { small: Tally; large: Tally } {
    const [small, large] = this.#running;
    return {
      small: this.#tallyOf(small, fromSmall, nowSeconds),
      large: this.#tallyOf(large, fromLarge, nowSeconds),
    };
  }

  /** Difficulty between two times, each bucket spread evenly; for charts, exact to 2^53. */
  between(fromSeconds: number, toSeconds: number): number {
    let sum = 0;
    for (let at = this.#starts.length - 1; at >= 0; at--) {
      const start = this.#starts[at]!;
      const end = start + BUCKET_SECONDS;
      if (end <= fromSeconds) break;
      const inside = Math.min(end, toSeconds) - Math.max(start, fromSeconds);
      if (inside > 0) sum += Number(this.#amounts[at]!) * inside / BUCKET_SECONDS;
    }
    return sum;
  }

  #tallyOf(running: Running, fromSeconds: number, nowSeconds: number): Tally {
    this.#advance(running, fromSeconds);
    const { index, sum } = running;
    // The bucket before may reach into the window.
    const startSeconds = this.#starts[index - 1] ?? -Infinity;
    const endSeconds = startSeconds + BUCKET_SECONDS;
    const cut = endSeconds > fromSeconds;
    if (!cut && index === this.#starts.length) return emptyTally();
    const part = cut
      ? partSince(
        { difficulty: BigInt(this.#amounts[index - 1]!), startSeconds, endSeconds },
        fromSeconds,
        nowSeconds,
      )
      : 0n;
    return {
      difficulty: sum + part,
      firstSeconds: cut ? fromSeconds : this.#starts[index]!,
      lastSeconds: this.#lastSeconds,
    };
  }

  #advance(running: Running, fromSeconds: number): void {
    while (
      running.index < this.#starts.length && this.#starts[running.index]! < fromSeconds
    ) {
      running.sum -= BigInt(this.#amounts[running.index]!);
      running.index++;
    }
  }
}
