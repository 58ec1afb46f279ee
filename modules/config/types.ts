/** The configuration as the rooms receive it: frozen, converted once, every number with its unit. */
import type { LogLevel } from "../base/mod.ts";
import type { ListenAddress, NftablesSet } from "./scalars.ts";
import type { NETWORK_NAMES } from "./schema.ts";
import type { SCHEMES } from "./schema_proxy.ts";
import type { RedisConfig } from "./types_redis.ts";

export type { RedisConfig } from "./types_redis.ts";

/** A chain of the chain room's table. */
export type NetworkName = typeof NETWORK_NAMES[number];

/** A private chain, described in the file. */
export interface PrivateNetwork {
  /** Chain id the nodes must report. */
  readonly chainId: number;
  /** Shown on the page. */
  readonly name: string;
  /** Whether its coins are worth nothing, as the page then says. */
  readonly testnet: boolean;
  readonly algorithm: "ethash" | "etchash" | "ubqhash" | "frkhash";
  /** Height (blocks) from which etchash epochs last 60,000 blocks (ECIP-1099). */
  readonly ecip1099Height?: number;
  /** Height from which ubqhash caches are BLAKE2b; a multiple of 30,000. */
  readonly uip1Height?: number;
  /** In ascending order of height, the first at 0. */
  readonly rewards: readonly { readonly fromHeight: number; readonly rewardWei: bigint }[];
  readonly uncleRule: "ethereum" | "classic" | "ubiq" | "none";
  readonly baseFee: "none" | "burn" | "redirect" | "split";
  readonly baseFeeFromHeight?: number;
  /** Thousandths of the base fee for the block's miner, when it is split. */
  readonly baseFeeMinerPermille?: number;
}

/** The configuration of one process. */
export interface Config {
  /** Stratum Deno workers that share the ports. */
  readonly threads: number;
  /** Prefix of every Redis key. */
  readonly coin: string;
  /** Unique name of this instance; has no ":". */
  readonly name: string;
  /** A known chain, a private one, or undefined: by the node's chain id. */
  readonly network?: NetworkName | PrivateNetwork;
  /** Lower-case addresses that receive block rewards; empty: eth_coinbase of the upstreams. */
  readonly coinbases: readonly string[];
  /** Absolute path of the journals' folder. */
  readonly dataDir: string;
  readonly log: { readonly level: LogLevel };
  /** Where load balancers ask, beside the API; undefined: nowhere. */
  readonly health: { readonly listen?: ListenAddress };
  /** Where Prometheus reads; undefined: nowhere. */
  readonly metrics: { readonly listen?: ListenAddress };
  /** Native verifier; `threads` undefined: one per core. */
  readonly verifier: {
    readonly threads?: number;
    /** Full dataset: none, in memory, or in files below `dir`. */
    readonly dag: "off" | "memory" | "file";
    /** Absolute path of the dataset files' folder. */
    readonly dir: string;
    /** What all datasets may take (bytes); undefined: no limit. */
    readonly memoryLimitBytes?: number;
  };
  /**
   * Who else hands out extranonces: "single", two bytes, this instance is alone; "leased", three
   * bytes, the first of which tells instances apart.
   */
  readonly extranonce: "single" | "leased";
  /** First byte of leased extranonces (0 to 255); undefined: leased from Redis. */
  readonly instance?: number;
  /** Of HTTP getwork; stratum ports have their own. */
  readonly scheme: Scheme;
  readonly pplns: {
    /** Shares that are paid, in thousandths of the network's difficulty. */
    readonly windowMilli: bigint;
  };
  readonly proxy: ProxyConfig;
  readonly api: ApiConfig;
  /** Pause between health checks of the nodes (milliseconds). */
  readonly upstreamCheckIntervalMs: number;
  /** Nodes in order of preference; names are unique and have no ":". */
  readonly upstreams: readonly UpstreamConfig[];
  readonly redis: RedisConfig;
  /** Undefined: nobody is told anything. */
  readonly alerts?: AlertsConfig;
  readonly unlocker: UnlockerConfig;
  readonly payouts: PayoutsConfig;
}

/** How rewards are shared: by round, over the last shares, or the finder alone. */
export type Scheme = typeof SCHEMES[number];

