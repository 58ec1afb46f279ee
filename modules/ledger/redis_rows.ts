/** Pages of sorted sets, newest first: bounded reads whatever the set has grown to. */
import type { Store } from "./redis.ts";
import { pairsOf } from "./scan.ts";

/** One member with its score. */
export interface ScoredRow {
  member: string;
  score: number;
}

/** Members with the highest scores up to `max` (included), leaving out the first `skip` of them. */
export async function rangeOf(
  store: Store,
  key: string,
  page: { max?: number; min?: number; skip: number; limit: number },
): Promise<ScoredRow[]> {
  const pairs = pairsOf(
    await store.command(
      ...["ZRANGE", key, page.max === undefined ? "+inf" : String(page.max)],
      ...[page.min === undefined ? "-inf" : String(page.min), "BYSCORE", "REV"],
      ...["LIMIT", String(page.skip), String(page.limit), "WITHSCORES"],
    ),
  );
  return pairs.map(([member, score]) => ({ member, score: Number(score) }));
}
