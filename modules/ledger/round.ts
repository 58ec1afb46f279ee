/** What miners have in the current round: every login's sum, largest first. */
import { type Difficulty } from "../base/mod.ts";
import type { LedgerDeps } from "./leases.ts";
import { integerOf, StoreError } from "./redis.ts";
import { pairsOf } from "./scan.ts";

/** Sums of the shares that the next block of a scheme would be split by. */
export interface RoundSums {
  /** Σ share difficulty of all logins (hashes). */
  total: Difficulty;
  /** Largest first. */
  rows: { login: string; difficulty: Difficulty }[];
}

/**
 * Reads the current round ("prop"), the window ("pplns") or each login's own sum ("solo") in pages:
 * shares that come meanwhile may or may not be in it.
 */
export async function readRoundSums(
  { store, keys }: LedgerDeps,
  scheme: "prop" | "pplns" | "solo",
): Promise<RoundSums> {
  const { own } = keys;
  const places = { prop: keys.roundCurrent, pplns: own.pplnsSums, solo: own.solo };
  const key = places[scheme]();
  const sums = new Map<string, Difficulty>();
  let cursor = "0";
  do {
    const reply = await store.command("HSCAN", key, cursor, "COUNT", "1000");
    if (!Array.isArray(reply)) throw new StoreError("Cannot read HSCAN's reply", "refused");
    cursor = String(reply[0]);
    for (const [login, sum] of pairsOf(reply[1] ?? null)) {
      sums.set(login, integerOf(sum, `${login} of ${key}`));
    }
  } while (cursor !== "0");
  const rows = [...sums].map(([login, difficulty]) => ({ login, difficulty }))
    .sort((a, b) => a.difficulty < b.difficulty ? 1 : a.difficulty > b.difficulty ? -1 : 0);
  return { total: rows.reduce((sum, { difficulty }) => sum + difficulty, 0n), rows };
}
