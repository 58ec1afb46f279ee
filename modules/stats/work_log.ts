/**
 * The work of the last windows, kept in memory: what cannot change any more is read once.
 *
 * quarry's own buckets are read again only while they are open. The old pool's per-share sets are
 * read whole at first, then only their new rows, until they have aged out.
 */
import {
  BUCKET_SECONDS,
  type BucketRow,
  bucketsSince,
  type OldShare,
  oldShareLogins,
  readBucket,
  readOldShares,
  readOldSharesOf,
  type ViewDeps,
} from "../ledger/mod.ts";
import {
  addWork,
  type Measured,
  measureTallies,
  type Tallies,
  type Windows,
  type Work,
} from "./hashrate.ts";
import { type SlotWork, workBetween } from "./slots.ts";
import { Spans } from "./spans.ts";

/** A bucket is read again for this long (seconds) after its end: clocks differ a little. */
const BUCKET_GRACE_SECONDS = 30;
/** The old pool's rows may come this late (seconds). */
const OLD_GRACE_SECONDS = 60;

/** Keeps the work of the large window. */
export class WorkLog {
  readonly #deps: ViewDeps;
  readonly #windowSeconds: number;
  /** Starts of the buckets that were read, and whether they are closed: those are not read again. */
  readonly #buckets = new Map<number, boolean>();
  /** By login, then worker. */
  readonly #spans = new Map<string, Map<string, Spans>>();
  /** By second, then `login:worker`: the old pool's shares. */
  readonly #old = new Map<number, Map<string, Work>>();
  /** Up to here (unix seconds, included) the old pool's shares are final; undefined at first. */
  #oldUntilSeconds?: number;

  /** @param windowSeconds the longest window asked for */
  constructor(deps: ViewDeps, windowSeconds: number) {
    this.#deps = deps;
    this.#windowSeconds = windowSeconds;
  }

  /** Reads what is new; after an error the next call goes on from there. @throws {StoreError} */
  async update(nowSeconds: number): Promise<void> {
    await this.#updateBuckets(nowSeconds);
    await this.#updateOldShares(nowSeconds);
  }

  /** Hashrates now; windows may not go back from call to call. */
  measure(windows: Windows, nowSeconds: number): Measured {
    const fromSmall = nowSeconds - windows.smallSeconds;
    const fromLarge = nowSeconds - windows.largeSeconds;
    const tallies: Tallies = new Map();
    for (const [login, workers] of this.#spans) {
      const own = new Map();
      for (const [worker, spans] of workers) {
        const tally = spans.tally(fromSmall, fromLarge, nowSeconds);
        if (tally.large.lastSeconds > -Infinity) own.set(worker, tally);
      }
      if (own.size > 0) tallies.set(login, own);
    }
    addWork(tallies, this.#oldWork(), windows, nowSeconds);
    return measureTallies(tallies, windows, nowSeconds);
  }

  /** Difficulty by `login:worker` between two times (unix seconds). */
  between(fromSeconds: number, toSeconds: number): SlotWork {
    const sums = workBetween(this.#oldWork(), fromSeconds, toSeconds);
    for (const [login, workers] of this.#spans) {
      for (const [worker, spans] of workers) {
        const sum = spans.between(fromSeconds, toSeconds);
        if (sum === 0) continue;
        const key = `${login}:${worker}`;
        sums.set(key, (sums.get(key) ?? 0) + sum);
      }
    }
    return sums;
  }

  *#oldWork(): Generator<Work> {
    for (const second of this.#old.values()) yield* second.values();
  }

  async #updateBuckets(nowSeconds: number): Promise<void> {
    const wanted = bucketsSince(nowSeconds, this.#windowSeconds);
    // One after the other: a window's worth at once would wait longer than a command may.
    for (const start of wanted) {
      if (this.#buckets.get(start) === true) continue;
      for (const row of await readBucket(this.#deps, start)) this.#add(row, start);
      const closed = nowSeconds >= start + BUCKET_SECONDS + BUCKET_GRACE_SECONDS;
      this.#buckets.set(start, closed);
    }
    const oldest = wanted[0] ?? nowSeconds;
    for (const start of this.#buckets.keys()) if (start < oldest) this.#buckets.delete(start);
    for (const [login, workers] of this.#spans) {
      for (const [worker, spans] of workers) {
        spans.forget(oldest);
        if (spans.empty) workers.delete(worker);
      }
      if (workers.size === 0) this.#spans.delete(login);
    }
  }

  #add({ login, worker, difficulty, lastShareSeconds }: BucketRow, startSeconds: number): void {
    let workers = this.#spans.get(login);
    if (workers === undefined) this.#spans.set(login, workers = new Map());
    let spans = workers.get(worker);
    if (spans === undefined) workers.set(worker, spans = new Spans());
    spans.set(startSeconds, difficulty, lastShareSeconds);
  }

  async #updateOldShares(nowSeconds: number): Promise<void> {
    const from = nowSeconds - this.#windowSeconds;
    const until = nowSeconds - OLD_GRACE_SECONDS;
    const past: OldShare[] = [];
    if (this.#oldUntilSeconds === undefined) {
      for await (const logins of oldShareLogins(this.#deps)) {
        for (const login of logins) {
          const shares = await readOldSharesOf(this.#deps, login, from, until);
          for (const share of shares) past.push(share);
        }
      }
    }
    const after = this.#oldUntilSeconds ?? until;
    const recent = await readOldShares(this.#deps, after);
    for (const second of this.#old.keys()) {
      if (second < from || second > after) this.#old.delete(second);
    }
    for (const share of past) this.#addOld(share);
    for (const share of recent) this.#addOld(share);
    this.#oldUntilSeconds = until;
  }

  #addOld(share: OldShare): void {
    const { atSeconds, login, worker, difficulty } = share;
    let second = this.#old.get(atSeconds);
    if (second === undefined) this.#old.set(atSeconds, second = new Map());
    const key = `${login}:${worker}`;
    const work = second.get(key);
    if (work !== undefined) work.difficulty += difficulty;
    else {
      second.set(key, {
        ...{ login, worker, difficulty, startSeconds: atSeconds, endSeconds: atSeconds + 1 },
        lastShareSeconds: atSeconds,
      });
    }
  }
}
