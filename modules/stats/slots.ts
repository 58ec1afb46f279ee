/** Work over even slots of time (pure): each worker's and miner's hashrate in a slot, as text. */
import type { SeriesPoint } from "../ledger/mod.ts";
import type { Work } from "./hashrate.ts";

/** Sums of one slot: difficulty by `login:worker`. */
export type SlotWork = Map<string, number>;

/** Adds up what falls between two times (unix seconds), work spread evenly over its span. */
export function workBetween(
  work: Iterable<Work>,
  fromSeconds: number,
  toSeconds: number,
): SlotWork {
  const sums: SlotWork = new Map();
  for (const { login, worker, difficulty, startSeconds, endSeconds } of work) {
    const inside = Math.min(endSeconds, toSeconds) - Math.max(startSeconds, fromSeconds);
    if (inside <= 0) continue;
    const key = `${login}:${worker}`;
    const part = Number(difficulty) * inside / (endSeconds - startSeconds);
    sums.set(key, (sums.get(key) ?? 0) + part);
  }
  return sums;
}

/** A slot's points: the pool's, each miner's and each worker's. */
export interface SlotPoints {
  hashrateHps: number;
  miners: number;
  workers: number;
  points: SeriesPoint[];
}

/** @param reported what workers say of themselves, by `login:worker` (hashes a second) */
export function pointsOf(
  sums: SlotWork,
  stepSeconds: number,
  reported: ReadonlyMap<string, string>,
): SlotPoints {
  const miners = new Map<string, { hashrate: number; reported: number }>();
  const points: SeriesPoint[] = [];
  let hashrate = 0;
  for (const [name, difficulty] of sums) {
    const login = name.slice(0, name.indexOf(":"));
    const own = difficulty / stepSeconds;
    const said = reported.get(name);
    points.push({ name, values: [text(own), said ?? ""] });
    const miner = miners.get(login) ?? { hashrate: 0, reported: 0 };
    miner.hashrate += own;
    miner.reported += Number(said ?? 0);
    miners.set(login, miner);
    hashrate += own;
  }
  for (const [name, miner] of miners) {
    const said = miner.reported === 0 ? "" : text(miner.reported);
    points.push({ name, values: [text(miner.hashrate), said] });
  }
  return { hashrateHps: hashrate, miners: miners.size, workers: sums.size, points };
}

/** A hashrate as whole hashes a second; below 2^53 exact, above without an exponent. */
export function text(hps: number): string {
  return BigInt(Math.round(hps)).toString();
}
