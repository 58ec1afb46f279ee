/** From the file's rows to the typed configuration: what no single row can judge, is judged here. */
import { isAbsolute, resolve } from "node:path";
import { buildNetwork, buildPayouts, buildUnlocker } from "./build_money.ts";
import { type Findings, refuse } from "./findings.ts";
import type { ListenAddress } from "./scalars.ts";
import type { RawConfig } from "./schema.ts";
import type { Config, ProxyConfig, UpstreamConfig } from "./types.ts";

/** A secret that the file names instead of containing it. */
export type SecretReference = { file: string } | { env: string };

/** What the text of a file cannot say by itself. */
export interface ConfigContext {
  /** Folder of the file: relative paths start here. */
  baseDir: string;
  /** Gives a secret's text. @throws {Error} when there is none */
  readSecret(reference: SecretReference): string;
}

/** Loopback and private ranges, trusted when no proxies are named. */
const NEARBY = [
  ...["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"],
  ...["::1/128", "fc00::/7"],
];

/** The typed configuration; the findings say whether it may be used. */
export function buildConfig(raw: RawConfig, context: ConfigContext, found: Findings): Config {
  const path = (name: string) => isAbsolute(name) ? name : resolve(context.baseDir, name);
  const network = buildNetwork(raw, found);
  const unlocker = buildUnlocker(raw, found);
  checkName("name", raw.name, found);
  return {
    threads: raw.threads,
    coin: raw.coin,
    name: raw.name,
    ...(network === undefined ? {} : { network }),
    coinbases: raw.coinbases ?? [],
    dataDir: path(raw.dataDir),
    log: raw.log,
    verifier: buildVerifier(raw, path),
    proxy: buildProxy(raw, found),
    api: buildApi(raw, path, found),
    upstreamCheckIntervalMs: raw.upstreamCheckInterval,
    upstreams: buildUpstreams(raw, found),
    redis: buildRedis(raw, context, found),
    unlocker,
    payouts: buildPayouts(raw, unlocker, path, found),
  };
}

function buildVerifier(raw: RawConfig, path: (name: string) => string): Config["verifier"] {
  const { threads, dag, dir, memoryLimit } = raw.verifier;
  return {
    ...{ dag, dir: path(dir ?? `${raw.dataDir}/dag`) },
    ...(threads === undefined ? {} : { threads }),
    ...(memoryLimit === undefined ? {} : { memoryLimitBytes: memoryLimit }),
  };
}

function checkName(path: string, name: string, found: Findings): void {
  if (name.includes(":")) {
    refuse(found, path, `contains ":", current value is "${name}"`, 'use a name without ":"');
  }
}

function buildProxy(raw: RawConfig, found: Findings): ProxyConfig {
  const { proxy } = raw;
  const { policy } = proxy;
  if (policy.banning.enabled && policy.banning.ipset !== "") {
    // The old pool's file must go on working; a ban that the firewall does not see is still a ban.
    const message = "is not filled yet by this version: addresses are banned inside the pool alone";
    found.warnings.push({ path: "proxy.policy.banning.ipset", message });
  }
  return {
    enabled: proxy.enabled,
    listen: proxy.listen,
    limitHeadersBytes: proxy.limitHeadersSize,
    limitBodyBytes: proxy.limitBodySize,
    behindReverseProxy: proxy.behindReverseProxy,
    trustedProxies: trustedProxies(raw, found),
    stratum: {
      enabled: proxy.enabled && proxy.stratum.enabled,
      listen: proxy.stratum.listen,
      timeoutMs: proxy.stratum.timeout,
      maxConn: proxy.stratum.maxConn,
    },
    blockRefreshIntervalMs: proxy.blockRefreshInterval,
    stateUpdateIntervalMs: proxy.stateUpdateInterval,
    difficulty: proxy.difficulty,
    healthCheck: proxy.healthCheck,
    maxFails: proxy.maxFails,
    hashrateExpirationMs: proxy.hashrateExpiration,
    loginTimeoutMs: proxy.loginTimeout,
    maxWorkers: proxy.maxWorkers,
    policy: {
      workers: policy.workers,
      resetIntervalMs: policy.resetInterval,
      refreshIntervalMs: policy.refreshInterval,
      banning: {
        enabled: policy.banning.enabled,
        timeoutMs: policy.banning.timeout * 1000,
        invalidPercent: policy.banning.invalidPercent,
        checkThreshold: policy.banning.checkThreshold,
        malformedLimit: policy.banning.malformedLimit,
      },
      limits: {
        enabled: policy.limits.enabled,
        limit: policy.limits.limit,
        graceMs: policy.limits.grace,
        limitJump: policy.limits.limitJump,
      },
    },
  };
}

