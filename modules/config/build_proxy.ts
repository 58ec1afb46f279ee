/** The doors' section and the nodes, from the file's rows to typed values. */
import { buildPorts, checkPorts, mines, notifyRanges } from "./build_ports.ts";
import { type Findings, refuse, warn } from "./findings.ts";
import type { RawConfig } from "./schema.ts";
import type { FirewallConfig, PolicyConfig, ProxyConfig, UpstreamConfig } from "./types.ts";

/** Loopback and private ranges, trusted when no proxies are named. */
const NEARBY = [
  ...["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"],
  ...["::1/128", "fc00::/7"],
];

/** Refuses a name that would break the fields of Redis. */
export function checkName(path: string, name: string, found: Findings): void {
  if (name.includes(":")) {
    refuse(found, path, `contains ":", current value is "${name}"`, 'use a name without ":"');
  }
}

/** The doors for miners and what they enforce. */
export function buildProxy(
  raw: RawConfig,
  path: (name: string) => string,
  found: Findings,
): ProxyConfig {
  const { proxy } = raw;
  const ports = buildPorts(raw, path, found);
  checkPorts(raw, found);
  const { min, max } = proxy.fixedDiff;
  if (min > max) {
    const problem = `is above proxy.fixedDiff.max, which is ${max}, current value is ${min}`;
    refuse(found, "proxy.fixedDiff.min", problem, "let it be the smaller one");
  }
  return {
    enabled: proxy.enabled,
    listen: proxy.listen,
    limitHeadersBytes: proxy.limitHeadersSize,
    limitBodyBytes: proxy.limitBodySize,
    behindReverseProxy: proxy.behindReverseProxy,
    trustedProxies: trustedProxies(raw, found),
    stratum: {
      enabled: ports.length > 0,
      ports,
      timeoutMs: proxy.stratum.timeout,
      maxConn: proxy.stratum.maxConn,
    },
    blockRefreshIntervalMs: proxy.blockRefreshInterval,
    stateUpdateIntervalMs: proxy.stateUpdateInterval,
    difficulty: proxy.difficulty,
    niceHashMinDifficulty: proxy.niceHashMinDiff,
    askedDifficulty: { min, max },
    ...(proxy.notifyListen === undefined ? {} : { notifyListen: proxy.notifyListen }),
    soloByLogin: proxy.soloByLogin,
    healthCheck: proxy.healthCheck,
    maxFails: proxy.maxFails,
    hashrateExpirationMs: proxy.hashrateExpiration,
    loginTimeoutMs: proxy.loginTimeout,
    maxWorkers: proxy.maxWorkers,
    policy: buildPolicy(raw, found),
  };
}

function buildPolicy(raw: RawConfig, found: Findings): PolicyConfig {
  const { policy } = raw.proxy;
  const firewall = buildFirewall(raw, found);
  return {
    workers: policy.workers,
    resetIntervalMs: policy.resetInterval,
    refreshIntervalMs: policy.refreshInterval,
    banning: {
      enabled: policy.banning.enabled,
      timeoutMs: policy.banning.timeout * 1000,
      invalidPercent: policy.banning.invalidPercent,
      checkThreshold: policy.banning.checkThreshold,
      malformedLimit: policy.banning.malformedLimit,
      ...(firewall === undefined ? {} : { firewall }),
    },
    limits: {
      enabled: policy.limits.enabled,
      limit: policy.limits.limit,
      graceMs: policy.limits.grace,
      limitJump: policy.limits.limitJump,
      perAddress: policy.limits.perAddress,
      sharesPerSecond: policy.limits.sharesPerSecond,
    },
  };
}

function buildFirewall(raw: RawConfig, found: Findings): FirewallConfig | undefined {
  const { enabled, ipset = "", nftables } = raw.proxy.policy.banning;
  if (nftables === undefined) return ipset === "" ? undefined : { kind: "ipset", set: ipset };
  if (enabled && ipset !== "") {
    const message = "does nothing beside nftables, which is filled in its place";
    warn(found, "proxy.policy.banning.ipset", message);
  }
  return { kind: "nftables", ...nftables };
}

function trustedProxies(raw: RawConfig, found: Findings): readonly string[] {
  const { behindReverseProxy, trustedProxies, proxyProtocol } = raw.proxy;
  const i = raw.stratumPorts.findIndex((port) => port.proxyProtocol);
  const [reader, what] = behindReverseProxy
    ? ["proxy.behindReverseProxy", "X-Forwarded-For is"]
    : proxyProtocol
    ? ["proxy.proxyProtocol", "PROXY headers are"]
    : [`stratumPorts.${i}.proxyProtocol`, "PROXY headers are"];
  if (!behindReverseProxy && !proxyProtocol && i === -1) {
    if (trustedProxies !== undefined && trustedProxies.length > 0) {
      const message = "does nothing while proxy.behindReverseProxy and proxyProtocol are false";
      warn(found, "proxy.trustedProxies", message);
    }
    return [];
  }
  if (trustedProxies !== undefined) return trustedProxies;
  const message = `is true without proxy.trustedProxies: ${what} believed from loopback and ` +
    "private addresses only";
  warn(found, reader, message);
  return NEARBY;
}

/** The nodes in order of preference, each with a name of its own. */
export function buildUpstreams(raw: RawConfig, found: Findings): UpstreamConfig[] {
  if (raw.upstream.length === 0 && mines(raw)) {
    refuse(found, "upstream", "is empty", "name at least one node, or close every door for miners");
  }
  const names = new Set<string>();
  return raw.upstream.map(({ name, url, timeout, ws, notifyFrom = notifyRanges(url) }, i) => {
    const chosen = name ?? (i === 0 ? "main" : i === 1 ? "backup" : `backup${i}`);
    const path = `upstream.${i}.name`;
    checkName(path, chosen, found);
    if (names.has(chosen)) {
      refuse(found, path, `is taken, current value is "${chosen}"`, "give each node its own name");
    }
    names.add(chosen);
    if (raw.proxy.notifyListen !== undefined && notifyFrom.length === 0) {
      const message = "is empty: work that this node pushes to proxy.notifyListen is not believed";
      warn(found, `upstream.${i}.notifyFrom`, message);
    }
    const own = { name: chosen, url, timeoutMs: timeout, notifyFrom };
    return ws === undefined ? own : { ...own, ws };
  });
}