/** Variable difficulty; names are open-etc-pool-friends'. */
export interface VarDiffConfig {
  /** Time between two shares of a session (milliseconds). */
  readonly targetTimeMs: number;
  /** Least difficulty (hashes). */
  readonly minDiff: bigint;
  /** Greatest difficulty (hashes), not less than `minDiff`. */
  readonly maxDiff: bigint;
  /** Percent by which `targetTimeMs` may be missed without a change. */
  readonly variancePercent: number;
  /** Largest change (percent): at most × (1 + maxJump / 100), at least ÷ the same. */
  readonly maxJump: number;
}

/** TLS of a port; paths are absolute, files are PEM. */
export interface TlsConfig {
  readonly cert: string;
  readonly key: string;
  /** Whether plain text is refused on this port. */
  readonly only: boolean;
}

/** A stratum port and what holds for its sessions. */
export interface StratumPortConfig {
  readonly listen: ListenAddress;
  /** Share difficulty at first (hashes), within the bounds of `varDiff`. */
  readonly difficulty: bigint;
  /** Undefined: the difficulty is fixed. */
  readonly varDiff?: VarDiffConfig;
  readonly scheme: Scheme;
  /** Undefined: plain text alone. */
  readonly tls?: TlsConfig;
  /** Whether PROXY v1 and v2 headers from `proxy.trustedProxies` are read. */
  readonly proxyProtocol: boolean;
}

/** Doors for miners and what they enforce. */
export interface ProxyConfig {
  /** HTTP getwork endpoint. */
  readonly enabled: boolean;
  readonly listen: ListenAddress;
  /** HTTP headers accepted from a miner (bytes). */
  readonly limitHeadersBytes: number;
  /** HTTP body accepted from a miner (bytes). */
  readonly limitBodyBytes: number;
  /** Whether X-Forwarded-For is read, and only from `trustedProxies`. */
  readonly behindReverseProxy: boolean;
  /** CIDR ranges; empty unless `behindReverseProxy` or a port's `proxyProtocol`. */
  readonly trustedProxies: readonly string[];
  readonly stratum: {
    /** Whether there is any port. */
    readonly enabled: boolean;
    /** `proxy.stratum.listen` first, unless it is closed, then `stratumPorts`. */
    readonly ports: readonly StratumPortConfig[];
    /** Silence after which a connection is closed (milliseconds). */
    readonly timeoutMs: number;
    /** Connections held at once. */
    readonly maxConn: number;
  };
  /** Pause between questions for new work (milliseconds). */
  readonly blockRefreshIntervalMs: number;
  /** Pause between reports of the node's state to Redis (milliseconds). */
  readonly stateUpdateIntervalMs: number;
  /** Share difficulty of HTTP getwork (hashes). */
  readonly difficulty: bigint;
  /** Least difficulty of a session from NiceHash (hashes). */
  readonly niceHashMinDifficulty: bigint;
  /** Bounds of the difficulty that a miner may ask for by password (hashes). */
  readonly askedDifficulty: { readonly min: bigint; readonly max: bigint };
  /** Whether a miner may ask for solo mining by login or password. */
  readonly soloByLogin: boolean;
  /** Where nodes push new work; undefined: nowhere. */
  readonly notifyListen?: ListenAddress;
  /** Whether no work is served while Redis is away. */
  readonly healthCheck: boolean;
  /** Redis failures after which the pool is sick. */
  readonly maxFails: number;
  /** Life of worker statistics (milliseconds). */
  readonly hashrateExpirationMs: number;
  /** Time a connection has to log in (milliseconds). */
  readonly loginTimeoutMs: number;
  /** Worker names kept per miner. */
  readonly maxWorkers: number;
  readonly policy: PolicyConfig;
}

/** The firewall's set that receives banned addresses; names as its command takes them. */
export type FirewallConfig =
  | { readonly kind: "ipset"; readonly set: string }
  | { readonly kind: "nftables" } & Readonly<NftablesSet>;

