/** What every step of a payment works with. */
import type { Clock, Logger } from "../base/mod.ts";
import type { Node } from "../chain/mod.ts";
import type { PayoutsConfig } from "../config/mod.ts";
import type { Accounts, Payments, PayoutsPause, Settings } from "../ledger/mod.ts";
import type { PaymentJournal } from "./journal.ts";
import type { Signer } from "./signer.ts";

/** The calls that the payer makes to its node. */
export type PayerNode = Pick<
  Node,
  | "name"
  | "chainId"
  | "blockNumber"
  | "syncing"
  | "peerCount"
  | "getBlock"
  | "getReceipt"
  | "getTransactionCount"
  | "getBalance"
  | "gasPrice"
  | "maxPriorityFeePerGas"
  | "baseFee"
  | "estimateGas"
  | "sendRawTransaction"
  | "sendTransaction"
  | "getTransaction"
  | "pendingTransactions"
  | "getCode"
>;

/** A moment between two effects of a payment, in their order. */
export type Moment =
  | "quoted"
  | "reserved"
  | "built"
  | "signed"
  | "journalled"
  | "broadcast"
  | "sent";

/** The payer's settings; the configuration's `payouts` has them all. */
export type PayerOptions = Pick<
  PayoutsConfig,
  | "requirePeers"
  | "intervalMs"
  | "autoGas"
  | "gas"
  | "gasPriceWei"
  | "maxFeeWei"
  | "thresholdShannon"
  | "reserveShannon"
  | "confirmations"
  | "inFlight"
  | "bumpAfterMs"
  | "gasLimit"
  | "feePaidBy"
  | "dailyCapShannon"
  | "minThresholdShannon"
  | "batch"
>;

/** Everything a step of a payment needs. */
export interface Payer {
  node: PayerNode;
  payments: Payments;
  accounts: Accounts;
  settings: Settings;
  journal: PaymentJournal;
  signer: Signer;
  clock: Clock;
  log: Logger;
  options: PayerOptions;
  /** Whether Redis cannot forget what it acknowledged (`redis.waitReplicas`): any journal will do. */
  ledgerKeepsAll?: boolean;
  /** Which Redis answers (`Store.server`): another one may have lost what was acknowledged. */
  ledgerServer?(): string;
  /** Whether payments are paused by hand; missing: never. */
  pause?(): Promise<PayoutsPause | undefined>;
  /** Chain id that every transaction is signed for. */
  chainId: number;
  /** Makes the id of a new payment; never the same twice. */
  newId(): string;
  /** Announces a milestone ("payment.sent", "payment.confirmed", ...). */
  event(name: string, facts: Record<string, unknown>): void;
  /** Called between two effects; tests let the process die there. */
  moment?(name: Moment, id: string): void;
}
