/** The stratum ports: the first from `proxy`, the others from `stratumPorts`, and who pushes work. */
import ipaddr from "ipaddr.js";
import { type Findings, refuse, warn } from "./findings.ts";
import type { ListenAddress } from "./scalars.ts";
import type { RawConfig } from "./schema.ts";
import type { RawVarDiff } from "./schema_proxy.ts";
import type { StratumPortConfig, TlsConfig, VarDiffConfig } from "./types.ts";

/** Bounds of variable difficulty that is given none (hashes). */
const MIN_DIFF = 100_000_000n;
const MAX_DIFF = 1_000_000_000_000_000n;
/** What `varDiff: true` means, apart from its bounds. */
const VAR_DIFF = { enabled: true, targetTime: 15_000, variancePercent: 30, maxJump: 50 };

/** Whether `proxy.stratum.listen` is open: `proxy.enabled` closes it, as it always did. */
export function firstPortOpen({ proxy }: RawConfig): boolean {
  return proxy.enabled && proxy.stratum.enabled;
}

/** Whether any door for miners is open. */
export function mines(raw: RawConfig): boolean {
  return raw.proxy.enabled || raw.stratumPorts.length > 0;
}

/** Every stratum port of the file, complete. */
export function buildPorts(
  raw: RawConfig,
  path: (name: string) => string,
  found: Findings,
): StratumPortConfig[] {
  const { proxy } = raw;
  const ports: StratumPortConfig[] = [];
  const tlsOf = (tls: TlsConfig | undefined) =>
    tls === undefined ? {} : { tls: { ...tls, cert: path(tls.cert), key: path(tls.key) } };
  if (firstPortOpen(raw)) {
    ports.push({
      ...{ listen: proxy.stratum.listen, difficulty: proxy.difficulty, scheme: raw.scheme },
      ...buildVarDiff(proxy.varDiff, "proxy", proxy.difficulty, found),
      ...tlsOf(proxy.tls),
      proxyProtocol: proxy.proxyProtocol,
    });
  } else if (proxy.tls !== undefined || proxy.proxyProtocol) {
    const key = proxy.tls === undefined ? "proxy.proxyProtocol" : "proxy.tls";
    warn(found, key, "does nothing while proxy.stratum.listen is closed");
  }
  for (const [i, port] of raw.stratumPorts.entries()) {
    const difficulty = port.difficulty ?? proxy.difficulty;
    if (port.scheme !== undefined && port.scheme !== raw.scheme) {
      const message = `is not the pool's scheme, which is "${raw.scheme}": only EthereumStratum ` +
        "miners are served there, whose nonces belong to their session";
      warn(found, `stratumPorts.${i}.scheme`, message);
    }
    ports.push({
      ...{ listen: port.listen, difficulty, scheme: port.scheme ?? raw.scheme },
      ...buildVarDiff(port.varDiff ?? proxy.varDiff, `stratumPorts.${i}`, difficulty, found),
      ...tlsOf(port.tls),
      proxyProtocol: port.proxyProtocol,
    });
  }
  return ports;
}

function buildVarDiff(
  raw: RawVarDiff,
  where: string,
  difficulty: bigint,
  found: Findings,
): { varDiff?: VarDiffConfig } {
  if (raw === undefined || raw === false) return {};
  const rows: Exclude<RawVarDiff, undefined | boolean> = raw === true ? VAR_DIFF : raw;
  if (!rows.enabled) return {};
  const minDiff = rows.minDiff ?? min(MIN_DIFF, difficulty, rows.maxDiff ?? difficulty);
  const maxDiff = rows.maxDiff ?? max(MAX_DIFF, difficulty, minDiff);
  if (minDiff > maxDiff) {
    const problem = `is above maxDiff, which is ${maxDiff}, current value is ${minDiff}`;
    refuse(found, `${where}.varDiff.minDiff`, problem, "let it be the smaller one");
  } else if (difficulty < minDiff || difficulty > maxDiff) {
    const problem = `is ${difficulty}, outside the bounds of varDiff, ${minDiff} to ${maxDiff}`;
    refuse(found, `${where}.difficulty`, problem, "choose one between them");
  }
  const { targetTime: targetTimeMs, variancePercent, maxJump } = rows;
  return { varDiff: { targetTimeMs, minDiff, maxDiff, variancePercent, maxJump } };
}

function min(...values: bigint[]): bigint {
  return values.reduce((least, value) => value < least ? value : least);
}

function max(...values: bigint[]): bigint {
  return values.reduce((most, value) => value > most ? value : most);
}

/** Refuses two open doors on one port. */
export function checkPorts(raw: RawConfig, found: Findings): void {
  const open: [string, ListenAddress][] = [];
  const { proxy } = raw;
  if (proxy.enabled) open.push(["proxy.listen", proxy.listen]);
  if (firstPortOpen(raw)) open.push(["proxy.stratum.listen", proxy.stratum.listen]);
  for (const [i, { listen }] of raw.stratumPorts.entries()) {
    open.push([`stratumPorts.${i}.listen`, listen]);
  }
  if (mines(raw) && proxy.notifyListen !== undefined) {
    open.push(["proxy.notifyListen", proxy.notifyListen]);
  }
  if (raw.api.enabled) open.push(["api.listen", raw.api.listen]);
  if (raw.health.listen !== undefined) open.push(["health.listen", raw.health.listen]);
  if (raw.metrics.listen !== undefined) open.push(["metrics.listen", raw.metrics.listen]);
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

/** The ranges from which a node at this URL pushes work, when none are named. */
export function notifyRanges(url: string): string[] {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
  if (host === "localhost") return ["127.0.0.0/8", "::1/128"];
  if (!ipaddr.isValid(host)) return [];
  return [`${host}/${ipaddr.parse(host).kind() === "ipv4" ? 32 : 128}`];
}
