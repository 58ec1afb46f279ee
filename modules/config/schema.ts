/**
 * The rows of the configuration file: every key, its type, its default and what it means.
 *
 * Keys and nesting are open-ethereum-pool's; new ones stand beside them. The descriptions go into
 * the JSON schema for editors and into config/README.md.
 */
import { z } from "zod";
import { count, filePath, flag, pause, port } from "./rows.ts";
import {
  address,
  addressRange,
  bytes,
  coins,
  duration,
  listen,
  multiple,
  nodeUrl,
  optionalAddress,
  payingAddress,
  percent,
  quantityText,
  shannon,
  webSocketUrl,
} from "./scalars.ts";
import { proxy, SCHEMES, stratumPort } from "./schema_proxy.ts";
import { redis, secret } from "./schema_redis.ts";

/** Networks that `network` may name; the rules are in the chain room's table. */
export const NETWORK_NAMES = [
  ...["expanse", "classic", "mordor", "ethereum", "ethereumpow"] as const,
  ...["octaspace", "ubiq", "callisto", "etica"] as const,
] as const;

const privateNetwork = z.object({
  chainId: z.int().min(1).describe("chain id the nodes must report"),
  name: z.string().min(1).default("private").describe("shown on the page"),
  testnet: z.boolean().default(false).describe("whether the page says that this is a test network"),
  algorithm: z.enum(["ethash", "etchash", "ubqhash", "frkhash"]).default("ethash")
    .describe("proof of work"),
  ecip1099Height: z.int().min(0).optional()
    .describe("height from which etchash epochs last 60,000 blocks; required for etchash"),
  uip1Height: z.int().min(0).optional()
    .describe("height from which ubqhash caches are BLAKE2b, a multiple of 30,000"),
  rewards: z.array(z.object({
    fromHeight: z.int().min(0).describe("first height with this reward"),
    reward: coins.describe("block reward in coins, decimal text"),
  })).min(1).describe("block rewards in order of height"),
  uncleRule: z.enum(["ethereum", "classic", "ubiq", "none"]).default("ethereum")
    .describe("how uncles are rewarded"),
  baseFee: z.enum(["none", "burn", "redirect", "split"]).default("none")
    .describe("where the base fee goes"),
  baseFeeFromHeight: z.int().min(0).optional()
    .describe("first height with a base fee; default 0 when there is one"),
  baseFeeMinerPermille: z.int().min(0).max(1000).optional()
    .describe("thousandths of the base fee that the block's miner gets; for split"),
  depth: z.int().min(1).optional().describe("default of unlocker.depth on this chain"),
  immatureDepth: z.int().min(1).optional()
    .describe("default of unlocker.immatureDepth on this chain"),
});

