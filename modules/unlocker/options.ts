/** What the unlocker's Deno worker is started with, and how it follows from the configuration. */
import type { Network, NodeOptions } from "../chain/mod.ts";
import { type Config, plain } from "../config/mod.ts";
import type { RedisOptions } from "../ledger/mod.ts";
import type { CommonWorkerOptions } from "../workers/mod.ts";
import type { LoopOptions } from "./loop.ts";

/** Plain data. */
export interface UnlockerWorkerOptions extends CommonWorkerOptions {
  redis: RedisOptions;
  /** The configuration's `coin`. */
  prefix: string;
  /** The node that is asked about blocks. */
  node: NodeOptions;
  /** A second node that must agree on orphans. */
  confirmWith?: NodeOptions;
  /** Asked for their coinbase when `unlocker.coinbases` is empty. */
  miningNodes: NodeOptions[];
  unlocker: LoopOptions;
}

/** The worker's options. */
export function unlockerOptions(config: Config, network: Network): UnlockerWorkerOptions {
  const { unlocker } = config;
  const known = typeof config.network !== "object";
  const node = { name: "daemon", url: unlocker.daemon, timeoutMs: unlocker.timeoutMs };
  return {
    ...{ prefix: config.coin, redis: plain(config.redis), logLevel: config.log.level },
    node,
    miningNodes: config.upstreams.length > 0
      ? config.upstreams.map(({ name, url, timeoutMs }) => ({ name, url, timeoutMs }))
      : [node],
    ...(unlocker.confirmWith === undefined
      ? {}
      : { confirmWith: { ...node, name: "confirmWith", url: unlocker.confirmWith } }),
    unlocker: {
      ...{ network, coinbases: config.coinbases, instance: config.name },
      ...{ intervalMs: unlocker.intervalMs, depth: unlocker.depth },
      ...{ immatureDepth: unlocker.immatureDepth, keepTxFees: unlocker.keepTxFees },
      feeMillionths: unlocker.poolFeeMillionths,
      feeAddress: unlocker.poolFeeAddress,
      ...{ rounding: "floor", returnShares: unlocker.orphanedShares === "return" },
      crossCheck: unlocker.crossCheck,
      // A private chain may rest for hours; a public one whose head is old is a stuck node.
      headAgeMsMax: known ? 15 * 60_000 : 24 * 3_600_000,
    },
  };
}

/** What the main thread tells the unlocker: have the next pass begin now. */
export type ToUnlocker = { kind: "run" };
