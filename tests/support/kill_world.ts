/**
 * The pool's money processes as an operator runs them, over a real redis-server and a node, both
 * behind proxies that can cut any effect; and what must hold whatever was killed.
 */
import assert from "node:assert/strict";
import { denoArguments } from "../../scripts/process_rights.ts";
import { shannonToWei, silentLogger } from "../../modules/base/mod.ts";
import { createNode, networkOf } from "../../modules/chain/mod.ts";
import {
  acquireLease,
  audit,
  createAccounts,
  createKeys,
  createPayments,
  isClean,
  listOf,
  openStore,
  readBooks,
  recordOf,
} from "../../modules/ledger/mod.ts";
import { unlockPass, type UnlockRules } from "../../modules/unlocker/unlock.ts";
import { createFuse, type Fuse } from "./kill_fuse.ts";
import { type KillNode, PAYER, PAYER_KEY, POOL, REWARD_WEI } from "./kill_node.ts";
import { type Child, startChild } from "./process.ts";
import { startRedis, type TestRedis } from "./redis.ts";
import { startRespProxy } from "./resp_proxy.ts";
import { startRpcProxy } from "./rpc_proxy.ts";

/** Blocks until a payment is final, and until a block of the pool is matured. */
const CONFIRMATIONS = 3, DEPTH = 32, IMMATURE_DEPTH = 16;
const FEE_PERCENT = 1n;
const keys = createKeys("t");

/** What a world is made of. */
export interface KillWorldOptions {
  node: KillNode;
  /** What the process does; what it does not do of the unlocker's work is done by the world. */
  roles: { unlocker?: boolean; payouts?: boolean };
  /** @default {1} */
  inFlight?: number;
  /** Coins of a block. @default {"2"} */
  reward?: string;
  /** Who gets the pool's fee as a credit. @default nobody */
  feeAddress?: string;
}

/** Login → Shannon. */
export type Amounts = Map<string, bigint>;

/** An open world. */
export type KillWorld = Awaited<ReturnType<typeof openKillWorld>>;

