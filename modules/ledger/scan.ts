/**
 * Keys found by pattern, and flat replies as pairs.
 *
 * In a Cluster the connection is to the node that has the pool's slot, and so has all of its keys:
 * one SCAN there finds what a SCAN of one server does. After a failover between two pages the
 * cursor is another server's; then the search ends with an error, and never with a part.
 */
import { listOf, type Reply, type Store, StoreError } from "./redis.ts";

/** Keys looked at by one SCAN. */
const SCAN_KEYS = 1_000;

/**
 * Keys that match a pattern, a page at a time, each key once.
 *
 * SCAN is no snapshot: a key that comes or goes meanwhile may be there or not.
 *
 * @param pattern as SCAN reads it; what is to be taken literally goes through {@linkcode literal}
 * @throws {StoreError} also when the server changed meanwhile
 */
export async function* scanKeys(
  store: Store,
  pattern: string,
  count = SCAN_KEYS,
): AsyncGenerator<string[]> {
  const seen = new Set<string>();
  const { server } = store;
  let cursor = "0";
  do {
    const reply = await store.command("SCAN", cursor, "MATCH", pattern, "COUNT", String(count));
    if (!Array.isArray(reply)) throw new StoreError("Cannot read SCAN's reply", "refused");
    if (store.server !== server) {
      throw new StoreError("Cannot go on with SCAN: another server answers", "refused");
    }
    cursor = String(reply[0]);
    const fresh = listOf(reply[1] ?? null).filter((key) => !seen.has(key));
    for (const key of fresh) seen.add(key);
    if (fresh.length > 0) yield fresh;
  } while (cursor !== "0");
}

/** A text as it stands in a pattern. */
export function literal(text: string): string {
  return text.replaceAll(/[\\*?\[\]]/g, "\\$&");
}

/** A flat reply (WITHSCORES, HSCAN) as pairs: member and score, field and value. */
export function pairsOf(reply: Reply): [string, string][] {
  const flat = listOf(reply);
  if (flat.length % 2 !== 0) throw new StoreError("Cannot read pairs: one is cut", "refused");
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[i * 2]!, flat[i * 2 + 1]!]);
}
