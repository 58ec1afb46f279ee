/** Redis as a ledger: durable, of one pool, and left by the old pool as it should be. */
import { errorText, silentLogger } from "../../modules/base/mod.ts";
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
    const user = await store.command("ACL", "WHOAMI").catch(() => undefined);
    checks.push(ok(user === undefined ? "its user may not ask for its name" : `as user ${user}`));
    return [...checks, ...wayThere(config), ...await replicaChecks(config)];
  } finally {
    await store.close();
  }
}

/** What others on the way to Redis can do. */
function wayThere({ redis }: Config): Check[] {
  const elected = [...redis.sentinel?.nodes ?? [], ...redis.cluster?.nodes ?? []];
  if ((elected.length > 0 ? elected : [redis.endpoint]).every(isLocal)) return [];
  return [
    ...(redis.password !== "" ? [] : [note(
      "Redis is on another machine and has no password",
      "set requirepass or an ACL user there (config/redis), and redis.password here",
    )]),
    ...(redis.tls !== undefined ? [] : [note(
      "Redis is on another machine and is spoken to without TLS",
      "set tls-port there and redis.tls here, unless the network between them is yours alone",
    )]),
  ];
}

/** Whether the API's replica is one, and hears its master. */
async function replicaChecks({ redis }: Config): Promise<Check[]> {
  if (redis.replica === undefined) return [];
  const { sentinel: _, cluster: __, ...common } = plain(redis);
  const mend = "correct redis.replica, or look at that server; the API reads the master meanwhile";
  try {
    const store = await openStore({ ...common, endpoint: redis.replica }, { log: silentLogger });
    const text = String(await store.command("INFO", "replication"));
    await store.close();
    if (!/^role:slave/m.test(text)) return [fail("redis.replica is no replica", mend)];
    if (!/^master_link_status:up/m.test(text)) {
      return [fail("redis.replica has lost its master", mend)];
    }
    return [ok("the API's replica hears its master")];
  } catch (error) {
    return [fail(`redis.replica: ${errorText(error)}`, mend)];
  }
}

function isLocal(endpoint: string): boolean {
  return endpoint.startsWith("/") || /^(127\.|\[?::1|localhost)/.test(endpoint);
}