/** Bans and connection limits. */
export interface PolicyConfig {
  /** Firewall commands in flight. */
  readonly workers: number;
  /** Pause between sweeps of idle entries (milliseconds). */
  readonly resetIntervalMs: number;
  /** Pause between reloads of the lists (milliseconds). */
  readonly refreshIntervalMs: number;
  readonly banning: {
    readonly enabled: boolean;
    /** Length of a ban (milliseconds). */
    readonly timeoutMs: number;
    /** Percent of invalid shares of all shares, 0 to 100. */
    readonly invalidPercent: number;
    /** Shares between two checks. */
    readonly checkThreshold: number;
    /** Malformed requests that ban. */
    readonly malformedLimit: number;
    /** Undefined: bans happen inside the pool alone. */
    readonly firewall?: FirewallConfig;
  };
  readonly limits: {
    readonly enabled: boolean;
    /** Connections allowed at first. */
    readonly limit: number;
    /** Time after start without the limit (milliseconds). */
    readonly graceMs: number;
    /** Connections added per valid share. */
    readonly limitJump: number;
    /** Connections held at once by an IPv4 address or IPv6 /64; 0: no cap. */
    readonly perAddress: number;
    /** Submissions a second that a session may keep up; 0: no limit. */
    readonly sharesPerSecond: number;
  };
}

/** The JSON API and the page. */
export interface ApiConfig {
  readonly enabled: boolean;
  readonly listen: ListenAddress;
  /** Pause between collections (milliseconds). */
  readonly statsCollectIntervalMs: number;
  /** Pause between purges (milliseconds). */
  readonly purgeIntervalMs: number;
  /** Short hashrate window (milliseconds). */
  readonly hashrateWindowMs: number;
  /** Long hashrate window (milliseconds), not shorter than the short one. */
  readonly hashrateLargeWindowMs: number;
  /** Windows of the luck table (blocks), ascending. */
  readonly luckWindow: readonly number[];
  /** Time between two changes of a miner's settings (milliseconds). */
  readonly settingsCooldownMs: number;
  /** Payments shown. */
  readonly payments: number;
  /** Blocks shown. */
  readonly blocks: number;
  /** Origins whose pages may ask `/api/v2`; "*" for all. */
  readonly cors: readonly string[];
  /** Requests a minute to `/api/v2` from one address; 0: no limit. */
  readonly rateLimit: number;
  /** Shown to miners; empty: the network's name. */
  readonly poolName: string;
  /** Host that miners connect to; empty: the one that the page was asked by. */
  readonly publicHost: string;
  /** Places that miners connect to in place of `publicHost`; empty: there is one. */
  readonly regions: readonly Region[];
  /** Shown above the page; empty: nothing. */
  readonly notice: string;
  /** Colours of links and buttons (#rrggbb); undefined: the page's own. */
  readonly accent?: { readonly light: string; readonly dark: string };
  /** Absolute path of the operator's SVG; undefined: the page's own. */
  readonly logo?: string;
  readonly purgeOnly: boolean;
  /** Absolute path of the operator's unix socket, also without an API; undefined: none. */
  readonly adminSocket?: string;
  /** Absolute path of the page's folder; undefined: the page is not served. */
  readonly static?: string;
}

/** A place of the pool, with the ports of this one. */
export interface Region {
  readonly name: string;
  readonly host: string;
  /** URL that browsers measure the latency by. */
  readonly ping?: string;
}

/** One node. */
export interface UpstreamConfig {
  readonly name: string;
  readonly url: string;
  /** Longest wait for an answer (milliseconds). */
  readonly timeoutMs: number;
  /** WebSocket URL; undefined: none. */
  readonly ws?: string;
  /** CIDR ranges from which its pushed work is believed. */
  readonly notifyFrom: readonly string[];
}

/** The block unlocker. */
export interface UnlockerConfig {
  readonly enabled: boolean;
  /** Millionths of a percent: 1 percent is 1_000_000n, the whole is WHOLE_IN_MILLIONTHS. */
  readonly poolFeeMillionths: bigint;
  /** Lower-case address, or empty: the fee stays on the coinbase address. */
  readonly poolFeeAddress: string;
  /** Blocks until matured. */
  readonly depth: number;
  /** Blocks until credited as immature; less than `depth`. */
  readonly immatureDepth: number;
  /** Whether transaction fees go to the pool. */
  readonly keepTxFees: boolean;
  /** What becomes of the shares of an orphaned "prop" round. */
  readonly orphanedShares: "return" | "drop";
  /** URL of a second node that must agree on orphans. */
  readonly confirmWith?: string;
  /** Whether each reward is compared with the change of the coinbase's balance. */
  readonly crossCheck: boolean;
  /** Pause between runs (milliseconds). */
  readonly intervalMs: number;
  /** URL of the node asked about blocks. */
  readonly daemon: string;
  /** Longest wait for an answer (milliseconds). */
  readonly timeoutMs: number;
}

