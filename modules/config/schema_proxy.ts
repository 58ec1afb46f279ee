/** The rows of `proxy` and of `stratumPorts`: doors for miners, limits and bans. */
import { z } from "zod";
import { count, flag, pause, port } from "./rows.ts";
import { addressRange, firewallSet, hashes, listen, nftablesSet, span } from "./scalars.ts";

/** Ways to share a block's reward. */
export const SCHEMES = ["prop", "pplns", "solo"] as const;

const varDiffRows = z.object({
  enabled: flag(true, "false: difficulty stays as it is at first"),
  targetTime: span.prefault("15s")
    .describe("time between two shares of a session: a duration, or a number of seconds"),
  minDiff: hashes.optional()
    .describe("least difficulty, in hashes; default 100000000, or the port's if that is less"),
  maxDiff: hashes.optional()
    .describe("greatest difficulty, in hashes; default 10^15, or the port's if that is more"),
  variancePercent: z.number().min(0).max(99).default(30)
    .describe("percent by which targetTime may be missed before the difficulty changes"),
  maxJump: z.number().min(1).max(10_000).default(50)
    .describe("percent by which one change may raise the difficulty, or lower it back"),
});

const varDiff = z.union([varDiffRows, z.boolean()]).optional();

/** `varDiff` after its rows were applied. */
export type RawVarDiff = z.output<typeof varDiff>;

const tls = z.object({
  cert: z.string().min(1).describe("PEM file with the certificate and its chain"),
  key: z.string().min(1).describe("PEM file with the certificate's private key"),
  only: flag(false, "refuse plain text; false: the port tells TLS and plain text apart"),
});

const PROXY_PROTOCOL = "PROXY v1 and v2 headers of proxy.trustedProxies say the miner's address";

const stratum = z.object({
  enabled: flag(true, "stratum endpoint"),
  listen: port("0.0.0.0:8008", "address of stratum"),
  timeout: pause("120s", "silence after which a connection is closed"),
  maxConn: count(8192, "connections held at once", 1, 1_000_000),
});

/** One further stratum port. */
export const stratumPort = z.object({
  listen: listen.describe("address of this port"),
  difficulty: hashes.optional()
    .describe("share difficulty at first, in hashes; default proxy.difficulty"),
  varDiff: varDiff.describe(
    "as proxy.varDiff, which is the default; an object stands for itself, false: fixed difficulty",
  ),
  scheme: z.enum(SCHEMES).optional()
    .describe("how rewards are shared of blocks that this port's miners find; default scheme"),
  tls: tls.optional().describe("TLS on this port"),
  proxyProtocol: flag(false, PROXY_PROTOCOL),
});

const policy = z.object({
  workers: count(8, "firewall commands in flight", 1, 1_000),
  resetInterval: pause("60m", "sweep of idle and expired policy entries"),
  refreshInterval: pause("1m", "reload of the black and white lists from Redis"),
  banning: z.object({
    enabled: flag(false, "ban misbehaving clients"),
    ipset: firewallSet.optional().describe(
      "ipset set for banned IPv4 addresses, its name with a 6 behind for IPv6; none: bans happen " +
        "inside the pool alone",
    ),
    nftables: nftablesSet.optional().describe(
      'nftables set in place of ipset, as "family table set" ("inet quarry banned"); in inet its ' +
        "name with a 6 behind for IPv6",
    ),
    timeout: count(1800, "seconds of a ban", 1, 31_536_000),
    invalidPercent: z.number().min(0).max(100).default(30)
      .describe("percent of invalid shares of all shares that bans"),
    checkThreshold: count(30, "shares between two checks", 1),
    malformedLimit: count(
      5,
      "malformed requests that ban; forgotten when none comes for resetInterval",
      1,
    ),
  }).prefault({}),
  limits: z.object({
    enabled: flag(false, "connection rate limit"),
    limit: count(30, "connections allowed at first, and earned back within resetInterval", 1),
    grace: pause("5m", "time after start without the limit"),
    limitJump: count(10, "connections added per valid share"),
    perAddress: count(
      0,
      "connections held at once by an IPv4 address or IPv6 /64 of one mining process; 0: no cap",
    ),
    sharesPerSecond: z.number().min(0).max(1_000_000).default(0)
      .describe("submissions a second that a session may keep up; 0: no limit"),
  }).prefault({}),
});

/** Doors for miners. */
export const proxy = z.object({
  enabled: flag(true, "HTTP getwork endpoint; false closes proxy.stratum too"),
  listen: port("0.0.0.0:8888", "address of HTTP getwork"),
  limitHeadersSize: count(1024, "bytes of HTTP headers accepted from miners", 128, 1_048_576),
  limitBodySize: count(256, "bytes of HTTP body accepted from miners", 128, 1_048_576),
  behindReverseProxy: flag(false, "take the miner's IP from X-Forwarded-For of trustedProxies"),
  trustedProxies: z.array(addressRange).optional()
    .describe("addresses and CIDR ranges of the reverse proxies; default loopback and private"),
  stratum: stratum.prefault({}),
  tls: tls.optional().describe("TLS on the first stratum port"),
  proxyProtocol: flag(false, `on the first stratum port: ${PROXY_PROTOCOL}`),
  notifyListen: listen.optional()
    .describe("address where nodes push new work (geth's --miner.notify); default none"),
  blockRefreshInterval: pause("120ms", "how often nodes are asked for new work"),
  stateUpdateInterval: pause("3s", "how often node height and difficulty go to Redis"),
  difficulty: hashes.prefault(2_000_000_000).describe("share difficulty, in hashes"),
  varDiff: varDiff.describe(
    "variable difficulty; an object or true switches it on, on every port without its own",
  ),
  fixedDiff: z.object({
    min: hashes.prefault(1_000_000).describe("least difficulty a miner may ask for with d="),
    max: hashes.prefault(1_000_000_000_000_000)
      .describe("greatest difficulty a miner may ask for with d="),
  }).prefault({}),
  niceHashMinDiff: hashes.prefault(4_000_000_000)
    .describe("least difficulty of NiceHash sessions, in hashes (0.93 in its own unit)"),
  soloByLogin: flag(true, "whether logins solo:0xADDRESS and passwords m=solo mine solo"),
  healthCheck: flag(true, "serve no work while Redis is away, so that miners fail over"),
  maxFails: count(
    100,
    "state reports that Redis did not take, in a row, after which the pool is not ready",
  ),
  hashrateExpiration: pause("3h", "life of worker statistics"),
  loginTimeout: pause("30s", "time a connection has to log in"),
  maxWorkers: count(1024, "worker names kept per miner", 1, 100_000),
  policy: policy.prefault({}),
});
