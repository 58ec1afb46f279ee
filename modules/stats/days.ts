/** The last 24 hours of every worker in memory: closed five minutes by the hour, and what is open. */
import {
  countsStart,
  HOUR_SECONDS,
  readHour,
  readWorkerDays,
  type ViewDeps,
  type WorkerCount,
  type WorkerDay,
  type WorkerSums,
  writeHour,
} from "../ledger/mod.ts";
import type { SlotWork } from "./slots.ts";

const DAY_SECONDS = 86_400;
/** A day's hashrate is over this time (seconds) at least, as the short one. */
const COVERED_SECONDS_MIN = 600;

/** Workers by the hour. */
export class Days {
  readonly #deps: ViewDeps;
  /** By start (unix seconds), then `login:worker`. */
  readonly #hours = new Map<number, Map<string, WorkerSums>>();
  /** All hours after one together, made again when that hour passes or another one changes. */
  #whole: { afterHour: number; workers: Map<string, WorkerSums> } | undefined;
  /** How each worker mines, by `login:worker`. */
  readonly #terms = new Map<string, Required<Pick<WorkerDay, "shareDifficulty" | "dialect">>>();
  #logins = new Set<string>();
  #loaded = false;

  constructor(deps: ViewDeps) {
    this.#deps = deps;
  }