/** Where the paying key is; opened by the payer's worker alone. Paths are absolute. */
export type SignerConfig =
  | { readonly kind: "keystore"; readonly file: string; readonly passphrase: SecretSource }
  | { readonly kind: "key"; readonly key: SecretSource }
  /** A signer of its own, over JSON-RPC. */
  | { readonly kind: "remote"; readonly url: string }
  /** The account that the node of `daemon` has unlocked. */
  | { readonly kind: "node" };

/** Where a secret of the signer is; a credential is a file in systemd's $CREDENTIALS_DIRECTORY. */
export type SecretSource =
  | { readonly file: string }
  | { readonly variable: string }
  | { readonly credential: string };

/** Payments. */
export interface PayoutsConfig {
  readonly enabled: boolean;
  /** Peers the node must have. */
  readonly requirePeers: number;
  /** Pause between runs (milliseconds). */
  readonly intervalMs: number;
  /** URL of the node that carries payments. */
  readonly daemon: string;
  /** Longest wait for an answer (milliseconds). */
  readonly timeoutMs: number;
  /** Lower-case paying address; empty only when payouts are disabled. */
  readonly address: string;
  /** Defined when payouts are enabled. */
  readonly signer?: SignerConfig;
  /** Whether gas and price come from the node. */
  readonly autoGas: boolean;
  /** Gas of a payment when `autoGas` is false. */
  readonly gas: bigint;
  /** Wei per gas when `autoGas` is false. */
  readonly gasPriceWei: bigint;
  /** Wei per gas that is never exceeded. */
  readonly maxFeeWei: bigint;
  /** A balance is paid when it is at least this. */
  readonly thresholdShannon: bigint;
  /** Stays in the wallet. */
  readonly reserveShannon: bigint;
  /** Blocks until a payment is final. */
  readonly confirmations: number;
  /** Several payments in one transaction; undefined: each has its own. */
  readonly batch?: {
    /** Lower-case address of the Multisend contract. */
    readonly contract: string;
    /** Payments in one transaction at most. */
    readonly size: number;
  };
  /** Payments that may wait for a receipt at once. */
  readonly inFlight: number;
  /** More gas than this is not spent on one payment. */
  readonly gasLimit: bigint;
  /** Who bears the gas; "miner": it is taken from the amount. */
  readonly feePaidBy: "pool" | "miner";
  /** Paid within 24 hours at most; undefined: no limit. */
  readonly dailyCapShannon?: bigint;
  /** Least threshold that a miner may set. */
  readonly minThresholdShannon: bigint;
  /** A payment without a receipt for so long is sent for a higher fee; undefined: never. */
  readonly bumpAfterMs?: number;
  /** Whether BGSAVE follows a successful run. */
  readonly bgsave: boolean;
}

/** Messages to the operator and to miners; secrets are resolved. */
export interface AlertsConfig {
  readonly webhook?: { readonly url: string; readonly secret?: string };
  readonly telegram?: { readonly token: string; readonly chat: string; readonly api: string };
  readonly smtp?: {
    readonly host: string;
    readonly port: number;
    /** TLS from the first byte. */
    readonly secure: boolean;
    readonly user?: string;
    readonly password?: string;
    readonly from: string;
    /** The operator. */
    readonly to?: string;
  };
  /** Whether the operator hears of payments and workers too. */
  readonly all: boolean;
  /** Whether miners may have https addresses of their own posted to. */
  readonly minerWebhooks: boolean;
  /** Silence of a worker after which its miner is told (milliseconds). */
  readonly silentAfterMs: number;
  /** Pause between two looks (milliseconds). */
  readonly intervalMs: number;
}
