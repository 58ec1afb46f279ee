/** Transactions that wait for a block: geth's checks, replacement by price, order by nonce. */
import { RpcFault } from "./fault.ts";
import { accountOf, type Accounts } from "./state.ts";
import { intrinsicGas, type PoolTransaction } from "./transaction.ts";

/** The waiting transactions. */
export interface Mempool {
  /** Grows with every change; work is rebuilt when it moves. */
  readonly version: number;
  /** All that wait, in no order. */
  all(): PoolTransaction[];
  get(hash: string): PoolTransaction | undefined;
  /** Takes a new transaction. @throws {RpcFault} with geth's words */
  add(tx: PoolTransaction, state: Accounts): void;
  /** Forgets a transaction; false when it was not here. */
  drop(hash: string): boolean;
  /** While held, no block takes transactions. */
  hold(held: boolean): void;
  /** What the next block may take, in order. */
  ready(state: Accounts): PoolTransaction[];
  /** The next nonce of a sender, waiting transactions included. */
  pendingNonce(address: string, state: Accounts): number;
  /** After a change of head: takes back what left the chain, forgets what is mined. */
  headChanged(removed: readonly PoolTransaction[], state: Accounts): void;
}

/** An empty pool. */
export function createMempool(): Mempool {
  const waiting = new Map<string, PoolTransaction>();
  let version = 0, held = false;

  function ofSender(address: string): PoolTransaction[] {
    return [...waiting.values()].filter((tx) => tx.from === address.toLowerCase())
      .sort((a, b) => a.nonce - b.nonce);
  }
  function runOf(address: string, state: Accounts): PoolTransaction[] {
    let next = accountOf(state, address).nonce;
    const run: PoolTransaction[] = [];
    for (const tx of ofSender(address)) {
      if (tx.nonce !== next) break;
      run.push(tx);
      next++;
    }
    return run;
  }

  return {
    get version() {
      return version;
    },
    all: () => [...waiting.values()],
    get: (hash) => waiting.get(hash),
    add(tx, state) {
      if (waiting.has(tx.hash)) throw new RpcFault(-32000, "already known");
      const account = accountOf(state, tx.from);
      if (tx.nonce < account.nonce) throw new RpcFault(-32000, "nonce too low");
      if (tx.gas < intrinsicGas(tx.data, tx.to === undefined)) {
        throw new RpcFault(-32000, "intrinsic gas too low");
      }
      const siblings = ofSender(tx.from);
      const replaced = siblings.find((other) => other.nonce === tx.nonce);
      const spentWei = siblings.filter((other) => other.nonce < tx.nonce)
        .reduce((sum, other) => sum + costWei(other), 0n);
      if (account.balanceWei < spentWei + costWei(tx)) {
        throw new RpcFault(-32000, "insufficient funds for gas * price + value");
      }
      if (replaced !== undefined && !outbids(tx, replaced)) {
        throw new RpcFault(-32000, "replacement transaction underpriced");
      }
      if (replaced !== undefined) waiting.delete(replaced.hash);
      waiting.set(tx.hash, tx);
      version++;
    },
    drop(hash) {
      version++;
      return waiting.delete(hash);
    },
    hold(next) {
      held = next;
      version++;
    },
    ready(state) {
      if (held) return [];
      const senders = new Set([...waiting.values()].map((tx) => tx.from));
      return [...senders].flatMap((sender) => runOf(sender, state));
    },
    pendingNonce: (address, state) =>
      accountOf(state, address).nonce + runOf(address, state).length,
    headChanged(removed, state) {
      for (const tx of removed) waiting.set(tx.hash, tx);
      for (const tx of waiting.values()) {
        if (tx.nonce < accountOf(state, tx.from).nonce) waiting.delete(tx.hash);
      }
      version++;
    },
  };
}

/** geth replaces only when both prices rise by a tenth. */
function outbids(tx: PoolTransaction, other: PoolTransaction): boolean {
  return tx.maxFeePerGas * 10n >= other.maxFeePerGas * 11n &&
    tx.maxPriorityFeePerGas * 10n >= other.maxPriorityFeePerGas * 11n;
}

function costWei(tx: PoolTransaction): bigint {
  return tx.gas * tx.maxFeePerGas + tx.valueWei;
}