  /** Reads what an earlier process kept, once. @throws {StoreError} */
  async load(nowSeconds: number): Promise<void> {
    if (this.#loaded) return;
    const newest = hourOf(nowSeconds);
    const hours = new Map<number, Map<string, WorkerSums>>();
    for (let hour = newest - DAY_SECONDS; hour <= newest; hour += HOUR_SECONDS) {
      const workers = new Map<string, WorkerSums>();
      for await (const page of readHour(this.#deps, hour)) {
        for (const [worker, sums] of page) workers.set(worker, sums);
      }
      if (workers.size > 0) hours.set(hour, workers);
    }
    for await (const page of readWorkerDays(this.#deps)) {
      for (const [login, days] of page) {
        this.#logins.add(login);
        for (const { worker, shareDifficulty, dialect } of days) {
          if (shareDifficulty === undefined || dialect === undefined) continue;
          this.#terms.set(`${login}:${worker}`, { shareDifficulty, dialect });
        }
      }
    }
    for (const [hour, workers] of hours) this.#hours.set(hour, workers);
    this.#loaded = true;
  }

  /** Logins that were written before and are in no day any more. */
  gone(days: ReadonlyMap<string, unknown>): string[] {
    const gone = [...this.#logins].filter((login) => !days.has(login));
    this.#logins = new Set(days.keys());
    return gone;
  }

  /** Adds closed time that begins at `fromSeconds` and writes its hour. @throws {StoreError} */
  async close(
    fromSeconds: number,
    toSeconds: number,
    work: SlotWork,
    counts: ReadonlyMap<string, WorkerCount>,
  ): Promise<void> {
    const hour = hourOf(fromSeconds);
    const workers = new Map(this.#hours.get(hour));
    const changed = addTo(workers, fromSeconds, toSeconds, work, counts);
    await writeHour(this.#deps, hour, changed);
    this.#hours.set(hour, workers);
    this.#whole = undefined;
    this.#learn(counts);
    const oldest = hourOf(toSeconds) - DAY_SECONDS;
    for (const start of this.#hours.keys()) if (start < oldest) this.#hours.delete(start);
  }

  /** Each worker's day with what is open added, by login. */
  view(
    nowSeconds: number,
    open: { fromSeconds: number; work: SlotWork; counts: ReadonlyMap<string, WorkerCount> },
    reported: ReadonlyMap<string, string>,
  ): Map<string, WorkerDay[]> {
    const oldest = nowSeconds - DAY_SECONDS;
    const cutHour = hourOf(oldest);
    const sums = new Map(this.#wholeAfter(cutHour));
    // The oldest hour counts by the part that the day still covers.
    const part = Math.min(1, (cutHour + HOUR_SECONDS - oldest) / HOUR_SECONDS);
    for (const [worker, own] of this.#hours.get(cutHour) ?? []) merge(sums, worker, own, part);
    this.#learn(open.counts);
    addTo(sums, open.fromSeconds, nowSeconds, open.work, open.counts);
    for (const worker of this.#terms.keys()) if (!sums.has(worker)) this.#terms.delete(worker);
    const days = new Map<string, WorkerDay[]>();
    for (const [key, own] of sums) {
      const colon = key.indexOf(":");
      const [login, worker] = [key.slice(0, colon), key.slice(colon + 1)];
      const said = reported.get(key);
      const list = days.get(login) ?? [];
      list.push({
        ...{ worker, dayHps: Math.round(own.difficulty / coveredSeconds(own, nowSeconds)) },
        ...{ valid: Math.round(own.valid), stale: Math.round(own.stale) },
        ...{ invalid: Math.round(own.invalid), lastShareSeconds: own.lastSeconds },
        ...(said === undefined ? {} : { reportedHps: said }),
        ...this.#terms.get(key),
      });
      days.set(login, list);
    }
    return days;
  }

  /** Hours after one: they lie in the day as a whole, so their sum stands until one changes. */
  #wholeAfter(afterHour: number): ReadonlyMap<string, WorkerSums> {
    if (this.#whole?.afterHour !== afterHour) {
      const workers = new Map<string, WorkerSums>();
      for (const [hour, sums] of this.#hours) {
        if (hour <= afterHour) continue;
        for (const [worker, own] of sums) merge(workers, worker, own, 1);
      }
      this.#whole = { afterHour, workers };
    }
    return this.#whole.workers;
  }

  #learn(counts: ReadonlyMap<string, WorkerCount>): void {
    for (const [worker, { terms }] of counts) {
      if (terms === undefined) continue;
      const { difficulty, dialect } = terms;
      this.#terms.set(worker, { shareDifficulty: `${difficulty}`, dialect });
    }
  }
}

function coveredSeconds(sums: WorkerSums, nowSeconds: number): number {
  const since = nowSeconds - sums.firstSeconds;
  return Math.min(DAY_SECONDS, Math.max(COVERED_SECONDS_MIN, since));
}

/** Adds work and counts of a span; gives the workers that changed. */
function addTo(
  sums: Map<string, WorkerSums>,
  fromSeconds: number,
  toSeconds: number,
  work: SlotWork,
  counts: ReadonlyMap<string, WorkerCount>,
): Map<string, WorkerSums> {
  const changed = new Map<string, WorkerSums>();
  for (const key of new Set([...work.keys(), ...counts.keys()])) {
    const count = counts.get(key) ?? { valid: 0, stale: 0, invalid: 0 };
    const difficulty = work.get(key) ?? 0;
    const span = { ...count, difficulty, firstSeconds: fromSeconds, lastSeconds: toSeconds };
    merge(sums, key, span, 1);
    changed.set(key, sums.get(key)!);
  }
  return changed;
}

function merge(sums: Map<string, WorkerSums>, key: string, own: WorkerSums, part: number): void {
  const known = sums.get(key);
  sums.set(key, {
    difficulty: (known?.difficulty ?? 0) + own.difficulty * part,
    valid: (known?.valid ?? 0) + own.valid * part,
    stale: (known?.stale ?? 0) + own.stale * part,
    invalid: (known?.invalid ?? 0) + own.invalid * part,
    firstSeconds: Math.min(known?.firstSeconds ?? Infinity, own.firstSeconds),
    lastSeconds: Math.max(known?.lastSeconds ?? 0, own.lastSeconds),
  });
}

function hourOf(seconds: number): number {
  return seconds - seconds % HOUR_SECONDS;
}

/** Starts (unix seconds) of the spans of counts from a time up to now. */
export function countsSince(fromSeconds: number, nowSeconds: number): number[] {
  const starts: number[] = [];
  for (let start = countsStart(fromSeconds); start <= nowSeconds; start += 300) starts.push(start);
  return starts;
}
