/** The last 24 hours of every worker: kept by the hour for a restart, and ready for a miner's page. */
import { integerOf, recordOf, StoreError } from "./redis.ts";
import type { ViewDeps } from "./views.ts";

/** Length (seconds) of the spans that a day is kept in. */
export const HOUR_SECONDS = 3_600;
/** Life (seconds) of one hour's numbers. */
const LIFE_SECONDS = 26 * HOUR_SECONDS;
/** Fields per command. */
const CHUNK = 500;

/** What a worker did in a span of time. */
export interface WorkerSums {
  /** Difficulty of its credited shares (hashes); display only, exact to 2^53. */
  difficulty: number;
  valid: number;
  stale: number;
  invalid: number;
  /** Unix seconds of the first and last work seen. */
  firstSeconds: number;
  lastSeconds: number;
}

/** A worker's last day, as the API shows it. */
export interface WorkerDay {
  worker: string;
  dayHps: number;
  valid: number;
  stale: number;
  invalid: number;
  /** Unix seconds. */
  lastShareSeconds: number;
  /** As its miner reports it; absent when nothing was reported in the last hour. */
  reportedHps?: string;
  /** Of its last share (hashes, decimal text), and its protocol; absent when that was not said. */
  shareDifficulty?: string;
  dialect?: string;
}

/** Writes workers' numbers of one hour as they are now. */
export async function writeHour(
  { store, keys }: ViewDeps,
  startSeconds: number,
  workers: Iterable<[worker: string, sums: WorkerSums]>,
): Promise<void> {
  const key = keys.own.hour(startSeconds);
  const fields = [...workers].map(([worker, sums]) => [
    worker,
    [
      ...[Math.round(sums.difficulty), sums.valid, sums.stale, sums.invalid],
      ...[sums.firstSeconds, sums.lastSeconds],
    ].join(":"),
  ]);
  for (let i = 0; i < fields.length; i += CHUNK) {
    await store.multi([
      ["HSET", key, ...fields.slice(i, i + CHUNK).flat()],
      ["EXPIRE", key, String(LIFE_SECONDS), "NX"],
    ]);
  }
}

/** Workers' numbers of one hour, a page at a time. */
export async function* readHour(
  { store, keys }: ViewDeps,
  startSeconds: number,
): AsyncGenerator<[worker: string, sums: WorkerSums][]> {
  const key = keys.own.hour(startSeconds);
  let cursor = "0";
  do {
    const reply = await store.command("HSCAN", key, cursor, "COUNT", "1000");
    if (!Array.isArray(reply)) throw new StoreError("Cannot read HSCAN's reply", "refused");
    cursor = String(reply[0]);
    yield Object.entries(recordOf(reply[1] ?? [])).map(([worker, text]) => [
      worker,
      sumsOf(text, worker),
    ]);
  } while (cursor !== "0");
}

/** Writes the last day of logins' workers and forgets logins that have none any more. */
export async function writeWorkerDays(
  { store, keys }: ViewDeps,
  days: Iterable<[login: string, workers: readonly WorkerDay[]]>,
  gone: readonly string[],
): Promise<void> {
  const key = keys.own.workerDays();
  const fields = [...days].map(([login, workers]) => [login, JSON.stringify(workers)]);
  for (let i = 0; i < fields.length; i += CHUNK) {
    await store.command("HSET", key, ...fields.slice(i, i + CHUNK).flat());
  }
  for (let i = 0; i < gone.length; i += CHUNK) {
    await store.command("HDEL", key, ...gone.slice(i, i + CHUNK));
  }
}

/** Workers' days as they were written last, a page at a time; what cannot be read is left out. */
export async function* readWorkerDays(
  { store, keys }: ViewDeps,
): AsyncGenerator<[login: string, workers: WorkerDay[]][]> {
  let cursor = "0";
  do {
    const reply = await store.command("HSCAN", keys.own.workerDays(), cursor, "COUNT", "1000");
    if (!Array.isArray(reply)) throw new StoreError("Cannot read HSCAN's reply", "refused");
    cursor = String(reply[0]);
    yield Object.entries(recordOf(reply[1] ?? [])).map(([login, text]) => [login, daysOf(text)]);
  } while (cursor !== "0");
}

function daysOf(text: string): WorkerDay[] {
  try {
    return JSON.parse(text);
  } catch {
    return [];
  }
}

/** What workers last said of their own hashrate, by `login:worker` (decimal text, hashes a second). */
export async function readReported({ store, keys }: ViewDeps): Promise<Map<string, string>> {
  const fields = recordOf(await store.command("HGETALL", keys.own.reported()));
  return new Map(
    Object.entries(fields).map(([worker, text]) => [worker, text.split(":")[0] ?? "0"]),
  );
}

function sumsOf(text: string, worker: string): WorkerSums {
  const [difficulty, valid, stale, invalid, firstSeconds, lastSeconds] = text.split(":").map((
    part,
  ) => Number(integerOf(part, `the hour of ${worker}`)));
  if (lastSeconds === undefined) {
    throw new StoreError(`Cannot read the hour of ${worker}: "${text}"`, "refused");
  }
  return {
    ...{ difficulty: difficulty!, valid: valid!, stale: stale!, invalid: invalid! },
    ...{ firstSeconds: firstSeconds!, lastSeconds },
  };
}
