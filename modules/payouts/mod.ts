/**
 * The payer: balances become payments, signed here, and each is paid exactly once.
 * Balances, a lease and a node come in; transactions, bookings and milestones go out.
 * This room never sees a share, and the key never leaves its Deno worker.
 */
export { HaltError, RESOLVE_PAYOUT_NOTICE } from "./halt.ts";
export {
  type Fee,
  type FeeFacts,
  type FeeOptions,
  gasCostWei,
  type Quote,
  quoteFee,
} from "./fees.ts";
export {
  type JournalEntry,
  type JournalScope,
  openPaymentJournal,
  type PaymentJournal,
} from "./journal.ts";
export { type PayerDeps, type PayerLease, runPayer } from "./loop.ts";
export { type OpenDeps, type OpenedRun, openRun, payerLease, type PayerSetup } from "./open.ts";
export type { Moment, Payer, PayerNode, PayerOptions } from "./payer.ts";
export { type Plan, type PlanFacts, type PlannedPayment, planPayments } from "./plan.ts";
export { type Explained, explainOpen, type ExplainReader, type Explanation } from "./explain.ts";
export { type Preview, type PreviewReader, previewRun } from "./preview.ts";
export { fateOfOldPayment, type OldFate } from "./old_payments.ts";
export { MULTISEND_CREATION, MULTISEND_RUNTIME } from "./contracts/multisend_code.ts";
export { payeesOf } from "./multisend.ts";
export { createRun, type Run, type StepResult } from "./run.ts";
export { type KeyReader, keyRights } from "./key_sources.ts";
export { decryptKeystore } from "./keystore.ts";
export * from "./settings_message.ts";
export { openSigner, type Signer } from "./signer.ts";
export type { PayerWorkerOptions, ToPayer } from "./worker_options.ts";
