/** The section of Redis: which of its keys go together, and the files it names. */
import type { ConfigContext } from "./build.ts";
import { type Findings, refuse, warn } from "./findings.ts";
import type { RawConfig } from "./schema.ts";
import { resolveSecret } from "./secrets.ts";
import type { RedisConfig } from "./types_redis.ts";

/** The connection to Redis; the findings say what contradicts itself. */
export function buildRedis(
  raw: RawConfig,
  context: ConfigContext,
  path: (name: string) => string,
  found: Findings,
): RedisConfig {
  const { endpoint, poolSize, database, waitReplicas, username, password } = raw.redis;
  const { replica, replicaMaxLag } = raw.redis;
  checkTogether(raw, found);
  return {
    ...{ endpoint, poolSize, database, waitReplicas },
    ...(username === "" ? {} : { username }),
    password: resolveSecret("redis.password", password, context, found),
    ...tlsOf(raw, context, path, found),
    ...sentinelOf(raw, context, found),
    ...clusterOf(raw, found),
    ...(replica === undefined ? {} : { replica }),
    replicaMaxLagMs: replicaMaxLag,
  };
}

function checkTogether({ redis, api }: RawConfig, found: Findings): void {
  const elected = redis.sentinels !== undefined || redis.cluster !== undefined;
  if (redis.sentinels !== undefined && redis.cluster !== undefined) {
    refuse(found, "redis.cluster", "stands beside redis.sentinels", "leave one of them out");
  }
  if (elected && redis.waitReplicas === 0) {
    const section = redis.cluster === undefined ? "redis.sentinels" : "redis.cluster";
    const why = "nothing is promised at a failover while redis.waitReplicas is 0";
    warn(found, section, `${why}: set it to 1 or more (docs/durability.md)`);
  }
  if (redis.replica !== undefined && (!api.enabled || api.purgeOnly)) {
    warn(found, "redis.replica", "does nothing: no API is served here, and nobody else reads it");
  }
}

function tlsOf(
  { redis }: RawConfig,
  context: ConfigContext,
  path: (name: string) => string,
  found: Findings,
): Pick<RedisConfig, "tls"> {
  const { tls, endpoint, sentinels, cluster } = redis;
  if (tls === undefined) return {};
  if (endpoint.startsWith("/") && sentinels === undefined && cluster === undefined) {
    const mend = "leave redis.tls out, or give host and port";
    refuse(found, "redis.tls", "stands beside a unix socket, which needs none", mend);
  }
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    const missing = tls.cert === undefined ? "cert" : "key";
    refuse(found, `redis.tls.${missing}`, "is missing", "give certificate and key together");
  }
  const texts = (["ca", "cert", "key"] as const).flatMap((name) => {
    const file = tls[name];
    if (file === undefined) return [];
    const text = pemOf(`redis.tls.${name}`, path(file), context, found);
    return [[name, text] as const];
  });
  const { serverName } = tls;
  return {
    tls: { ...Object.fromEntries(texts), ...(serverName === undefined ? {} : { serverName }) },
  };
}

function pemOf(key: string, file: string, context: ConfigContext, found: Findings): string {
  try {
    const text = context.readText?.(file) ?? "";
    if (text.includes("-----BEGIN ")) return text;
    refuse(found, key, `is no PEM file: ${file}`, "give a file with -----BEGIN ...-----");
  } catch (error) {
    refuse(found, key, (error as Error).message, "make it readable for the pool");
  }
  return "";
}

function sentinelOf(
  { redis }: RawConfig,
  context: ConfigContext,
  found: Findings,
): Pick<RedisConfig, "sentinel"> {
  const { sentinels, sentinelMaster, sentinelUsername, sentinelPassword } = redis;
  if (sentinels === undefined) {
    if (sentinelUsername !== "" || sentinelPassword !== "") {
      warn(found, "redis.sentinelPassword", "does nothing without redis.sentinels");
    }
    return {};
  }
  checkHosts("redis.sentinels", sentinels, found);
  return {
    sentinel: {
      ...{ nodes: sentinels, master: sentinelMaster },
      ...(sentinelUsername === "" ? {} : { username: sentinelUsername }),
      password: resolveSecret("redis.sentinelPassword", sentinelPassword, context, found),
    },
  };
}

function clusterOf({ redis, coin }: RawConfig, found: Findings): Pick<RedisConfig, "cluster"> {
  const { cluster, database } = redis;
  if (cluster === undefined) return {};
  checkHosts("redis.cluster", cluster, found);
  if (!coin.startsWith("{")) {
    refuse(
      found,
      "coin",
      `is "${coin}", and with redis.cluster every key must lie in one slot`,
      `write "{${coin}}"; deno task migrate CONFIG --rename "{${coin}}" moves a database that is there`,
    );
  }
  if (database !== 0) {
    refuse(found, "redis.database", "is not 0, and a Cluster has no other", "leave it out");
  }
  return { cluster: { nodes: cluster, key: coin } };
}

function checkHosts(path: string, nodes: readonly string[], found: Findings): void {
  for (const [i, node] of nodes.entries()) {
    if (!node.startsWith("/")) continue;
    refuse(found, `${path}.${i}`, `is a path, current value is "${node}"`, "write host:port");
  }
}
