/**
 * Writes the time series and the workers' last day: each slot once, when its buckets are closed.
 *
 * Slots that were missed while nobody collected stay gaps, unless their buckets are still there.
 */
import {
  COUNTS_SECONDS,
  type RangeName,
  readReported,
  readSeriesUntil,
  readShareCounts,
  SERIES_RANGES,
  type ViewDeps,
  type WorkerCount,
  writeSeries,
  writeSeriesUntil,
  writeWorkerDays,
} from "../ledger/mod.ts";
import { countsSince, Days } from "./days.ts";
import { pointsOf, text } from "./slots.ts";
import type { WorkLog } from "./work_log.ts";

/** A slot is closed so long (seconds) after its end: its last bucket's end, and clocks that differ. */
const CLOSED_AFTER_SECONDS = 150;
/** The longest slot and its closing: the work that has to be at hand (seconds). */
export const HISTORY_SECONDS = 10_800 + 2 * CLOSED_AFTER_SECONDS;

/** The days of more miners than this are written every half minute only (seconds). */
const MINERS_AT_ONCE = 5_000;
const DAYS_SECONDS = 30;

const RANGES = Object.keys(SERIES_RANGES) as RangeName[];

/** What a pool's point says beside its work. */
export interface PoolFacts {
  /** Of the network (hashes); undefined: unknown. */
  difficulty?: bigint;
}

/** Series and days of one pool. */
export class History {
  readonly #deps: ViewDeps;
  readonly #workLog: WorkLog;
  readonly #days: Days;
  /** Up to where each range is written (unix seconds). */
  #until: Record<RangeName, number> | undefined;
  /** Ranges that have a point. */
  readonly #begun = new Set<RangeName>();
  #daysWritten = { atSeconds: 0, logins: 0 };

  constructor(deps: ViewDeps, workLog: WorkLog) {
    this.#deps = deps;
    this.#workLog = workLog;
    this.#days = new Days(deps);
  }

  /** Writes what is due; the work log must be up to date. @throws {StoreError} */
  async update(nowSeconds: number, pool: PoolFacts): Promise<void> {
    await this.#days.load(nowSeconds);
    const until = this.#until ??= await this.#readUntil();
    const reported = await readReported(this.#deps);
    for (const range of RANGES) {
      await this.#close(range, until, nowSeconds, reported, pool);
    }
    const { atSeconds, logins } = this.#daysWritten;
    if (logins <= MINERS_AT_ONCE || nowSeconds - atSeconds >= DAYS_SECONDS) {
      await this.#writeDays(until["24h"], nowSeconds, reported);
    }
  }

  async #readUntil(): Promise<Record<RangeName, number>> {
    const until = await readSeriesUntil(this.#deps);
    for (const range of RANGES) if (until[range] > 0) this.#begun.add(range);
    return until;
  }

  async #close(
    range: RangeName,
    until: Record<RangeName, number>,
    nowSeconds: number,
    reported: ReadonlyMap<string, string>,
    pool: PoolFacts,
  ): Promise<void> {
    const step = SERIES_RANGES[range].stepSeconds;
    // What lies before the log's work cannot be told from silence.
    const oldest = nowSeconds - HISTORY_SECONDS;
    const first = Math.max(until[range], Math.ceil(oldest / step) * step);
    for (let start = first; start + step + CLOSED_AFTER_SECONDS <= nowSeconds; start += step) {
      const work = this.#workLog.between(start, start + step);
      const { hashrateHps, miners, workers, points } = pointsOf(work, step, reported);
      // Before the first share there is nothing to chart.
      if (work.size > 0) this.#begun.add(range);
      if (this.#begun.has(range)) {
        const facts = [`${miners}`, `${workers}`, `${pool.difficulty ?? ""}`];
        points.push({ name: "pool", values: [text(hashrateHps), ...facts] });
        await writeSeries(this.#deps, range, start, points);
      }
      if (range === "24h") {
        const counts = await readShareCounts(this.#deps, start);
        await this.#days.close(start, start + step, work, counts);
      }
      if (this.#begun.has(range)) await writeSeriesUntil(this.#deps, range, start + step);
      until[range] = start + step;
    }
    if (until[range] < first) until[range] = first;
  }

  /** Days with all that is not closed yet, so that a first share shows at once. */
  async #writeDays(
    closedSeconds: number,
    nowSeconds: number,
    reported: ReadonlyMap<string, string>,
  ): Promise<void> {
    const counts = new Map<string, WorkerCount>();
    for (const start of countsSince(closedSeconds, nowSeconds)) {
      if (nowSeconds - start > 4 * COUNTS_SECONDS) continue;
      for (const [worker, count] of await readShareCounts(this.#deps, start)) {
        const known = counts.get(worker) ?? { valid: 0, stale: 0, invalid: 0 };
        counts.set(worker, {
          ...count,
          valid: known.valid + count.valid,
          stale: known.stale + count.stale,
          invalid: known.invalid + count.invalid,
        });
      }
    }
    // A bucket that is still filled ends in the future.
    const work = this.#workLog.between(closedSeconds, Infinity);
    const days = this.#days.view(
      nowSeconds,
      { fromSeconds: closedSeconds, work, counts },
      reported,
    );
    await writeWorkerDays(this.#deps, days, this.#days.gone(days));
    this.#daysWritten = { atSeconds: nowSeconds, logins: days.size };
  }
}