function trustedProxies(raw: RawConfig, found: Findings): readonly string[] {
  const { behindReverseProxy, trustedProxies } = raw.proxy;
  if (!behindReverseProxy) {
    if (trustedProxies !== undefined && trustedProxies.length > 0) {
      const message = "does nothing while proxy.behindReverseProxy is false";
      found.warnings.push({ path: "proxy.trustedProxies", message });
    }
    return [];
  }
  if (trustedProxies !== undefined) return trustedProxies;
  found.warnings.push({
    path: "proxy.behindReverseProxy",
    message: "is true without proxy.trustedProxies: X-Forwarded-For is believed from loopback " +
      "and private addresses only",
  });
  return NEARBY;
}

function buildApi(raw: RawConfig, path: (name: string) => string, found: Findings) {
  const { api } = raw;
  if (api.hashrateLargeWindow < api.hashrateWindow) {
    const problem = "is shorter than api.hashrateWindow";
    refuse(found, "api.hashrateLargeWindow", problem, "let it be the longer one");
  }
  checkPorts(raw, found);
  return {
    enabled: api.enabled,
    listen: api.listen,
    statsCollectIntervalMs: api.statsCollectInterval,
    purgeIntervalMs: api.purgeInterval,
    hashrateWindowMs: api.hashrateWindow,
    hashrateLargeWindowMs: api.hashrateLargeWindow,
    luckWindow: [...api.luckWindow].sort((a, b) => a - b),
    payments: api.payments,
    blocks: api.blocks,
    purgeOnly: api.purgeOnly,
    ...(api.static === undefined ? {} : { static: path(api.static) }),
  };
}

function checkPorts(raw: RawConfig, found: Findings): void {
  const open: [string, ListenAddress][] = [];
  if (raw.proxy.enabled) open.push(["proxy.listen", raw.proxy.listen]);
  if (raw.proxy.enabled && raw.proxy.stratum.enabled) {
    open.push(["proxy.stratum.listen", raw.proxy.stratum.listen]);
  }
  if (raw.api.enabled) open.push(["api.listen", raw.api.listen]);
  for (const [i, [path, address]] of open.entries()) {
    for (const [other, taken] of open.slice(0, i)) {
      if (address.port === 0 || address.port !== taken.port) continue;
      const everywhere = [address, taken].some(({ hostname }) =>
        /^(0\.0\.0\.0|::)$/.test(hostname)
      );
      if (!everywhere && address.hostname !== taken.hostname) continue;
      const problem = `takes port ${address.port}, which ${other} has`;
      refuse(found, path, problem, "choose another port");
    }
  }
}

function buildUpstreams(raw: RawConfig, found: Findings): UpstreamConfig[] {
  if (raw.upstream.length === 0 && raw.proxy.enabled) {
    refuse(found, "upstream", "is empty", "name at least one node, or set proxy.enabled to false");
  }
  const names = new Set<string>();
  return raw.upstream.map(({ name, url, timeout }, i) => {
    const chosen = name ?? (i === 0 ? "main" : i === 1 ? "backup" : `backup${i}`);
    const path = `upstream.${i}.name`;
    checkName(path, chosen, found);
    if (names.has(chosen)) {
      refuse(found, path, `is taken, current value is "${chosen}"`, "give each node its own name");
    }
    names.add(chosen);
    return { name: chosen, url, timeoutMs: timeout };
  });
}

function buildRedis(raw: RawConfig, context: ConfigContext, found: Findings) {
  const { username, password, ...plain } = raw.redis;
  return {
    ...plain,
    ...(username === "" ? {} : { username }),
    password: typeof password === "string" ? password : readPassword(password, context, found),
  };
}

function readPassword(
  { file, env }: { file?: string | undefined; env?: string | undefined },
  context: ConfigContext,
  found: Findings,
): string {
  const path = "redis.password";
  if ((file === undefined) === (env === undefined)) {
    refuse(found, path, "needs exactly one of file and env", 'write {"file": "..."}');
    return "";
  }
  try {
    const secret = context.readSecret(file === undefined ? { env: env! } : { file });
    if (secret !== "") return secret;
    refuse(found, path, `is empty in ${file ?? env}`, "put the password there");
  } catch (error) {
    refuse(found, path, (error as Error).message, "make it readable for the pool");
  }
  return "";
}
