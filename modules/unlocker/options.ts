/** What the unlocker's worker is started with, from the configuration. */
import type { Network } from "../chain/mod.ts";
import { type Config, plain } from "../config/mod.ts";
import type { UnlockerWorkerOptions } from "./worker.ts";

/** The worker's options; shares of orphaned rounds return to the current one (PROP). */
export function unlockerOptions(config: Config, network: Network): UnlockerWorkerOptions {
  const { unlocker } = config;
  const known = typeof config.network !== "object";
  return {
    ...{ prefix: config.coin, redis: plain(config.redis), logLevel: config.log.level },
    node: { name: "daemon", url: unlocker.daemon, timeoutMs: unlocker.timeoutMs },
    unlocker: {
      ...{ network, coinbases: config.coinbases, instance: config.name },
      ...{ intervalMs: unlocker.intervalMs, depth: unlocker.depth },
      ...{ immatureDepth: unlocker.immatureDepth, keepTxFees: unlocker.keepTxFees },
      feeMillionths: unlocker.poolFeeMillionths,
      feeAddress: unlocker.poolFeeAddress,
      ...{ rounding: "floor", returnShares: true },
      // A private chain may rest for hours; a public one whose head is old is a stuck node.
      headAgeMsMax: known ? 15 * 60_000 : 24 * 3_600_000,
    },
  };
}
