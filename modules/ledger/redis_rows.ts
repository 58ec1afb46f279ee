/** Pages of sorted sets, newest first: bounded reads whatever the set has grown to. */
import { listOf, type Store } from "./redis.ts";

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
  const list = listOf(
    await store.command(
      ...["ZRANGE", key, page.max === undefined ? "+inf" : String(page.max)],
      ...[page.min === undefined ? "-inf" : String(page.min), "BYSCORE", "REV"],
      ...["LIMIT", String(page.skip), String(page.limit), "WITHSCORES"],
    ),
  );
  const rows: ScoredRow[] = [];
  for (let i = 0; i + 1 < list.length; i += 2) {
    rows.push({ member: list[i]!, score: Number(list[i + 1]) });
  }
  return rows;
}
