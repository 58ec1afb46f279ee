/** The network addresses that parts of the configuration name, as Deno's rights spell them. */
import type { AlertsConfig, Config, RedisConfig } from "../config/mod.ts";

/** Addresses that may be used; "any" where they are known only at run time. */
export type Net = "any" | string[];

/** What a listening address, a URL or "host:port" is in a right; undefined for anything else. */
export function netRight(address: string): string | undefined {
  const url = /^(https?|wss?|rediss?):\/\//i.exec(address);
  if (url !== null) {
    const { hostname, port, protocol } = new URL(address);
    return `${hostname}:${port || defaultPort(protocol)}`;
  }
  if (address.startsWith("/")) return `unix:${address}`;
  return /^(\[[\da-f:.]+\]|[\w.-]+):\d{1,5}$/i.test(address) ? address : undefined;
}

/** Both sides together. */
export function both(...nets: Net[]): Net {
  if (nets.includes("any")) return "any";
  return [...new Set(nets.flat())];
}

/** Redis itself; Sentinel and Cluster name further machines at run time. */
export function redisNet(redis: RedisConfig): Net {
  const discovering = redis.sentinel !== undefined || redis.cluster !== undefined;
  return discovering ? "any" : both(addressesIn(redis), namedBy(redis.endpoint));
}

/** The nodes that are mined on and watched. */
export function nodesNet({ upstreams, unlocker, payouts }: Config): Net {
  const money = [unlocker, payouts].filter(({ enabled }) => enabled);
  // Without upstreams the chain is looked up at the daemons, enabled or not.
  const asked = upstreams.length > 0 ? money : [unlocker, payouts];
  return both(
    addressesIn(upstreams.map(({ url, ws }) => [url, ws])),
    addressesIn(asked.map(({ daemon }) => daemon)),
  );
}

/** Those who are told; miners may name any https address when that is allowed. */
export function alertsNet(alerts: AlertsConfig | undefined): Net {
  if (alerts === undefined) return [];
  if (alerts.minerWebhooks) return "any";
  const { smtp } = alerts;
  return both(addressesIn(alerts), smtp === undefined ? [] : [`${smtp.host}:${smtp.port}`]);
}

/** Every address among the values of a part of the configuration, however deep. */
export function addressesIn(part: unknown): string[] {
  const found = new Set<string>();
  visit(part, (value) => {
    if (typeof value === "string") {
      const right = netRight(value);
      if (right !== undefined && !(value.startsWith("/") && !value.endsWith(".sock"))) {
        found.add(right);
      }
    } else if (isListenAddress(value)) {
      const { hostname, port } = value;
      found.add(hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`);
    }
  });
  return [...found];
}

/** Every absolute path among the values of a part of the configuration, however deep. */
export function pathsIn(part: unknown): string[] {
  const found = new Set<string>();
  visit(part, (value) => {
    if (typeof value === "string" && value.startsWith("/")) found.add(value);
  });
  return [...found];
}

function visit(value: unknown, look: (value: unknown) => void): void {
  look(value);
  if (value === null || typeof value !== "object") return;
  for (const inner of Object.values(value)) visit(inner, look);
}

function isListenAddress(value: unknown): value is { hostname: string; port: number } {
  return value !== null && typeof value === "object" && "hostname" in value && "port" in value &&
    typeof value.hostname === "string" && typeof value.port === "number";
}

function namedBy(endpoint: string): string[] {
  const right = netRight(endpoint);
  return right === undefined ? [] : [right];
}

function defaultPort(protocol: string): number {
  if (protocol.startsWith("redis")) return 6379;
  return protocol === "https:" || protocol === "wss:" ? 443 : 80;
}
