/** Every answer and query of `/api/v2`: what is checked, documented and typed for a client at once. */
import { z } from "@hono/zod-openapi";
import { isAddress } from "../../base/mod.ts";

const ms = z.int().describe("milliseconds since 1970");
const shannon = z.string().describe("Shannon (10⁻⁹ coins), decimal");
const wei = z.string().describe("wei (10⁻¹⁸ coins), decimal");
const hps = z.string().describe("hashes a second, decimal");
const hashes = z.string().describe("difficulty (hashes), decimal");
const percent = z.number().describe("percent: 63.2 is 63.2 %");
const count = z.int();
const asOfMs = ms.describe("time of the snapshot that this is from (milliseconds since 1970)");
const nextCursor = z.string().nullable().describe(
  "pass as `before` for the next page; null: the end",
);

/** A failure of any endpoint. */
export const failure = z.object({
  error: z.object({ code: z.string(), message: z.string() }),
}).openapi("Error");

/** A found block. */
export const block = z.object({
  height: count,
  uncleHeight: count.describe("the uncle's own height; 0: no uncle"),
  state: z.enum(["candidate", "immature", "matured", "orphaned"]),
  kind: z.enum(["block", "uncle", "orphan"]),
  hash: z.string().nullable(),
  finder: z.string().nullable(),
  foundAtMs: ms,
  difficulty: hashes,
  shares: hashes.nullable().describe("difficulty of all shares since the block before"),
  effortPercent: percent.nullable(),
  rewardWei: wei.nullable(),
  confirmations: count.nullable(),
  depth: count.describe("confirmations at which it matures"),
  scheme: z.enum(["prop", "pplns", "solo"]).nullable(),
  roundSeconds: count.nullable(),
}).openapi("Block");

/** A payment. */
export const payment = z.object({
  atMs: ms,
  address: z.string(),
  amountShannon: shannon,
  transaction: z.string().nullable(),
  state: z.enum(["reserved", "signed", "sent", "paid", "reverted", "displaced"]),
  confirmations: count.nullable(),
  reason: z.string().nullable().describe("why it failed; null: it did not"),
}).openapi("Payment");

/** What a miner was credited for a block. */
export const credit = z.object({
  height: count,
  hash: z.string().nullable(),
  state: z.enum(["immature", "matured"]),
  amountShannon: shannon,
  percent: percent.nullable().describe("of the block's reward"),
  atMs: ms.nullable(),
}).openapi("Credit");

const explorer = z.object({ block: z.string(), transaction: z.string(), address: z.string() })
  .describe("link patterns with {} for the height, hash or address");

/** `/pool`. */
export const pool = z.object({
  asOfMs,
  name: z.string(),
  currency: z.string(),
  accent: z.object({ light: z.string(), dark: z.string() }).nullable()
    .describe("the operator's colour (#rrggbb) for light and dark pages; null: the page's own"),
  network: z.object({
    name: z.string(),
    title: z.string(),
    chainId: count,
    testnet: z.boolean().describe("its coins are worth nothing"),
    explorer: explorer.nullable(),
  }).nullable().describe("null when this process was not told the network"),
  scheme: z.enum(["prop", "pplns", "solo"]),
  feePercent: z.number(),
  thresholdShannon: shannon,
  payoutsIntervalMs: count,
  hashrateHps: hps,
  miners: count,
  workers: count,
  round: z.object({
    effortPercent: percent.nullable(),
    shares: hashes,
    startedAtMs: ms.nullable(),
    expectedSeconds: z.number().nullable().describe("mean time of a block at this hashrate"),
  }),
  chain: z.object({
    height: count.nullable(),
    difficulty: hashes.nullable(),
    hashrateHps: hps.nullable(),
    epochSwitchInBlocks: count.nullable(),
  }),
  nodesHealthy: count,
  nodesTotal: count,
  luck: z.array(z.object({
    blocks: count,
    effortPercent: percent.nullable(),
    unclePercent: percent,
    orphanPercent: percent,
  })),
  blocks: z.object({ candidates: count, immature: count, matured: count }),
  paidShannon: shannon,
  paymentsTotal: count,
  lastBlocks: z.array(block),
  lastPayments: z.array(payment),
  notice: z.string().nullable(),
}).openapi("Pool");

