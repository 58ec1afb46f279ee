/** Redis as a ledger: durable, of one pool, and left by the old pool as it should be. */
import { silentLogger } from "../../modules/base/mod.ts";
import { type Config, plain } from "../../modules/config/mod.ts";
import {
  createKeys,
  createPayments,
  judgeRedis,
  oldPoolSeen,
  openStore,
  readRedisFacts,
} from "../../modules/ledger/mod.ts";
import { type Check, checksOf } from "./check.ts";

const { ok, note, fail } = checksOf("redis");
/** Difference of two clocks that is no trouble (milliseconds). */
const CLOCK_MS = 2_000;

/** Asks the configured server. @throws {StoreError} when it is away */
export async function redisChecks(config: Config): Promise<Check[]> {
  const store = await openStore(plain(config.redis), { log: silentLogger });
  try {
    const deps = { store, keys: createKeys(config.coin) };
    const beforeMs = Date.now();
    const facts = await readRedisFacts(store);
    const halfWayMs = (beforeMs + Date.now()) / 2;
    const checks: Check[] = judgeRedis(facts, config.redis.waitReplicas)
      .map((verdict) => ({ part: "redis", ...verdict }));
    const apartMs = Math.abs(facts.timeMs - halfWayMs);
    if (apartMs > CLOCK_MS) {
      checks.push(fail(
        `the clocks of Redis and of this machine are ${Math.round(apartMs / 1000)} s apart`,
        "run a time service (chrony, systemd-timesyncd) on both",
      ));
    }
    if (await oldPoolSeen(deps)) {
      checks.push(fail(
        "an open-ethereum-pool still records shares in this database: neither unlocking nor " +
          "payments begin",
        "stop it",
      ));
    }
    const foreign = await createPayments(deps).foreignRows();
    if (foreign.length > 0) {
      checks.push(fail(
        `the old pool left payments unfinished: ${foreign.join(", ")} (login:Shannon)`,
        "deno task payouts CONFIG resolve explains what became of them",
      ));
    }
    if (checks.every(({ state }) => state === "ok")) checks.push(ok("one pool writes here"));
    if (config.redis.password === "" && !isLocal(config.redis.endpoint)) {
      checks.push(note(
        "Redis is on another machine and has no password",
        "set requirepass or an ACL user there, and redis.password here",
      ));
    }
    return checks;
  } finally {
    await store.close();
  }
}

function isLocal(endpoint: string): boolean {
  return endpoint.startsWith("/") || /^(127\.|\[?::1|localhost)/.test(endpoint);
}
