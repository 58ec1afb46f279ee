/** What Redis itself counted: calls, writes and slow commands. */
import { silentLogger } from "../../modules/base/mod.ts";
import { openStore, type Store } from "../../modules/ledger/mod.ts";
import type { TestRedis } from "../../tests/support/redis.ts";

/** Commands of the ledger's scripts that change something. */
const WRITES = new Set(
  "zadd zrem zincrby hincrby hset hdel set del expire rename copy persist".split(" "),
);

/** Calls by command since Redis's start. */
export type Calls = Map<string, number>;

/** Opens a connection of the bench's own. */
export function openBenchStore(redis: TestRedis): Promise<Store> {
  return openStore({ endpoint: redis.endpoint, database: 0, password: "" }, { log: silentLogger });
}

/** Reads the calls so far, without a monitor that would slow them. */
export async function readCalls(store: Store): Promise<Calls> {
  const text = await store.command("INFO", "commandstats") as string;
  const calls: Calls = new Map();
  for (const [, name, count] of text.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)) {
    calls.set(name!, Number(count));
  }
  return calls;
}

/** Calls between two readings. */
export function callsBetween(before: Calls, after: Calls) {
  const of = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0);
  const names = [...after.keys()];
  return {
    /** Calls of commands that write. */
    writes: names.filter((name) => WRITES.has(name)).reduce((sum, name) => sum + of(name), 0),
    /** Calls of scripts by clients. */
    scripts: of("evalsha") + of("eval"),
    /** Batches: each keeps its reply with one SET. */
    batches: of("set"),
  };
}

/** Commands that held Redis for over 10 ms: how many, and the longest (ms). */
export async function slowCommands(store: Store): Promise<{ count: number; longestMs: number }> {
  const count = Number(await store.command("SLOWLOG", "LEN"));
  const rows = await store.command("SLOWLOG", "GET", "128") as unknown as unknown[][];
  const longest = rows.reduce((most, row) => Math.max(most, Number(row[2])), 0);
  return { count, longestMs: longest / 1_000 };
}