const charted = { asOfMs, stepMs: count, fromMs: ms };

/** `/pool/history`. */
export const poolHistory = z.object({
  ...charted,
  series: z.object({
    hashrateHps: z.array(hps.nullable()),
    miners: z.array(count.nullable()),
    workers: z.array(count.nullable()),
    difficulty: z.array(hashes.nullable()),
  }).describe("one value per step; null: a gap"),
  blocks: z.array(z.object({ atMs: ms, height: count })),
}).openapi("PoolHistory");

/** `/miners`. */
export const miners = z.object({
  asOfMs,
  items: z.array(z.object({
    address: z.string(),
    hashrateHps: hps,
    lastShareAtMs: ms,
    offline: z.boolean(),
  })),
  nextCursor,
  total: count,
}).openapi("Miners");

const shareCounts = z.object({ valid: count, stale: count, invalid: count })
  .describe("over 24 hours");
const rates = z.object({
  shortHps: hps,
  longHps: hps,
  dayHps: hps.nullable(),
  reportedHps: hps.nullable().describe("as the miner says of itself"),
});

/** `/miners/{address}`. */
export const miner = z.object({
  asOfMs,
  known: z.boolean(),
  address: z.string(),
  hashrate: rates,
  shares: shareCounts.nullable(),
  lastShareAtMs: ms.nullable(),
  workersOnline: count,
  workersTotal: count,
  workers: z.array(z.object({
    name: z.string(),
    hashrate: rates,
    shares: shareCounts.nullable(),
    difficulty: hashes.nullable().describe("of its last share"),
    dialect: z.string().nullable().describe("the protocol that it speaks"),
    lastShareAtMs: ms,
    state: z.enum(["online", "silent", "offline"]),
  })),
  balance: z.object({
    immatureShannon: shannon,
    unpaidShannon: shannon,
    pendingShannon: shannon,
    paidShannon: shannon,
  }),
  thresholdShannon: shannon,
  ownThreshold: z.boolean(),
  round: z.object({
    shares: hashes,
    percent: percent.nullable(),
    estimateShannon: shannon.nullable(),
  }),
  payout: z.object({
    state: z.enum(["below", "due", "held", "underWay", "halted"]),
    reason: z.string(),
    nextRunAtMs: ms.nullable().describe("null: no payer has said"),
    etaMs: count.nullable().describe("time until the threshold at the present hashrate"),
  }),
  blocksFound: count,
  paymentsTotal: count,
}).openapi("Miner");

/** `/miners/{address}/history`. */
export const minerHistory = z.object({
  ...charted,
  series: z.object({
    hashrateHps: z.array(hps.nullable()),
    reportedHps: z.array(hps.nullable()),
  }),
}).openapi("MinerHistory");

/** `/miners/{address}/credits`. */
export const credits = z.object({ asOfMs, items: z.array(credit), nextCursor }).openapi("Credits");
/** `/blocks`. */
export const blocks = z.object({
  asOfMs,
  items: z.array(block),
  nextCursor,
  counts: z.object({
    ...{ candidate: count, immature: count, matured: count },
    orphaned: count.nullable().describe("as of the last count, which is made every minute"),
  }),
}).openapi("Blocks");
/** `/miners/{address}/blocks`. */
export const minerBlocks = z.object({ asOfMs, items: z.array(block), nextCursor })
  .openapi("MinerBlocks");
/** `/payments`. */
export const payments = z.object({
  asOfMs,
  items: z.array(payment),
  nextCursor,
  paidShannon: shannon.nullable(),
  paidDayShannon: shannon.nullable(),
  nextRunAtMs: ms.nullable(),
}).openapi("Payments");
/** `/miners/{address}/payments`. */
export const minerPayments = z.object({ asOfMs, items: z.array(payment), nextCursor })
  .openapi("MinerPayments");

const health = z.enum(["ok", "waiting", "halted", "away"]).nullable();

