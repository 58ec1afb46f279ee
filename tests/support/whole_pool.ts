/** A whole pool process with everything it needs: Redis, a development chain, its verifier and a store. */
import { silentLogger } from "../../modules/base/mod.ts";
import { type EpochRule, openVerifier } from "../../modules/ethash/mod.ts";
import { openStore } from "../../modules/ledger/mod.ts";
import { startDevChain } from "../../scripts/dev_chain/start.ts";
import { freePorts, type PoolConfig, startPool } from "./pool.ts";
import { startRedis } from "./redis.ts";

/** What is special about a pool. */
export interface WholePoolOptions {
  /** @default {{ algorithm: "ethash" }} */
  rule?: EpochRule;
  /** Difficulty of blocks. @default {10n ** 15n} out of reach */
  difficulty?: bigint;
  /** Who gets the chain's rewards. */
  coinbase?: string;
  /** Balances at block 0 (wei). */
  alloc?: Record<string, bigint>;
  /** Sections of the configuration beside or in place of the usual ones; those of `proxy` are added. */
  config?: (node: string) => PoolConfig & { proxy?: PoolConfig };
  /** The pool's environment. */
  env?: Record<string, string>;
}

/** What a round's unlocker needs, fast. */
export function quickUnlocker(node: string): PoolConfig {
  return {
    ...{ enabled: true, poolFee: 1, interval: "200ms", daemon: node },
    ...{ depth: 32, immatureDepth: 16 },
  };
}

/** Starts all of it; `stack` ends it. Every nonce is a share, and keys begin with "t". */
export async function openWholePool(
  stack: AsyncDisposableStack,
  options: WholePoolOptions = {},
) {
  const { rule = { algorithm: "ethash" }, difficulty = 10n ** 15n, alloc = {} } = options;
  const dir = await Deno.makeTempDir({ prefix: "quarry-whole-" });
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  const redis = stack.use(await startRedis());
  const pow = openVerifier({ rule, log: silentLogger });
  stack.defer(() => pow.close());
  await pow.prepare(1);
  const coinbase = options.coinbase ?? "0x" + "ab".repeat(20);
  const chain = stack.use(await startDevChain({ coinbase, difficulty, alloc, pow }));
  const ports = freePorts();
  const { proxy, ...sections } = options.config?.(chain.url) ?? {};
  const config = {
    ...{ threads: 1, coin: "t", name: "one", dataDir: `${dir}/data` },
    network: { chainId: 1337, ...rule, rewards: [{ fromHeight: 0, reward: "2" }] },
    proxy: {
      ...{ enabled: true, listen: `127.0.0.1:${ports.getwork}`, difficulty: 1 },
      stratum: { enabled: true, listen: `127.0.0.1:${ports.stratum}` },
      ...proxy,
    },
    api: { enabled: true, listen: `127.0.0.1:${ports.api}` },
    upstream: [{ name: "dev", url: chain.url }],
    redis: { endpoint: redis.endpoint },
    ...sections,
  };
  const pool = stack.use(await startPool(`${dir}/config.json`, config, ports, options.env));
  const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  stack.defer(() => store.close());
  return { dir, redis, pow, chain, ports, pool, store };
}
