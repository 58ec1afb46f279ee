/** An unlocker over a development chain and a real redis-server, for tests of what it does. */
import assert from "node:assert/strict";
import { privateKeyToAccount } from "viem/accounts";
import { type DevChain, type DevChainOptions, startDevChain } from "../../scripts/dev_chain.ts";
import { startRedis } from "./redis.ts";
import { FakeClock, silentLogger, WEI_PER_COIN } from "../../modules/base/mod.ts";
import { createNode, networkOf, type Node, type PrivateNetwork } from "../../modules/chain/mod.ts";
import {
  acquireLease,
  createKeys,
  integerOf,
  type Lease,
  openStore,
  recordOf,
  type Store,
} from "../../modules/ledger/mod.ts";
import { type UnlockDeps, unlockPass, type UnlockRules } from "../../modules/unlocker/unlock.ts";

/** The pool's coinbase, the address of its fee, and two miners. */
export const POOL = "0x" + "ab".repeat(20), FEE = "0x" + "fe".repeat(20);
export const A = "0x" + "0a".repeat(20), B = "0x" + "0b".repeat(20);
/** Somebody with a hundred coins. */
export const PAYER = privateKeyToAccount(`0x${"07".repeat(32)}`);
/** Two coins a block. */
export const CHAIN: PrivateNetwork = {
  chainId: 1337,
  algorithm: "ethash",
  rewards: [{ fromHeight: 0, reward: "2" }],
  baseFee: "none",
};

/** Everything of one test. */
export interface Bench {
  dev: DevChain;
  node: Node;
  store: Store;
  clock: FakeClock;
  deps: UnlockDeps;
  rules: UnlockRules;
  lease: Lease;
  events: string[];
  pass(more?: Partial<UnlockRules>): ReturnType<typeof unlockPass>;
}

/** Runs a test on a chain, a redis-server and a held lease of its own. */
export async function withPool(
  work: (bench: Bench) => Promise<void>,
  options: Partial<DevChainOptions> = {},
): Promise<void> {
  await using redis = await startRedis();
  const clock = new FakeClock();
  await using dev = await startDevChain({
    coinbase: POOL,
    clock,
    alloc: { [PAYER.address]: 100n * WEI_PER_COIN },
    pow: {
      hash: (_height, _header, nonce) =>
        Promise.resolve({ mix: new Uint8Array(32).fill(Number(nonce % 251n)), result: 1n }),
    },
    ...options,
  });
  const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  const node = createNode({ name: "dev", url: dev.url, timeoutMs: 5_000 });
  const keys = createKeys("t"), events: string[] = [];
  const deps = {
    ...{ store, keys, clock, log: silentLogger, node, chunk: 2 },
    event: (name: string) => events.push(name),
  };
  const rules: UnlockRules = {
    network: networkOf({ ...CHAIN, baseFee: options.baseFee ? "burn" : "none" }),
    depth: 20,
    immatureDepth: 10,
    keepTxFees: false,
    feeMillionths: 1_000_000n,
    feeAddress: FEE,
    rounding: "floor",
    coinbases: [POOL],
    returnShares: true,
    headAgeMsMax: 3_600_000,
  };
  const lease = await acquireLease(deps, "unlocker", "test", 600_000);
  assert.ok("token" in lease);
  const pass = (more = {}) => unlockPass(deps, { ...rules, ...more }, lease);
  try {
    await work({ dev, node, store, clock, deps, rules, lease, events, pass });
  } finally {
    await store.close();
  }
}

/** Mines the pool's block and records it as the share path does; gives its round's key. */
export async function find({ node, store }: Bench, nonceNumber: number): Promise<string> {
  const job = await node.getWork();
  const nonce = "0x" + nonceNumber.toString(16).padStart(16, "0");
  const mix = "0x" + (nonceNumber % 251).toString(16).padStart(2, "0").repeat(32);
  assert.equal(await node.submitWork(nonce, job!.headerHash, mix), true);
  const round = `t:shares:round${job!.height}:${nonce}`;
  await store.command("HSET", round, A, "200", B, "100");
  const member = `${nonce}:${job!.headerHash}:${mix}:1700:20000:300`;
  await store.command("ZADD", "t:blocks:candidates", String(job!.height), member);
  return round;
}

/** What a field of the miners holds (Shannon); the pool's totals must say the same. */
export async function money({ store }: Bench, field: string): Promise<Record<string, bigint>> {
  const found: Record<string, bigint> = {};
  for (const [name, login] of Object.entries({ A, B, FEE })) {
    const value = await store.command("HGET", `t:miners:${login}`, field);
    if (value !== null) found[name] = integerOf(value, field);
  }
  const finances = recordOf(await store.command("HGETALL", "t:finances"));
  const total = Object.values(found).reduce((sum, amount) => sum + amount, 0n);
  assert.equal(integerOf(finances[field] ?? null, field), total);
  return found;
}

/** Rows of a list of blocks. */
export const rows = async ({ store }: Bench, list: string) =>
  (await store.command("ZRANGE", `t:blocks:${list}`, "0", "-1") as string[]).length;
