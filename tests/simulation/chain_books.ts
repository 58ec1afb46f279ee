/** The auditor's books of money: credits and transfers as the chain's own blocks tell them. */
import type { Block } from "../../scripts/dev_chain/block.ts";
import type { Chain } from "../../scripts/dev_chain/chain.ts";
import { add, type Round } from "./share_model.ts";

const COIN = 10n ** 18n;
const SHANNON = 10n ** 9n;
const REWARD = 2n * COIN;
const WHOLE = 100_000_000n;

/** What the pool's rules say of a block's money. */
export interface MoneyRules {
  coinbase: string;
  /** Millionths of a percent. */
  feeMillionths: bigint;
  /** Lower-case address, or empty. */
  feeAddress: string;
  keepTxFees: boolean;
}

/** What the chain paid for one found block (wei). */
export interface Reward {
  rewardWei: bigint;
  txFeesWei: bigint;
  uncle: boolean;
}

/** Every block and uncle of the heaviest chain that rewards an address, by nonce. */
export function rewardsOf(chain: Chain, coinbase: string): Map<string, Reward> {
  const found = new Map<string, Reward>();
  for (let number = 1; number <= chain.head.header.number; number++) {
    const block = chain.at(number)!;
    if (block.header.miner === coinbase) {
      const uncles = BigInt(block.uncles.length);
      const rewardWei = REWARD + uncles * (REWARD / 32n);
      found.set(block.nonce, { rewardWei, txFeesWei: txFeesWei(block), uncle: false });
    }
    for (const uncle of block.uncles) {
      if (uncle.header.miner !== coinbase) continue;
      const distance = BigInt(number - uncle.header.number);
      const rewardWei = REWARD * (8n - distance) / 8n;
      found.set(uncle.nonce, { rewardWei, txFeesWei: 0n, uncle: true });
    }
  }
  return found;
}

function txFeesWei(block: Block): bigint {
  const base = block.header.baseFeePerGas ?? 0n;
  return block.receipts.reduce(
    (all, { gasUsed, effectiveGasPrice }) => all + gasUsed * (effectiveGasPrice - base),
    0n,
  );
}

/** What the pool's own accounts must say in the end (wei). */
export interface PoolSums {
  reward: bigint;
  extra: bigint;
  fee: bigint;
  dust: bigint;
}

/** What everybody earned in all (Shannon), by the floor rule, and what is left to the pool (wei). */
export function creditsOf(
  rounds: Iterable<Round>,
  rewards: ReadonlyMap<string, Reward>,
  rules: MoneyRules,
): { credits: Map<string, bigint>; pool: PoolSums } {
  const credits = new Map<string, bigint>();
  const pool: PoolSums = { reward: 0n, extra: 0n, fee: 0n, dust: 0n };
  for (const round of rounds) {
    const paid = rewards.get(round.nonce);
    if (paid === undefined) continue;
    const rewardWei = paid.rewardWei + (rules.keepTxFees ? 0n : paid.txFeesWei);
    const extraWei = rules.keepTxFees ? paid.txFeesWei : 0n;
    const feeWei = rewardWei * rules.feeMillionths / WHOLE;
    let creditedWei = 0n;
    for (const [login, share] of round.shares) {
      const amount = (rewardWei - feeWei) * share / (round.total * SHANNON);
      add(credits, login, amount);
      creditedWei += amount * SHANNON;
    }
    if (rules.feeAddress !== "") {
      const amount = (feeWei + extraWei) / SHANNON;
      add(credits, rules.feeAddress, amount);
      creditedWei += amount * SHANNON;
    } else pool.fee += feeWei + extraWei;
    const uncredited = rules.feeAddress === "" ? feeWei + extraWei : 0n;
    pool.reward += rewardWei;
    pool.extra += extraWei;
    pool.dust += rewardWei + extraWei - uncredited - creditedWei;
  }
  return { credits, pool };
}

/** One transaction of the wallet that is in the heaviest chain. */
export interface Transfer {
  hash: string;
  to: string;
  valueWei: bigint;
  nonce: number;
  succeeded: boolean;
}

/** Everything that an address sent and that was mined, in order. */
export function transfersOf(chain: Chain, from: string): Transfer[] {
  const transfers: Transfer[] = [];
  for (let number = 1; number <= chain.head.header.number; number++) {
    const block = chain.at(number)!;
    for (const [i, tx] of block.transactions.entries()) {
      if (tx.from !== from) continue;
      const { hash, to = "", valueWei, nonce } = tx;
      transfers.push({ hash, to, valueWei, nonce, succeeded: block.receipts[i]!.succeeded });
    }
  }
  return transfers;
}