/** `/status`. */
export const status = z.object({
  asOfMs,
  parts: z.array(z.object({
    name: z.enum(["stratum", "nodes", "redis", "unlocker", "payer", "stats"]),
    state: z.enum(["ok", "waiting", "halted", "away", "off"]),
    sinceAtMs: ms.nullable(),
    reason: z.string(),
    mend: z.string(),
  })),
}).openapi("Status");

/** `/status/history`. */
export const statusHistory = z.object({
  ...charted,
  series: z.object({
    ...{ nodes: z.array(health), unlocker: z.array(health), payer: z.array(health) },
    stats: z.array(health),
  }).describe("the worst that was seen in each five minutes; null: nobody looked, or not used"),
}).openapi("StatusHistory");

/** `/connect`. */
export const connect = z.object({
  asOfMs,
  endpoints: z.array(z.object({
    name: z.string(),
    region: z.string().nullable().describe("name of the place; null: there is one"),
    host: z.string(),
    ping: z.string().nullable().describe("URL there to measure the latency by; null: none"),
    port: count,
    tls: z.boolean(),
    scheme: z.enum(["prop", "pplns", "solo"]),
    difficulty: hashes,
    varDiff: z.boolean(),
    dialects: z.enum(["all", "ethereumStratum"]),
  })),
  getwork: z.object({ url: z.string() }).nullable(),
  programs: z.array(z.object({
    name: z.string(),
    dialect: z.string(),
    command: z.string().describe("{endpoint} {host} {port} {address} {worker} are to be filled in"),
    tlsCommand: z.string().nullable(),
  })),
}).openapi("Connect");

/** An address in any case of its digits, or a login's spelling; lower case from here on. */
export const addressParams = z.object({
  address: z.string().transform((text) => text.toLowerCase())
    .refine(isAddress, "write 0x and 40 hexadecimal digits")
    .openapi({ example: "0x1111111111111111111111111111111111111111" }),
});

const LIMIT = "write a whole number from 1 to 100";
const limit = z.coerce.number(LIMIT).pipe(z.int(LIMIT).min(1, LIMIT).max(100, LIMIT))
  .default(50)
  .openapi({ type: "integer", minimum: 1, maximum: 100 });
const format = z.enum(["json", "csv"]).optional();
const range = z.enum(["24h", "7d", "30d"]).default("24h");

/** Query of the charts. */
export const historyQuery = z.object({ range });
/** Query of a miner's charts. */
export const minerHistoryQuery = z.object({
  range,
  worker: z.string().max(64).regex(/^[^:]*$/, "a worker's name has no colon").optional(),
});
/** Query of the miners by hashrate. */
export const minersQuery = z.object({
  limit,
  before: z.string().regex(/^\d{1,7}$/, "pass what nextCursor said").optional(),
  sort: z.enum(["hashrate"]).default("hashrate"),
});
const timeCursor = z.string().regex(/^\d{1,11}\.\d{1,6}$/, "pass what nextCursor said").optional();
const blockCursor = z.string().regex(/^\d{1,15}\.0x[0-9a-f]{1,16}$/i, "pass what nextCursor said")
  .optional();
/** Query of payments; the cursor is a time. */
export const paymentsQuery = z.object({ limit, before: timeCursor, format });
/** Query of credits; the cursor is a block. */
export const creditsQuery = z.object({ limit, before: blockCursor, format });
/** Query of a miner's blocks. */
export const minerBlocksQuery = z.object({ limit, before: timeCursor, format });
/** Query of blocks. */
export const blocksQuery = z.object({
  limit,
  before: blockCursor,
  format,
  state: z.enum(["all", "candidate", "immature", "matured", "orphaned"]).default("all"),
});

/** A found block. */
export type Block = z.infer<typeof block>;
/** A payment. */
export type Payment = z.infer<typeof payment>;
/** A miner's part of a block. */
export type Credit = z.infer<typeof credit>;
/** The pool at a glance. */
export type Pool = z.infer<typeof pool>;
/** One miner. */
export type Miner = z.infer<typeof miner>;
/** What works. */
export type Status = z.infer<typeof status>;
/** How to mine here. */
export type Connect = z.infer<typeof connect>;
