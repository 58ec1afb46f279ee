/** A payer over a real redis-server and a development chain, in processes that can die anywhere. */
import type { Hex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { FakeClock, type LogRecord, shannonToWei, silentLogger } from "../../modules/base/mod.ts";
import { createLogger } from "../../modules/base/mod.ts";
import { createNode } from "../../modules/chain/mod.ts";
import {
  createAccounts,
  createKeys,
  createPayments,
  createSettings,
  type Lease,
  openStore,
  readPayoutsPause,
  type Store,
} from "../../modules/ledger/mod.ts";
import {
  createRun,
  type Moment,
  openPaymentJournal,
  openSigner,
  type Payer,
  type PayerOptions,
  type Run,
  type Signer,
} from "../../modules/payouts/mod.ts";
import { startDevChain } from "../../scripts/dev_chain/start.ts";
import { freePort } from "./process.ts";
import { startRedis } from "./redis.ts";

/** The paying key of the tests. */
export const PAYER_KEY: `0x${string}` = `0x${"07".repeat(32)}`;
/** Its account, to sign what the pool knows nothing of. */
export const payerAccount = privateKeyToAccount(PAYER_KEY);
const FROM = payerAccount.address.toLowerCase();
const CHAIN_ID = 1337;

/** The process died here. */
export class Crash extends Error {}

/** The n-th address of a miner. */
export function minerAddress(n: number): string {
  return "0x" + (n + 0x1000).toString(16).padStart(40, "5");
}

/** One life of the payer's process. */
export interface Life extends Run {
  payer: Payer;
  close(): void;
}

/** Opens Redis, chain and wallet. */
export async function openPayerWorld(
  settings: {
    baseFee?: boolean;
    options?: Partial<PayerOptions>;
    walletWei?: bigint;
    /** Replicas to wait for; Redis then has a TCP port for them. */
    waitReplicas?: number;
    /** A Redis that is there already, instead of one of its own. */
    store?: Store;
    /** Another signer than a key of its own, from the address of the node. */
    signer?: (nodeUrl: string) => Signer;
  } = {},
) {
  const { waitReplicas = 0 } = settings;
  const port = waitReplicas > 0 ? freePort() : 0;
  const redis = await startRedis({ port });
  const store = settings.store ??
    await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
      log: silentLogger,
    });
  const dev = await startDevChain({
    coinbase: "0x" + "c0".repeat(20),
    pow: { hash: () => Promise.reject(new Error("nobody mines here")) },
    alloc: { [FROM]: settings.walletWei ?? shannonToWei(1_000_000_000_000n) },
    baseFee: settings.baseFee ?? false,
    clock: new FakeClock(),
  });
  dev.chain.mine(1);
  const keys = createKeys("eth");
  const dir = await Deno.makeTempDir({ prefix: "quarry-payer-" });
  const clock = new FakeClock();
  const lease: Lease = { role: "payer", holder: "test", token: "1" };
  await store.command("HSET", keys.own.lease("payer"), "token", "1");
  const node = createNode({ name: "dev", url: dev.url, timeoutMs: 5_000 });
  const genesis = (await node.getBlock(0))!.hash;
  const payments = createPayments({ store, keys, waitReplicas });
  const accounts = createAccounts({ store, keys });
  const minerSettings = createSettings({ store, keys });
  const records: LogRecord[] = [];
  const options: PayerOptions = {
    requirePeers: 0,
    intervalMs: 60_000,
    autoGas: true,
    gas: 21_000n,
    gasPriceWei: 1_000_000_000n,
    maxFeeWei: 500_000_000_000n,
    thresholdShannon: 1_000n,
    reserveShannon: 0n,
    confirmations: 3,
    inFlight: 1,
    gasLimit: 200_000n,
    feePaidBy: "pool",
    minThresholdShannon: 1_000n,
    ...settings.options,
  };
  let lives = 0, ids = 0;

  return {
    ...{
      store,
      keys,
      dev,
      node,
      clock,
      lease,
      payments,
      accounts,
      minerSettings,
      records,
      from: FROM,
      options,
    },
    endpoint: redis.endpoint,
    redisPort: port,
    journalPath: `${dir}/payments.journal`,

    /** Starts a process; `moment` may throw, `wrap` may put faults before its collaborators. */
    start(
      hooks: {
        moment?: (name: Moment, id: string) => void;
        wrap?: <T extends object>(part: T) => T;
      } = {},
    ): Life {
      lives++;
      const wrap = hooks.wrap ?? (<T>(part: T) => part);
      const journal = openPaymentJournal(`${dir}/payments.journal`, {
        coin: "eth",
        chainId: CHAIN_ID,
        genesis,
      });
      const payer: Payer = {
        node: wrap(node),
        payments: wrap(payments),
        pause: () => readPayoutsPause({ store, keys }),
        accounts,
        settings: minerSettings,
        journal: wrap(journal),
        signer: wrap(
          settings.signer?.(dev.url) ?? openSigner(
            { kind: "key", key: { variable: "KEY" } },
            FROM,
            { read: { file: () => "", mode: () => null, env: () => PAYER_KEY }, timeoutMs: 5_000 },
          ),
        ),
        clock,
        log: createLogger((record) => records.push(record), "payer", "debug"),
        options,
        ledgerServer: () => store.server,
        chainId: CHAIN_ID,
        newId: () => `life${lives}-${ids++}`,
        event: () => {},
        ...(hooks.moment === undefined ? {} : { moment: hooks.moment }),
      };
      return { payer, ...createRun(payer), close: () => journal.close() };
    },

    /** Steps a process, with a block after each step, until `done` or for `steps` steps. */
    async drive(life: Life, done: () => Promise<boolean>, steps = 60): Promise<void> {
      for (let i = 0; i < steps; i++) {
        await life.step(lease);
        dev.chain.mine(1);
        await clock.advance(31_000);
        if (await done()) return;
      }
      throw new Error("The payer did not come to an end");
    },

    /** Whether no payment is open and none is due. */
    async isQuiet(): Promise<boolean> {
      if ((await payments.open()).length > 0) return false;
      const held = new Set(await payments.held());
      for await (const page of accounts.all()) {
        const due = page.some((account) =>
          account.balanceShannon >= options.thresholdShannon && !held.has(account.login)
        );
        if (due) return false;
      }
      return true;
    },

    /** Gives a miner a balance, as a matured block does. */
    async credit(login: string, amountShannon: bigint): Promise<void> {
      await store.multi([
        ["HINCRBY", keys.miner(login), "balance", `${amountShannon}`],
        ["HINCRBY", keys.finances(), "balance", `${amountShannon}`],
      ]);
    },

    /** What a miner has received on the chain (wei). */
    receivedWei: (login: string) => node.getBalance(login),

    /** Σ balance + pending + paid of the miners, and the same of `finances`. */
    async sums(): Promise<{ minersShannon: bigint; financesShannon: bigint }> {
      let minersShannon = 0n;
      for await (const page of accounts.all()) {
        for (const one of page) {
          minersShannon += one.balanceShannon + one.pendingShannon + one.paidShannon;
        }
      }
      const pool = await accounts.finances();
      return {
        minersShannon,
        financesShannon: pool.balanceShannon + pool.pendingShannon + pool.paidShannon,
      };
    },

    async [Symbol.asyncDispose]() {
      await store.close();
      await dev[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

/** An open world. */
export type PayerWorld = Awaited<ReturnType<typeof openPayerWorld>>;

/** Dies before or after the n-th effect of everything that it wraps. */
export function crashAt(nth: number, when: "before" | "after") {
  let count = 0;
  const wrap = <T extends object>(part: T): T =>
    new Proxy(part, {
      get(target, name) {
        const value = Reflect.get(target, name);
        if (typeof value !== "function" || name === "entries" || name === "close") return value;
        return async (...args: unknown[]) => {
          const here = ++count === nth;
          if (here && when === "before") throw new Crash(`before ${String(name)}`);
          const result = await value.apply(target, args);
          if (here) throw new Crash(`after ${String(name)}`);
          return result;
        };
      },
    });
  return { wrap, reached: () => count >= nth };
}

/** A transaction of the paying key that the pool knows nothing of. */
export async function sendForeign(world: PayerWorld, nonce: number): Promise<string> {
  const raw = await payerAccount.signTransaction({
    ...{ type: "legacy", chainId: 1337, nonce, to: minerAddress(999) as Hex },
    ...{ value: 1n, gas: 21_000n, gasPrice: 2_000_000_000n },
  });
  return await world.node.sendRawTransaction(raw);
}
