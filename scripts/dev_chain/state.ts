/** Balances and nonces of the development chain: what a block does to them. */
import type { Hex } from "viem";
import {
  blockRewardWei,
  nephewRewardWei,
  type Network,
  uncleRewardWei,
} from "../../modules/chain/mod.ts";
import type { Block, ReceiptRow } from "./block.ts";
import { callMultisend, MULTISEND, multisendGas } from "./multisend.ts";
import { effectivePrice, intrinsicGas, type PoolTransaction } from "./transaction.ts";

/** One account. */
export interface Account {
  balanceWei: bigint;
  nonce: number;
}

/** Every account that was ever touched. */
export type Accounts = ReadonlyMap<string, Account>;

const NOTHING: Account = { balanceWei: 0n, nonce: 0 };

/** An account, empty when it was never touched. */
export function accountOf(accounts: Accounts, address: string): Account {
  return accounts.get(address.toLowerCase()) ?? NOTHING;
}

/** What a block is made of, as far as money is concerned. */
export interface BlockPlan {
  number: number;
  miner: Hex;
  gasLimit: bigint;
  baseFeePerGas?: bigint;
  transactions: readonly PoolTransaction[];
  uncles: readonly Block[];
}

/** What came of it; transactions that do not fit are left out. */
export interface BlockResult {
  state: Accounts;
  transactions: PoolTransaction[];
  receipts: ReceiptRow[];
  gasUsed: bigint;
}

/** Pays rewards and runs transactions on top of the parent's accounts. */
export function execute(
  parent: Accounts,
  plan: BlockPlan,
  rules: { network: Network; reverts: ReadonlySet<string> },
): BlockResult {
  const state = new Map(parent);
  const included: PoolTransaction[] = [], receipts: ReceiptRow[] = [];
  let gasUsed = 0n;
  for (const tx of plan.transactions) {
    const receipt = run(state, tx, plan, gasUsed, rules.reverts);
    if (receipt === undefined) continue;
    included.push(tx);
    receipts.push(receipt);
    gasUsed += receipt.gasUsed;
  }
  let rewardWei = blockRewardWei(rules.network, plan.number);
  for (const uncle of plan.uncles) {
    rewardWei += nephewRewardWei(rules.network, plan.number);
    add(
      state,
      uncle.header.miner,
      uncleRewardWei(rules.network, plan.number, uncle.header.number),
    );
  }
  add(state, plan.miner, rewardWei);
  return { state, transactions: included, receipts, gasUsed };
}

function run(
  state: Map<string, Account>,
  tx: PoolTransaction,
  plan: BlockPlan,
  gasBefore: bigint,
  reverts: ReadonlySet<string>,
): ReceiptRow | undefined {
  const baseFee = plan.baseFeePerGas ?? 0n;
  const price = effectivePrice(tx, baseFee);
  const called = tx.to === MULTISEND && tx.data !== "0x";
  const gasUsed = intrinsicGas(tx.data, tx.to === undefined) +
    (called ? multisendGas(tx.data) : 0n);
  const sender = accountOf(state, tx.from);
  const fits = tx.nonce === sender.nonce && tx.maxFeePerGas >= baseFee && tx.gas >= gasUsed &&
    gasBefore + tx.gas <= plan.gasLimit &&
    sender.balanceWei >= tx.gas * tx.maxFeePerGas + tx.valueWei;
  if (!fits) return undefined;
  const outcome = called ? callMultisend(tx, reverts) : undefined;
  const moves = called
    ? outcome?.moves ?? []
    : tx.to === undefined || reverts.has(tx.to)
    ? []
    : [{ to: tx.to, valueWei: tx.valueWei }];
  const succeeded = called ? outcome !== undefined : tx.to === undefined || moves.length > 0;
  const movedWei = tx.to === undefined
    ? tx.valueWei
    : moves.reduce((sum, { valueWei }) => sum + valueWei, 0n);
  state.set(tx.from, {
    balanceWei: sender.balanceWei - movedWei - gasUsed * price,
    nonce: sender.nonce + 1,
  });
  for (const { to, valueWei } of moves) add(state, to, valueWei);
  add(state, plan.miner, gasUsed * (price - baseFee));
  return { gasUsed, effectiveGasPrice: price, succeeded, logs: outcome?.logs ?? [] };
}

function add(state: Map<string, Account>, address: string, amountWei: bigint): void {
  const account = accountOf(state, address);
  state.set(address.toLowerCase(), {
    ...account,
    balanceWei: account.balanceWei + amountWei,
  });
}
