/** Whether Redis can lose what it acknowledged, by its own settings, and how to mend it. */
import { listOf, recordOf, type Store, StoreError } from "./redis.ts";

export { rewriteAppendOnly } from "./append_only.ts";

/** What a redis-server says of itself. */
export interface RedisFacts {
  version: string;
  role: string;
  connectedReplicas: number;
  /** CONFIG values; undefined when the user may not see them. */
  config?: Readonly<Record<string, string>>;
  /** From INFO: `ok` or the last error's word. */
  aofWriteStatus?: string;
  rdbSaveStatus?: string;
  /** Memory in use and its limit (bytes; 0: none). */
  usedMemory: number;
  maxMemory: number;
  /** The server's clock (milliseconds since 1970). */
  timeMs: number;
}

/** One thing that is well, worth knowing, or to be mended. */
export interface Verdict {
  state: "ok" | "note" | "fail";
  finding: string;
  /** What to do; empty when it is well. */
  mend: string;
}

const SETTINGS = [
  ...["appendonly", "appendfsync", "no-appendfsync-on-rewrite", "maxmemory", "maxmemory-policy"],
  ...["min-replicas-to-write", "min-replicas-max-lag"],
];

/** Asks the server. @throws {StoreError} */
export async function readRedisFacts(store: Store): Promise<RedisFacts> {
  const info = infoOf(String(await store.command("INFO")));
  const [seconds, micros] = listOf(await store.command("TIME")).map(Number);
  const number = (name: string) => Number(info.get(name) ?? 0);
  return {
    version: info.get("redis_version") ?? "unknown",
    role: info.get("role") ?? "unknown",
    connectedReplicas: number("connected_slaves"),
    ...await configOf(store),
    ...(info.has("aof_last_write_status")
      ? { aofWriteStatus: info.get("aof_last_write_status")! }
      : {}),
    ...(info.has("rdb_last_bgsave_status")
      ? { rdbSaveStatus: info.get("rdb_last_bgsave_status")! }
      : {}),
    usedMemory: number("used_memory"),
    maxMemory: number("maxmemory"),
    timeMs: seconds! * 1000 + Math.floor(micros! / 1000),
  };
}

/**
 * Judges a server as a pool's ledger.
 *
 * @param waitReplicas replicas that the configuration wants to have each payment
 */
export function judgeRedis(facts: RedisFacts, waitReplicas: number): Verdict[] {
  return [
    versionOf(facts),
    ...(facts.role === "master" ? [] : [
      fail(`Redis is a ${facts.role}: it takes no writes`, "point redis.endpoint at the master"),
    ]),
    ...diskOf(facts),
    ...memoryOf(facts),
    ...replicasOf(facts, waitReplicas),
  ];
}

function versionOf({ version }: RedisFacts): Verdict {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 6 || (major === 6 && minor >= 2)
    ? ok(`Redis ${version}`)
    : fail(`Redis ${version} is too old`, "install 6.2 or newer");
}

function diskOf({ config, aofWriteStatus, rdbSaveStatus }: RedisFacts): Verdict[] {
  const verdicts: Verdict[] = [];
  if (config === undefined) {
    verdicts.push(note(
      "Redis does not show its settings to this user",
      "let it run CONFIG GET (ACL +config|get), or check appendonly and appendfsync by hand",
    ));
  } else if (config.appendonly !== "yes") {
    verdicts.push(fail(
      "Redis keeps no append-only file: a restart loses every share since the last snapshot",
      'CONFIG SET appendonly yes, then CONFIG REWRITE (and "appendonly yes" in redis.conf)',
    ));
  } else if (config.appendfsync !== "always") {
    verdicts.push(fail(
      `appendfsync is ${config.appendfsync}: a power cut loses about a second of acknowledged shares`,
      "CONFIG SET appendfsync always, then CONFIG REWRITE: shares are recorded in batches, so that " +
        "one sync serves many",
    ));
  } else if (config["no-appendfsync-on-rewrite"] === "yes") {
    verdicts.push(fail(
      "no-appendfsync-on-rewrite is yes: nothing is synced while the file is rewritten",
      "CONFIG SET no-appendfsync-on-rewrite no, then CONFIG REWRITE",
    ));
  } else verdicts.push(ok("every acknowledged share is on disk"));
  if (aofWriteStatus !== undefined && aofWriteStatus !== "ok") {
    verdicts.push(fail(
      "Redis could not write its append-only file the last time",
      "look at its log: the disk is full or read-only",
    ));
  }
  if (rdbSaveStatus !== undefined && rdbSaveStatus !== "ok") {
    verdicts.push(
      fail("Redis could not save its last snapshot", "look at its log: disk or memory"),
    );
  }
  return verdicts;
}

function memoryOf({ config, usedMemory, maxMemory }: RedisFacts): Verdict[] {
  if (maxMemory === 0) return [];
  const policy = config?.["maxmemory-policy"];
  const verdicts = policy === undefined || policy === "noeviction" ? [] : [
    fail(
      `maxmemory-policy is ${policy}: Redis throws balances away when memory is short`,
      "CONFIG SET maxmemory-policy noeviction, then CONFIG REWRITE",
    ),
  ];
  if (usedMemory > maxMemory * 0.8) {
    verdicts.push(fail(
      `Redis uses ${
        Math.round(100 * usedMemory / maxMemory)
      } % of maxmemory: it will refuse shares`,
      "raise maxmemory",
    ));
  }
  return verdicts;
}

function replicasOf(facts: RedisFacts, waitReplicas: number): Verdict[] {
  const { connectedReplicas: count, config } = facts;
  if (waitReplicas > count) {
    return [fail(
      `redis.waitReplicas is ${waitReplicas}, ${count} replicas are connected: nothing is paid`,
      "connect the replicas, or lower redis.waitReplicas",
    )];
  }
  if (count === 0) return [];
  const least = Number(config?.["min-replicas-to-write"] ?? 0);
  const verdicts = [
    waitReplicas === 0
      ? note(
        `${count} replicas, but redis.waitReplicas is 0: a failover may forget a payment that is out`,
        "set redis.waitReplicas to 1",
      )
      : ok(`payments wait for ${waitReplicas} of ${count} replicas`),
  ];
  if (config !== undefined && least === 0) {
    verdicts.push(note(
      "min-replicas-to-write is 0: a master that is cut off goes on taking shares that a failover forgets",
      "CONFIG SET min-replicas-to-write 1, then CONFIG REWRITE",
    ));
  }
  return verdicts;
}

async function configOf(store: Store): Promise<{ config?: Record<string, string> }> {
  const config: Record<string, string> = {};
  try {
    for (const name of SETTINGS) {
      Object.assign(config, recordOf(await store.command("CONFIG", "GET", name)));
    }
    return { config };
  } catch (error) {
    if (error instanceof StoreError && error.fate === "refused") return {};
    throw error;
  }
}

function infoOf(text: string): Map<string, string> {
  return new Map(
    text.split(/\r?\n/).flatMap((line) => {
      const colon = line.indexOf(":");
      return colon === -1 ? [] : [[line.slice(0, colon), line.slice(colon + 1)] as const];
    }),
  );
}

function ok(finding: string): Verdict {
  return { state: "ok", finding, mend: "" };
}

function note(finding: string, mend: string): Verdict {
  return { state: "note", finding, mend };
}

function fail(finding: string, mend: string): Verdict {
  return { state: "fail", finding, mend };
}
