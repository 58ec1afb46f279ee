/** The chains that money is killed on: the development chain, and real geth without proof of work. */
import { privateKeyToAccount } from "viem/accounts";
import { createNode } from "../../modules/chain/mod.ts";
import { startDevChain } from "../../scripts/dev_chain/start.ts";
import { startGeth } from "./geth.ts";

/** The key that pays, its address, and who gets the pool's and everybody else's blocks. */
export const PAYER_KEY: `0x${string}` = `0x${"07".repeat(32)}`;
export const PAYER = privateKeyToAccount(PAYER_KEY).address.toLowerCase();
export const POOL = "0x" + "ab".repeat(20);
const OTHERS = "0x" + "c0".repeat(20);
/** Reward of a block, and what the payer's wallet begins with. */
export const REWARD_WEI = 2n * 10n ** 18n;
export const WALLET_WEI = 10n ** 24n;

/** A chain that makes blocks when told. */
export interface KillNode {
  readonly url: string;
  readonly chainId: number;
  /** Blocks of others, with the transactions that wait. */
  mine(count: number): Promise<void>;
  /** A block of the pool, as its shares' path hands it in. */
  find(): Promise<{ height: number; nonce: string; header: string; mix: string }>;
  /** Transactions of the payer. */
  transactionCount(tag: "latest" | "pending"): Promise<number>;
}

/** The development chain, which takes any nonce. */
export async function openDevNode(stack: AsyncDisposableStack): Promise<KillNode> {
  const dev = stack.use(
    await startDevChain({
      ...{ coinbase: POOL, alloc: { [PAYER]: WALLET_WEI }, baseFee: true },
      pow: {
        hash: (_height, _header, nonce) =>
          Promise.resolve({ mix: new Uint8Array(32).fill(Number(nonce % 251n)), result: 1n }),
      },
    }),
  );
  dev.chain.mine(1);
  const node = createNode({ name: "dev", url: dev.url, timeoutMs: 10_000 });
  let nonces = 0;
  return {
    ...{ url: dev.url, chainId: 1337 },
    mine(count) {
      dev.chain.mine(count);
      return Promise.resolve();
    },
    async find() {
      const job = await node.getWork();
      const nonce = "0x" + (++nonces).toString(16).padStart(16, "0");
      const mix = "0x" + (nonces % 251).toString(16).padStart(2, "0").repeat(32);
      if (!await node.submitWork(nonce, job!.headerHash, mix)) throw new Error("Block refused");
      return { height: Number(job!.height), nonce, header: job!.headerHash, mix };
    },
    transactionCount: (tag) => node.getTransactionCount(PAYER, tag),
  };
}

/** Real go-ethereum that believes every proof of work: blocks in milliseconds. */
export async function openGethNode(stack: AsyncDisposableStack, dir: string): Promise<KillNode> {
  const geth = stack.use(
    await startGeth({
      ...{ dir, coinbase: OTHERS, alloc: { [PAYER]: WALLET_WEI } },
      flags: ["--miner.noverify"],
    }),
  );
  const node = createNode({ name: "geth", url: geth.url, timeoutMs: 10_000 });
  let nonces = 0;
  /** Makes the block that geth works at. */
  async function seal() {
    for (;;) {
      const height = await node.blockNumber() + 1;
      const [header, , , next] = await geth.call<string[]>("eth_getWork");
      const nonce = "0x" + (++nonces).toString(16).padStart(16, "0");
      const mix = "0x" + "11".repeat(32);
      if (Number(next) !== height) continue;
      if (!await geth.call<boolean>("eth_submitWork", nonce, header, mix)) continue;
      while (await node.blockNumber() < height) await new Promise((done) => setTimeout(done, 2));
      return { height, nonce, header: header!, mix };
    }
  }
  return {
    ...{ url: geth.url, chainId: geth.chainId },
    async mine(count) {
      for (let i = 0; i < count; i++) await seal();
    },
    async find() {
      // A new coinbase holds from the next work on.
      await geth.call("miner_setEtherbase", POOL);
      await seal();
      await geth.call("miner_setEtherbase", OTHERS);
      const found = await seal();
      const block = await node.getBlock(found.height);
      if (block?.miner !== POOL) throw new Error(`Block ${found.height} is ${block?.miner}'s`);
      return found;
    },
    transactionCount: (tag) => node.getTransactionCount(PAYER, tag),
  };
}
