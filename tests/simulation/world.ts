/** A seeded world: a chain, a Redis, a pool's processes, and what is known of all of them. */
import { privateKeyToAccount } from "viem/accounts";
import { createLogger, PoolError } from "../../modules/base/mod.ts";
import { networkOf } from "../../modules/chain/mod.ts";
import { createKeys, type Keys, type Store } from "../../modules/ledger/mod.ts";
import { openSigner, type PayerOptions } from "../../modules/payouts/mod.ts";
import { Chain } from "../../scripts/dev_chain/chain.ts";
import type { PoolTransaction } from "../../scripts/dev_chain/transaction.ts";
import type { AuditorDeps } from "./auditor.ts";
import { fail } from "./failure.ts";
import { type SimulatedNode, simulateNode } from "./node.ts";
import { PayerProcess, RecorderProcess, type Surroundings, UnlockerProcess } from "./processes.ts";
import { type Random, seeded } from "./random.ts";
import { ShareModel } from "./share_model.ts";
import { openVault, type Vault } from "./vault.ts";

/** The pool's coinbase and the address of its fee. */
export const COINBASE = "0x" + "ab".repeat(20), FEE = "0x" + "fe".repeat(20);
const KEY = `0x${"07".repeat(32)}` as const;
const WALLET = privateKeyToAccount(KEY).address.toLowerCase();
const COIN = 10n ** 18n;
/** Difficulty of every block (hashes). */
export const DIFFICULTY = 20_000n;
const SCHEMES = ["prop", "pplns", "solo"] as const;
const LINES_KEPT = 50;
const START_MS = 1_700_000_000_000;

/** A miner and the scheme of its port. */
export interface Miner {
  login: string;
  scheme: (typeof SCHEMES)[number];
}

/** Everything of one world. */
export interface World {
  seed: number;
  random: Random;
  chain: Chain;
  /** The chain's time; the pool's own is off by `offsetMs`. */
  nowMs: number;
  offsetMs: number;
  vault: Vault;
  store: Store;
  keys: Keys;
  model: ShareModel;
  miners: Miner[];
  recorders: RecorderProcess[];
  unlockers: UnlockerProcess[];
  payers: PayerProcess[];
  nodes: SimulatedNode[];
  options: PayerOptions;
  depth: number;
  immatureDepth: number;
  auditor: AuditorDeps;
  trace(line: string): void;
  /** Of every line so far: two runs of a seed have the same. */
  digest: number;
  /** The last lines of what happened. */
  lines: string[];
  /** Runs while a process stands still in the middle of a call. */
  meanwhile: () => Promise<void>;
  /** Times that Redis lost data. */
  losses: number;
  /** Longest reorganization so far (blocks). */
  deepest: number;
  counts: Record<string, number>;
  /** What the auditor found while a process was at work. */
  failure: unknown;
  /** No more trouble is planned. */
  calm: boolean;
}

/** Opens the world of a seed over an empty Redis; journals go into `dir`, which must be empty. */
export async function openWorld(
  seed: number,
  store: Store,
  dir: string,
  prefix = "sim",
): Promise<World> {
  await store.command("FLUSHALL");
  const world = { nowMs: START_MS, digest: 0 } as World;
  const random = seeded(seed), lines: string[] = [];
  const trace = (line: string) => {
    world.digest = digestOf(world.digest, line);
    lines.push(line);
    if (lines.length > LINES_KEPT) lines.shift();
  };

  const keys = createKeys(prefix);
  const chain = openChain(random, () => world.nowMs, seed);
  const windowMilli = BigInt(random.pick([250, 1_000, 3_000]));
  const width = (DIFFICULTY * windowMilli + 999n) / 1_000n;
  const model = new ShareModel({ width, leastSlice: (width + 63n) / 64n });
  const vault = openVault(store, model, random.chance(0.5), (error) => world.failure ??= error);
  const depth = random.between(18, 28), immatureDepth = random.between(4, 9);
  Object.assign(world, {
    ...{ seed, random, chain, offsetMs: 0, vault, store, keys, model, lines, trace },
    ...{
      depth,
      immatureDepth,
      losses: 0,
      deepest: 0,
      counts: {},
      calm: false,
      meanwhile: async () => {},
    },
    miners: minersOf(random),
  });
  const surroundings: Surroundings = {
    ...{ store: vault.store, keys, dir, pplnsWindowMilli: windowMilli },
    now: () => world.nowMs + world.offsetMs,
    ended: () => world.failure !== undefined,
    log: createLogger(
      ({ level, event, facts }) => {
        if (level !== "info") trace(`    ${event} ${"error" in facts ? facts["error"] : ""}`);
      },
      "simulation",
      "info",
    ),
    hooks: { trace, meanwhile: () => world.meanwhile() },
  };
  const onSend = (tx: PoolTransaction) =>
    checkSent(world, dir, tx).catch((error) => void (world.failure ??= error));
  world.nodes = ["node", "second", "wallet"].map((name) =>
    simulateNode({ name, chain, random, trace, onSend })
  );
  startProcesses(world, surroundings);
  return world;
}

/** FNV-1a over text, from a former digest on. */
function digestOf(before: number, text: string): number {
  let digest = before ^ 0x811c9dc5;
  for (let i = 0; i < text.length; i++) digest = Math.imul(digest ^ text.charCodeAt(i), 0x01000193);
  return digest >>> 0;
}

