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
import type { Work } from "./hashrate.ts";

/** A bucket is read again for this long (seconds) after its end: clocks differ a little. */
const BUCKET_GRACE_SECONDS = 30;
/** The old pool's rows may come this late (seconds). */
const OLD_GRACE_SECONDS = 60;

/** Keeps the work of the large window. */
export class WorkLog {
  readonly #deps: ViewDeps;
  readonly #windowSeconds: number;
  /** By start; closed ones are never read again. */
  readonly #buckets = new Map<number, { work: Work[]; closed: boolean }>();
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

  /** All work in the log. */
  *work(): Generator<Work> {
    for (const { work } of this.#buckets.values()) yield* work;
    for (const second of this.#old.values()) yield* second.values();
  }

  /** Work in what may hold something after a time (unix seconds). */
  *since(seconds: number): Generator<Work> {
    for (const [start, { work }] of this.#buckets) {
      if (start + BUCKET_SECONDS > seconds) yield* work;
    }
    for (const [second, work] of this.#old) if (second >= seconds) yield* work.values();
  }

  async #updateBuckets(nowSeconds: number): Promise<void> {
    const wanted = bucketsSince(nowSeconds, this.#windowSeconds);
    // One after the other: a window's worth at once would wait longer than a command may.
    for (const start of wanted) {
      if (this.#buckets.get(start)?.closed === true) continue;
      const rows = await readBucket(this.#deps, start);
      const closed = nowSeconds >= start + BUCKET_SECONDS + BUCKET_GRACE_SECONDS;
      this.#buckets.set(start, { work: rows.map((row) => bucketWork(row, start)), closed });
    }
    const oldest = wanted[0] ?? nowSeconds;
    for (const start of this.#buckets.keys()) if (start < oldest) this.#buckets.delete(start);
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

function bucketWork(row: BucketRow, startSeconds: number): Work {
  const { login, worker, difficulty, lastShareSeconds } = row;
  const endSeconds = startSeconds + BUCKET_SECONDS;
  return { login, worker, difficulty, startSeconds, endSeconds, lastShareSeconds };
}