/** Opens everything but the process. */
export async function openKillWorld(stack: AsyncDisposableStack, options: KillWorldOptions) {
  const { node: chain, roles } = options;
  const rewards = { rewards: [{ fromHeight: 0, reward: options.reward ?? "2" }], baseFee: "burn" };
  const dir = await Deno.makeTempDir({ prefix: "quarry-kills-" });
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  await Deno.writeTextFile(`${dir}/payer.key`, PAYER_KEY, { mode: 0o600 });
  let redis: TestRedis = await startRedis({ durable: true, dir: `${dir}/redis` });
  stack.defer(() => redis.kill());
  const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  stack.defer(() => store.close());
  const fuse: Fuse = createFuse();
  const resp = await startRespProxy(redis.endpoint, fuse);
  stack.defer(() => resp.close());
  const rpc = startRpcProxy(chain.url, fuse);
  stack.defer(() => rpc.close());
  const node = createNode({ name: "direct", url: chain.url, timeoutMs: 10_000 });
  const deps = { store, keys };
  const [payments, accounts] = [createPayments(deps), createAccounts(deps)];
  const walletWei = await node.getBalance(PAYER);
  const children = new Map<string, Child>();
  stack.defer(async () => {
    for (const child of children.values()) await child.kill();
  });

  /** The first process goes through the proxies; a spare, which nobody cuts, does not. */
  function configOf(name: string) {
    const daemon = name === "one" ? rpc.url : chain.url;
    return {
      ...{ coin: "t", name, dataDir: `${dir}/data`, coinbases: [POOL] },
      network: { chainId: chain.chainId, algorithm: "ethash", ...rewards },
      proxy: { enabled: false },
      api: { enabled: false },
      redis: { endpoint: name === "one" ? resp.endpoint : redis.endpoint },
      unlocker: {
        ...{ enabled: roles.unlocker === true, poolFee: Number(FEE_PERCENT), interval: "1s" },
        ...{ depth: DEPTH, immatureDepth: IMMATURE_DEPTH, daemon },
        poolFeeAddress: options.feeAddress ?? "",
      },
      payouts: {
        ...{ enabled: roles.payouts === true, requirePeers: 0, interval: "1s", daemon },
        ...{ address: PAYER, signer: { keyFile: `${dir}/payer.key` }, threshold: 1000 },
        ...{ confirmations: CONFIRMATIONS, inFlight: options.inFlight ?? 1 },
      },
    };
  }

  /** Gives the path of a process's configuration. */
  async function writeConfig(name: string): Promise<string> {
    const path = `${dir}/${name}.json`;
    await Deno.writeTextFile(path, JSON.stringify(configOf(name)));
    return path;
  }

  /** Starts a process of that name; the same name is the same process after a restart. */
  async function start(name = "one"): Promise<Child> {
    const path = await writeConfig(name);
    if (name !== "one") await shareJournal(name);
    // What scripts/quarry ends as: SIGKILL must hit the pool itself.
    const child = startChild(Deno.execPath(), denoArguments("pool", [path]));
    children.set(name, child);
    return child;
  }

  /** A spare has the first one's state folder, and with it the journal of payments. */
  async function shareJournal(name: string): Promise<void> {
    await Deno.mkdir(`${dir}/data/t-one`, { recursive: true });
    await Deno.symlink(`${dir}/data/t-one`, `${dir}/data/t-${name}`);
  }

  async function kill(name = "one"): Promise<void> {
    await children.get(name)?.kill("SIGKILL");
    children.delete(name);
  }

  /** A block of the pool with that round, deep enough to be matured; gives what each is due. */
  async function earn(shares: ReadonlyMap<string, bigint>): Promise<Amounts> {
    const found = await chain.find();
    await recordRound(found, shares);
    await chain.mine(DEPTH + 1);
    if (roles.unlocker !== true) await unlockHere();
    const total = [...shares.values()].reduce((sum, share) => sum + share, 0n);
    const pot = REWARD_WEI * (100n - FEE_PERCENT) / 100n;
    return new Map(
      [...shares].map(([login, share]) => [login, pot * share / total / 1_000_000_000n]),
    );
  }

  /** Writes a candidate and its round as the share path does. */
  async function recordRound(
    found: { height: number; nonce: string; header: string; mix: string },
    shares: ReadonlyMap<string, bigint>,
  ): Promise<void> {
    const { height, nonce, header, mix } = found;
    const total = [...shares.values()].reduce((sum, share) => sum + share, 0n);
    const fields = [...shares].flatMap(([login, share]) => [login, `${share}`]);
    const member = `${nonce}:${header}:${mix}:1700000000:20000:${total}`;
    await store.multi([
      ["HSET", keys.round(height, nonce), ...fields],
      ["ZADD", keys.candidates(), `${height}`, member],
    ]);
  }

  async function unlockHere(): Promise<void> {
    const clock = { now: () => Date.now() } as never;
    const rules: UnlockRules = {
      network: networkOf({ chainId: chain.chainId, algorithm: "ethash", ...rewards } as never),
      ...{ depth: DEPTH, immatureDepth: IMMATURE_DEPTH, keepTxFees: false, coinbases: [POOL] },
      ...{ feeMillionths: FEE_PERCENT * 1_000_000n, feeAddress: "", rounding: "floor" },
      ...{ returnShares: true, headAgeMsMax: 86_400_000 },
    };
    const lease = await acquireLease(deps, "unlocker", "world", 600_000);
    assert.ok("token" in lease);
    const report = await unlockPass({ ...deps, clock, log: silentLogger, node }, rules, lease);
    assert.equal(report.matured, 1, report.waiting.join("; "));
  }

  /** Whether nothing is left to unlock, to pay or to confirm. */
  async function isSettled(): Promise<boolean> {
    const [candidates, immature] = await Promise.all(
      [keys.candidates(), keys.immature()].map((key) => store.command("ZCARD", key)),
    );
    if (candidates !== 0 || immature !== 0) return false;
    if (roles.payouts !== true) return true;
    const { balanceShannon, pendingShannon } = await accounts.finances();
    return balanceShannon === 0n && pendingShannon === 0n && (await payments.open()).length === 0;
  }

  /** Mines what the process sends until all is settled, or the fuse has blown; says which. */
  async function untilSettled(withinMs = 300_000): Promise<"settled" | "blown"> {
    const endMs = Date.now() + withinMs;
    while (Date.now() < endMs) {
      if (fuse.blown) return "blown";
      const settled = await isSettled().catch(() => false);
      if (fuse.blown) return "blown";
      if (settled) return "settled";
      const sent = await chain.transactionCount("pending") > await chain.transactionCount("latest");
      if (sent) await chain.mine(CONFIRMATIONS + 2);
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    throw new Error(`Nothing settled: ${await explain()}`);
  }

  async function explain(): Promise<string> {
    const status = await store.command("HGETALL", keys.own.status()).catch(String);
    const books = await Promise.all([
      ...[keys.candidates(), keys.immature()].map((key) => store.command("ZCARD", key)),
      ...[keys.finances()].map((key) => store.command("HGETALL", key)),
      payments.open().then((open) => open.map(({ id, state }) => `${id} ${state}`)),
    ]).catch(String);
    const outputs = [...children].map(([name, child]) =>
      `${name}: ${child.output().slice(-3_000)}`
    );
    return [JSON.stringify([status, books]), `last ${fuse.effects.slice(-12)}`, ...outputs].join(
      "\n",
    );
  }

  /** What holds whenever all is settled: everybody paid once, every Shannon and every wei there. */
  async function assertWhole(due: Amounts): Promise<void> {
    const report = audit(await readBooks(deps));
    assert.ok(isClean(report), JSON.stringify(report.findings, textOf));
    assert.deepEqual(await payments.foreignRows(), []);
    assert.deepEqual(await payments.held(), []);
    for (const [login, amountShannon] of due) {
      const account = await accounts.account(login);
      assert.equal(account.immatureShannon, 0n, login);
      assert.equal(account.balanceShannon + account.paidShannon, amountShannon, login);
      if (roles.payouts !== true) continue;
      assert.equal(account.paidShannon, amountShannon, `${login} is paid`);
      assert.equal(await node.getBalance(login), shannonToWei(amountShannon), `${login} has it`);
      assert.equal(await store.command("ZCARD", keys.paymentsOf(login)), 1, `${login} once`);
    }
    if (roles.payouts !== true) return;
    const { paidShannon } = await accounts.finances();
    const own = recordOf(await store.command("HGETALL", keys.own.poolAccounts()));
    const gasWei = shannonToWei(BigInt(own["gasShannon"] ?? 0)) + BigInt(own["gasWeiRest"] ?? 0);
    assert.equal(walletWei - await node.getBalance(PAYER), shannonToWei(paidShannon) + gasWei);
    const rows = listOf(await store.command("ZRANGE", keys.paymentsAll(), "0", "-1"));
    assert.equal(await chain.transactionCount("latest"), rows.length, "transactions and payments");
  }

  return {
    ...{ dir, keys, store, node, chain, fuse, payments, accounts, children, deps },
    ...{
      writeConfig,
      start,
      kill,
      earn,
      recordRound,
      isSettled,
      untilSettled,
      assertWhole,
      explain,
    },
    get redis(): TestRedis {
      return redis;
    },
    /** The same server again, from what is on its disk. */
    async restartRedis(): Promise<void> {
      await redis.kill();
      redis = await startRedis({ durable: true, dir: `${dir}/redis` });
    },
  };
}

/** The n-th address of a miner in a world; nobody else has it. */
export function minerOf(n: number): string {
  return "0x" + (n + 0x10_0000).toString(16).padStart(40, "5");
}

function textOf(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}` : value;
}