function openChain(random: Random, now: () => number, seed: number): Chain {
  const chain = new Chain({
    network: networkOf({
      ...{ chainId: 1337, algorithm: "ethash", rewards: [{ fromHeight: 0, reward: "2" }] },
      baseFee: random.chance(0.5) ? "burn" : "none",
    }),
    clock: { now, sleep: () => Promise.reject(new Error("a chain does not wait")) },
    pow: {
      hash: (_height, _header, nonce) =>
        Promise.resolve({ mix: new Uint8Array(32).fill(Number(nonce % 251n)), result: 1n }),
    },
    coinbase: COINBASE as `0x${string}`,
    difficulty: DIFFICULTY,
    alloc: { [WALLET]: 1_000_000n * COIN },
    seed: `simulation ${seed}`,
  });
  chain.mine(30);
  return chain;
}

function minersOf(random: Random): Miner[] {
  return Array.from({ length: random.between(3, 12) }, (_, n) => ({
    login: n === 0 && random.chance(0.2) ? FEE : "0x" + (n + 0x1000).toString(16).padStart(40, "5"),
    scheme: random.chance(0.6) ? "prop" : random.pick(SCHEMES),
  }));
}

function startProcesses(world: World, surroundings: Surroundings): void {
  const { random, chain, nodes, depth, immatureDepth } = world;
  const [node, second, wallet] = nodes as [SimulatedNode, SimulatedNode, SimulatedNode];
  const rules = {
    ...{ network: chain.network, depth, immatureDepth, rounding: "floor" as const },
    coinbases: [COINBASE],
    ...{ returnShares: true, keepTxFees: random.chance(0.3), headAgeMsMax: 24 * 3_600_000 },
    feeMillionths: random.pick([0n, 1_000_000n, 500_000n, 1_234_567n]),
    feeAddress: random.chance(0.7) ? FEE : "",
  };
  const confirmWith = random.chance(0.5) ? second : undefined;
  const chunk = random.pick([1, 2, 3, 1_000]);
  world.options = {
    ...{ requirePeers: 1, intervalMs: random.between(1, 6) * 3_600_000, autoGas: true },
    ...{ gas: 21_000n, gasPriceWei: 1_000_000_000n, maxFeeWei: 500_000_000_000n },
    ...{ thresholdShannon: BigInt(random.between(1, 15)) * 10n ** 8n, reserveShannon: 0n },
    ...{ minThresholdShannon: 10n ** 8n, confirmations: depth, gasLimit: 200_000n },
    ...{ inFlight: random.pick([1, 1, 3]), feePaidBy: "pool", bumpAfterMs: 3 * 3_600_000 },
  };
  let ids = 0;
  const settings = {
    ...{ node: wallet, options: world.options, chainId: 1337, genesis: chain.at(0)!.hash },
    newId: () => `p${ids++}`,
    signer: openSigner({ kind: "key", key: { variable: "KEY" } }, WALLET, {
      read: { file: () => "", mode: () => null, env: () => KEY },
      timeoutMs: 1_000,
    }),
  };
  world.recorders = ["recorder1", "recorder2"].map((name) =>
    new RecorderProcess(surroundings, name)
  );
  world.unlockers = ["unlocker1", "unlocker2"].map((name) =>
    new UnlockerProcess(surroundings, name, { node, confirmWith }, rules, chunk)
  );
  world.payers = ["payer1", "payer2"].map((name) => new PayerProcess(surroundings, name, settings));
  world.auditor = {
    ...{ store: world.store, keys: world.keys, chain, model: world.model, wallet: WALLET },
    rules: { ...rules, coinbase: COINBASE },
    logins: [...new Set([...world.miners.map(({ login }) => login), FEE])],
  };
}

/** What a nonce of the wallet was ever used for. */
const sent = new WeakMap<World, Map<number, string>>();

/** No bytes leave before ledger and journal have them, and a nonce has one payment. */
async function checkSent(world: World, dir: string, tx: PoolTransaction): Promise<void> {
  const { store, keys, losses } = world;
  const known = sent.get(world) ?? new Map<number, string>();
  sent.set(world, known);
  const what = `${tx.to} ${tx.valueWei}`;
  const before = known.get(tx.nonce) ?? what;
  if (before !== what) fail(`nonce ${tx.nonce} was sent for ${before} and now for ${what}`);
  if (!known.has(tx.nonce)) world.counts["sent"] = (world.counts["sent"] ?? 0) + 1;
  known.set(tx.nonce, what);
  const journal = await Deno.readTextFile(`${dir}/payments.journal`);
  if (!journal.includes(tx.hash)) fail(`${tx.hash} was sent before it was in the journal`);
  const id = await store.command("HGET", keys.own.paymentNonces(), `${WALLET}:${tx.nonce}`);
  const hashes = await store.command("HGET", keys.own.payment(String(id)), "hashes");
  if (String(hashes).includes(tx.hash) || losses > world.counts["losses before step"]!) return;
  fail(`${tx.hash} was sent before it was in the ledger`);
}

/** Judges what a process threw: what passes by itself may be met, what needs a human may not. */
export function judge(world: World, who: string, error: unknown): void {
  if (error instanceof Error && error.name === "Death") return;
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  world.trace(`    ${who}: ${text}`);
  if (!(error instanceof PoolError)) throw error;
  const halts = error.name === "HaltError" || error.name === "InvariantError";
  // After a loss of data books may contradict each other until both loops have gone over them.
  if (halts && world.losses === 0) fail(`${who} halted: ${error.message}`);
}
