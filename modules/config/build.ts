/** From the file's rows to the typed configuration: what no single row can judge, is judged here. */
import { buildAlerts } from "./build_alerts.ts";
import { isAbsolute, resolve } from "node:path";
import { buildBrand } from "./build_brand.ts";
import { buildNetwork, buildPayouts, buildUnlocker } from "./build_money.ts";
import { buildProxy, buildUpstreams, checkName } from "./build_proxy.ts";
import { buildRedis } from "./build_redis.ts";
import { type Findings, refuse, warn } from "./findings.ts";
import type { RawConfig } from "./schema.ts";
import type { Config } from "./types.ts";

/** A secret that the file names instead of containing it. */
export type SecretReference = { file: string } | { env: string } | { credential: string };

/** What the text of a file cannot say by itself. */
export interface ConfigContext {
  /** Folder of the file: relative paths start here. */
  baseDir: string;
  /** Gives a secret's text. @throws {Error} when there is none */
  readSecret(reference: SecretReference): string;
  /** Gives a file's whole text; the path is absolute. @throws {Error} when it cannot be read */
  readText?(path: string): string;
}

/** The typed configuration; the findings say whether it may be used. */
export function buildConfig(raw: RawConfig, context: ConfigContext, found: Findings): Config {
  const path = (name: string) => isAbsolute(name) ? name : resolve(context.baseDir, name);
  const network = buildNetwork(raw, found);
  const unlocker = buildUnlocker(raw, found);
  checkName("name", raw.name, found);
  const proxy = buildProxy(raw, path, found);
  checkInstance(raw, found);
  return {
    threads: raw.threads,
    coin: raw.coin,
    name: raw.name,
    ...(network === undefined ? {} : { network }),
    coinbases: raw.coinbases ?? [],
    dataDir: path(raw.dataDir),
    log: raw.log,
    health: raw.health.listen === undefined ? {} : { listen: raw.health.listen },
    metrics: raw.metrics.listen === undefined ? {} : { listen: raw.metrics.listen },
    verifier: buildVerifier(raw, path),
    extranonce: raw.extranonce,
    ...(raw.instance === undefined ? {} : { instance: raw.instance }),
    scheme: raw.scheme,
    pplns: { windowMilli: raw.pplns.window },
    proxy,
    api: buildApi(raw, path, found),
    upstreamCheckIntervalMs: raw.upstreamCheckInterval,
    upstreams: buildUpstreams(raw, found),
    redis: buildRedis(raw, context, path, found),
    ...alertsOf(raw, context, found),
    unlocker,
    payouts: buildPayouts(raw, unlocker, path, found),
  };
}

function alertsOf(raw: RawConfig, context: ConfigContext, found: Findings) {
  const alerts = buildAlerts(raw, context, found);
  return alerts === undefined ? {} : { alerts };
}

function checkInstance(raw: RawConfig, found: Findings): void {
  if (raw.instance === undefined || raw.extranonce === "leased") return;
  warn(found, "instance", 'does nothing while extranonce is "single"');
}

function buildVerifier(raw: RawConfig, path: (name: string) => string): Config["verifier"] {
  const { threads, dag, dir, memoryLimit } = raw.verifier;
  return {
    ...{ dag, dir: path(dir ?? `${raw.dataDir}/dag`) },
    ...(threads === undefined ? {} : { threads }),
    ...(memoryLimit === undefined ? {} : { memoryLimitBytes: memoryLimit }),
  };
}

function buildApi(raw: RawConfig, path: (name: string) => string, found: Findings) {
  const { api } = raw;
  if (api.hashrateLargeWindow < api.hashrateWindow) {
    const problem = "is shorter than api.hashrateWindow";
    refuse(found, "api.hashrateLargeWindow", problem, "let it be the longer one");
  }
  return {
    enabled: api.enabled,
    listen: api.listen,
    statsCollectIntervalMs: api.statsCollectInterval,
    settingsCooldownMs: api.settingsCooldown,
    purgeIntervalMs: api.purgeInterval,
    hashrateWindowMs: api.hashrateWindow,
    hashrateLargeWindowMs: api.hashrateLargeWindow,
    luckWindow: [...api.luckWindow].sort((a, b) => a - b),
    payments: api.payments,
    blocks: api.blocks,
    ...{ cors: api.cors, rateLimit: api.rateLimit, poolName: api.poolName },
    ...{ publicHost: api.publicHost, notice: api.notice },
    regions: api.regions.map(({ name, host, ping }) => ({
      ...{ name, host },
      ...(ping === undefined ? {} : { ping }),
    })),
    ...buildBrand(raw, path, found),
    purgeOnly: api.purgeOnly,
    ...adminSocketOf(raw, path, found),
    ...(api.static === undefined ? {} : { static: path(api.static) }),
  };
}

/** A socket's path may have so many bytes on Linux, a closing zero aside (sockaddr_un). */
const SOCKET_PATH_MAX = 107;

/** Named after the instance, as the journals are: several of them may share `dataDir`. */
function adminSocketOf(raw: RawConfig, path: (name: string) => string, found: Findings) {
  const given = raw.api.adminSocket;
  if (given === "") return {};
  const usual = `${raw.dataDir}/${raw.coin}-${raw.name}.admin/admin.sock`;
  const adminSocket = path(given ?? usual);
  if (new TextEncoder().encode(adminSocket).length <= SOCKET_PATH_MAX) return { adminSocket };
  const problem = `a socket's path has ${SOCKET_PATH_MAX} bytes at most, ${adminSocket} has more`;
  if (given === undefined) warn(found, "api.adminSocket", `is off: ${problem}`);
  else refuse(found, "api.adminSocket", problem, "choose a shorter one");
  return {};
}
