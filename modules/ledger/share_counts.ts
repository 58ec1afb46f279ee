/**
 * How many shares of each worker were valid, stale or invalid, and at which difficulty and in which
 * dialect it mines: counted in memory, written every few seconds beside the share path. For display
 * alone; a crash may lose the last seconds.
 */
import { type Clock, unixSeconds } from "../base/mod.ts";
import type { Keys } from "./keys.ts";
import { integerOf, recordOf, type Store } from "./redis.ts";
import countSharesLua from "./scripts/count_shares.lua" with { type: "text" };

/** Length (seconds) of one span of counts. */
export const COUNTS_SECONDS = 300;
/** Life (seconds) of the counts of a span: statistics may be away for so long. */
const LIFE_SECONDS = 3 * 3_600;
/** Fields of one span at most; four a worker. */
const FIELDS_MAX = 200_000;
/** Workers that wait to be written at most; further ones are not counted. */
const WAITING_MAX = 20_000;
/** Fields written by one script call. */
const CHUNK = 500;
const COUNT_SHARES = { name: "count_shares", source: countSharesLua };

/** What a share was. */
export type ShareKind = "valid" | "stale" | "invalid";
/** Numbers of shares. */
export type ShareCount = Record<ShareKind, number>;

/** How a worker mines. */
export interface MiningTerms {
  /** Of its last share (hashes). */
  difficulty: bigint;
  /** Its protocol by name. */
  dialect: string;
}

/** What one span holds of a worker. */
export interface WorkerCount extends ShareCount {
  /** Undefined: nothing of it was said in this span. */
  terms?: MiningTerms;
}

/** Where counts are written. */
export interface CountDeps {
  store: Store;
  keys: Keys;
  clock: Clock;
}

/** Counts of one process that are not written yet. */
export class ShareCounts {
  readonly #deps: CountDeps;
  #waiting = new Map<string, WorkerCount>();
  /** Terms that this span holds already, by `login:worker`. */
  #said = new Map<string, string>();
  #saidStart = 0;
  #flushing: Promise<void> | undefined;

  constructor(deps: CountDeps) {
    this.#deps = deps;
  }

  /** Counts one share; writes nothing yet. */
  add(login: string, worker: string, kind: ShareKind, terms?: MiningTerms): void {
    const key = `${login}:${worker}`;
    let count = this.#waiting.get(key);
    if (count === undefined) {
      if (this.#waiting.size >= WAITING_MAX) return;
      this.#waiting.set(key, count = { valid: 0, stale: 0, invalid: 0 });
    }
    count[kind]++;
    if (terms !== undefined && kind === "valid") count.terms = terms;
  }

  /** Writes what waits; what cannot be written is not counted. @throws {StoreError} */
  async flush(): Promise<void> {
    await this.#flushing?.catch(() => {});
    this.#flushing = this.#write();
    await this.#flushing;
  }

  async #write(): Promise<void> {
    const { store, keys, clock } = this.#deps;
    const waiting = this.#waiting;
    this.#waiting = new Map();
    const start = countsStart(unixSeconds(clock));
    const key = keys.own.shareCounts(start);
    if (start !== this.#saidStart) this.#said = new Map();
    this.#saidStart = start;
    const fields = [...waiting].flatMap(([worker, count]) => [
      ...KINDS.flatMap((kind) =>
        count[kind] === 0 ? [] : [[`${worker}:${kind[0]}`, `${count[kind]}`]]
      ),
      ...this.#news(worker, count),
    ]);
    for (let i = 0; i < fields.length; i += CHUNK) {
      const args = fields.slice(i, i + CHUNK).flat();
      await store.script(COUNT_SHARES, [key], [`${FIELDS_MAX}`, `${LIFE_SECONDS}`, ...args]);
    }
  }

  /** Terms that this span does not hold yet: mostly none, so that they cost no write a share. */
  #news(worker: string, { terms }: WorkerCount): [field: string, text: string][] {
    if (terms === undefined) return [];
    const text = `${terms.difficulty}:${terms.dialect}`;
    if (this.#said.get(worker) === text) return [];
    if (this.#said.size < FIELDS_MAX) this.#said.set(worker, text);
    return [[`${worker}:d`, text]];
  }
}

const KINDS = ["valid", "stale", "invalid"] as const;

/** Start (unix seconds) of the span of counts that a time falls into. */
export function countsStart(seconds: number): number {
  return seconds - seconds % COUNTS_SECONDS;
}

/** The counts of the span that begins at `startSeconds`, by `login:worker`. */
export async function readShareCounts(
  { store, keys }: Pick<CountDeps, "store" | "keys">,
  startSeconds: number,
): Promise<Map<string, WorkerCount>> {
  const key = keys.own.shareCounts(startSeconds);
  const counts = new Map<string, WorkerCount>();
  for (const [field, text] of Object.entries(recordOf(await store.command("HGETALL", key)))) {
    const worker = field.slice(0, -2);
    const mark = field.at(-1);
    const kind = KINDS.find((one) => one[0] === mark);
    if (kind === undefined && mark !== "d") continue;
    let count = counts.get(worker);
    if (count === undefined) counts.set(worker, count = { valid: 0, stale: 0, invalid: 0 });
    if (kind !== undefined) count[kind] = Number(integerOf(text, `${field} of ${key}`));
    else {
      const colon = text.indexOf(":");
      const difficulty = integerOf(text.slice(0, colon), `${field} of ${key}`);
      count.terms = { difficulty, dialect: text.slice(colon + 1) };
    }
  }
  return counts;
}