const color = z.string().regex(/^#[0-9a-fA-F]{6}$/, "write # and six hexadecimal digits");

const api = z.object({
  enabled: flag(true, "JSON API for the page"),
  listen: port("0.0.0.0:8080", "address of the API"),
  statsCollectInterval: pause("5s", "how often statistics are collected"),
  purgeInterval: pause("10m", "how often stale statistics are purged"),
  hashrateWindow: pause("30m", "fast hashrate estimate per miner"),
  hashrateLargeWindow: pause("3h", "long, precise hashrate"),
  luckWindow: z.array(z.int().min(1).max(100_000)).min(1).max(16).default([64, 128, 256])
    .describe("blocks over which luck is averaged"),
  settingsCooldown: pause("1h", "time between two changes of a miner's settings"),
  payments: count(50, "payments shown", 1, 10_000),
  blocks: count(50, "blocks shown", 1, 10_000),
  cors: z.array(
    z.string().regex(
      /^(\*|https?:\/\/[^/?#\s]+)$/,
      "write an origin such as https://pool.example, or *",
    ),
  )
    .max(64).default([])
    .describe(
      'origins whose pages may ask `/api/v2`; `"*"` for all; the old endpoints always allow all',
    ),
  rateLimit: count(
    600,
    "requests a minute to `/api/v2` from one address; 0: no limit",
    0,
    1_000_000,
  ),
  poolName: z.string().max(64).default("").describe("name shown to miners; default the network's"),
  publicHost: z.string().regex(/^[A-Za-z0-9.:-]*$/, "write a host name or an IP address").max(255)
    .default("").describe(
      "host that miners connect to; default the one that the page was asked by",
    ),
  regions: z.array(z.object({
    name: z.string().min(1).max(64).describe("name shown to miners"),
    host: z.string().regex(/^[A-Za-z0-9.:-]+$/, "write a host name or an IP address").max(255)
      .describe("host that miners connect to there, on the same ports"),
    ping: nodeUrl.optional()
      .describe("https URL there that browsers measure the latency by; default none"),
  })).max(32).default([]).describe("further places of the pool; default publicHost alone"),
  accent: color.optional()
    .describe("colour of links and buttons on the light page, with accentDark; none: blue"),
  accentDark: color.optional().describe("the same on the dark page"),
  logo: filePath("SVG shown beside the pool's name, 4 KiB at most; none: the page's own"),
  notice: z.string().max(500).default("").describe("one sentence shown above the page"),
  purgeOnly: flag(
    false,
    "no API here: statistics are collected and purged for one elsewhere that reads a replica",
  ),
  adminSocket: z.string().optional().describe(
    'unix socket of `quarry admin`; default dataDir/COIN-NAME.admin/admin.sock, `""`: none',
  ),
  static: filePath("folder of the web page to serve; none: the API alone"),
});

const upstream = z.object({
  name: z.string().min(1).max(64).optional().describe('name of the node; default "main", "backup"'),
  url: nodeUrl.describe("JSON-RPC address of the node"),
  timeout: pause("10s", "longest wait for an answer"),
  ws: webSocketUrl.optional()
    .describe("WebSocket address of the node (ws or wss), which then tells of new blocks"),
  notifyFrom: z.array(addressRange).optional().describe(
    "addresses and CIDR ranges from which this node pushes work; default the address in url",
  ),
});

const alerts = z.object({
  webhook: z.object({
    url: nodeUrl.describe("address that is posted to"),
    secret: secret("signs each body (HMAC-SHA256, X-Quarry-Signature)").optional(),
  }).optional().describe("the operator's webhook"),
  telegram: z.object({
    token: secret("token of the bot"),
    chat: z.string().min(1).describe("chat that the bot writes to"),
    api: nodeUrl.prefault("https://api.telegram.org").describe("the bot API"),
  }).optional().describe("the operator's Telegram bot"),
  smtp: z.object({
    host: z.string().min(1).describe("mail server"),
    port: z.int().min(1).max(65_535).default(587).describe("its port"),
    secure: flag(false, "TLS from the first byte; otherwise STARTTLS where the server has it"),
    user: z.string().min(1).optional().describe("user"),
    password: secret("password of the user").optional(),
    from: z.string().min(3).describe("sender"),
    to: z.string().min(3).optional().describe("the operator; without it mails go to miners alone"),
  }).optional().describe("mails to the operator and to miners who want some"),
  all: flag(false, "tell the operator of every payment and every silent worker too"),
  minerWebhooks: flag(false, "let miners have https addresses of their own posted to"),
  silentAfter: pause("20m", "silence of a worker after which its miner is told"),
  interval: pause("15s", "pause between two looks"),
});

const unlocker = z.object({
  enabled: flag(false, "the block unlocker; exactly one may run"),
  poolFee: percent.prefault(1).describe("percent, with up to six decimals"),
  poolFeeAddress: optionalAddress.prefault("")
    .describe("receives the fee as a credit; empty: it stays on the coinbase address"),
  depth: z.int().min(1).max(1_000_000).optional()
    .describe("blocks until matured; default 120, at least 32"),
  immatureDepth: z.int().min(1).max(1_000_000).optional()
    .describe("blocks until credited as immature; default 20, at least 16"),
  keepTxFees: flag(false, "transaction fees go to the pool"),
  orphanedShares: z.enum(["return", "drop"]).default("return")
    .describe("whether the shares of an orphaned round return to the current one"),
  confirmWith: nodeUrl.optional()
    .describe("second node that must agree before a block is called an orphan"),
  crossCheck: flag(false, "compare each reward with the change of the coinbase's balance"),
  interval: pause("10m", "pause between runs"),
  daemon: nodeUrl.prefault("http://127.0.0.1:8545").describe("node asked about blocks"),
  timeout: pause("10s", "longest wait for an answer"),
});

/** The name of a systemd credential (LoadCredential=NAME:...). */
const credential = (text: string) =>
  z.string().regex(/^(?!\.\.?$)[\w.-]{1,255}$/, "is no name of a credential").optional()
    .describe(text);

const signer = z.object({
  keystore: z.object({
    file: z.string().min(1).describe("keystore v3 file (geth account)"),
    passphraseFile: filePath("file whose first line is the passphrase; nobody else may read it"),
    passphraseEnv: filePath("environment variable with the passphrase"),
    passphraseCredential: credential("systemd credential whose first line is the passphrase"),
  }).optional().describe("encrypted key file"),
  keyFile: filePath("file with the private key as 64 hex digits; nobody else may read it"),
  privateKeyEnv: filePath("environment variable with the private key as 64 hex digits"),
  keyCredential: credential("systemd credential with the private key as 64 hex digits"),
  remote: nodeUrl.optional()
    .describe("URL of a signer that answers eth_signTransaction, as web3signer and clef do"),
  node: z.literal(true).optional()
    .describe(
      "true: the node's own unlocked account signs, one payment at a time; remote is safer",
    ),
});

const payouts = z.object({
  enabled: flag(false, "payments; exactly one payer may run"),
  requirePeers: count(25, "peers the node must have"),
  interval: pause("12h", "pause between runs"),
  daemon: nodeUrl.prefault("http://127.0.0.1:8545").describe("node that carries payments"),
  timeout: pause("10s", "longest wait for an answer"),
  address: payingAddress.prefault("0x0").describe("the paying address"),
  signer: signer.optional().describe("the key of the paying address: exactly one of its keys"),
  autoGas: flag(true, "let the node estimate gas and price"),
  gas: quantityText.prefault("21000").describe("gas of a payment when autoGas is false"),
  gasPrice: quantityText.prefault("50000000000").describe("wei per gas when autoGas is false"),
  gasLimit: quantityText.prefault("200000")
    .describe("gas that a payment to a contract may take at most; one that needs more is left out"),
  maxFee: quantityText.prefault("500000000000")
    .describe("wei per gas that is never exceeded; payments wait while the chain asks more"),
  threshold: shannon.prefault(500_000_000).describe("Shannon a balance must reach"),
  minThreshold: shannon.optional()
    .describe(
      "least threshold in Shannon that a miner may set; default threshold: only higher ones",
    ),
  dailyCap: shannon.optional()
    .describe("Shannon that are paid within 24 hours at most; larger balances wait for a human"),
  feePaidBy: z.enum(["pool", "miner"]).default("pool")
    .describe("who bears the gas; miner: gas times price is taken from the amount"),
  reserve: shannon.prefault(0).describe("Shannon that payments leave in the wallet"),
  confirmations: z.int().min(1).max(1_000_000).optional()
    .describe("blocks until a payment is final; default unlocker.depth"),
  batch: z.object({
    contract: address.describe("address of quarry's Multisend contract on this chain"),
    size: count(50, "payments in one transaction at most", 2, 64),
  }).optional().describe("payments go out together, through a contract"),
  inFlight: count(1, "payments that may wait for a receipt at once", 1, 64),
  bumpAfter: duration.optional().describe(
    'a payment without a receipt for so long ("10m") is sent again for a fee at least 10 % higher, ' +
      "within maxFee, when the chain asks more; only with autoGas; none: never",
  ),
  bgsave: flag(false, "BGSAVE after a successful run"),
});

/** The file as a whole; unknown keys are found before it is applied. */
export const fileSchema = z.object({
  $schema: z.string().optional().describe("JSON schema, for editors"),
  threads: count(2, "stratum workers sharing the port", 1, 256),
  coin: z.string().regex(/^(\{[\w.-]+\}|[\w.-]+)$/).max(64).default("eth")
    .describe("prefix of every Redis key"),
  name: z.string().min(1).max(64).default("main").describe("unique name of this instance"),
  network: z.union([z.string(), privateNetwork]).optional()
    .describe("name of the chain, or an object that describes a private one; default by chain id"),
  coinbases: z.array(address).optional()
    .describe("addresses that receive block rewards; default eth_coinbase of the nodes"),
  dataDir: z.string().min(1).default("data").describe("folder of the journals"),
  log: z.object({
    level: z.enum(["debug", "info", "warn", "error"]).default("info")
      .describe("least severity that is logged"),
  }).prefault({}),
  health: z.object({
    listen: listen.optional()
      .describe("address of /healthz and /readyz for load balancers; default the API's alone"),
  }).prefault({}),
  metrics: z.object({
    listen: listen.optional()
      .describe("address where Prometheus reads /metrics; default none"),
  }).prefault({}),
  verifier: z.object({
    threads: z.int().min(1).max(1024).optional().describe("threads; default one per core"),
    dag: z.enum(["off", "memory", "file"]).default("off")
      .describe("full dataset: none, in memory (1 to 5 GB), or in files that processes share"),
    dir: z.string().min(1).optional().describe("folder of the dataset files; default dataDir/dag"),
    memoryLimit: bytes.optional()
      .describe('what datasets may take ("6GiB"); a larger one is not made; default no limit'),
  }).prefault({}),
  instance: z.int().min(0).max(255).optional()
    .describe('first byte of the extranonces with extranonce "leased"; default leased from Redis'),
  extranonce: z.enum(["single", "leased"]).default("single")
    .describe("two bytes, for one mining instance; leased: three bytes, for several"),
  scheme: z.enum(SCHEMES).default("prop")
    .describe("how a block's reward is shared: by round, by the last shares, or all to its finder"),
  pplns: z.object({
    window: multiple.prefault("2")
      .describe("last shares that pplns pays, in multiples of the network's difficulty"),
  }).prefault({}),
  proxy: proxy.prefault({}),
  stratumPorts: z.array(stratumPort).max(64).default([]).describe("further stratum ports"),
  api: api.prefault({}),
  upstreamCheckInterval: pause("5s", "health check of the nodes"),
  upstream: z.array(upstream).max(64).prefault([{ url: "http://127.0.0.1:8545" }])
    .describe("nodes in order of preference"),
  redis: redis.prefault({}),
  alerts: alerts.optional(),
  unlocker: unlocker.prefault({}),
  payouts: payouts.prefault({}),
});

/** The file after its rows were applied: keys of the file, converted values. */
export type RawConfig = z.output<typeof fileSchema>;
