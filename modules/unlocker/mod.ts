/**
 * The unlocker: found blocks become credits, balances or orphans, as the chain decides.
 * Candidates of the ledger and blocks of a node come in; transitions of the ledger go out.
 * This room never sends money, never sees a key to the wallet and never judges a share.
 */
export { type LoopDeps, type LoopOptions, runLoop } from "./loop.ts";
export { type Match, matchBlock, type Sought } from "./match.ts";
export { type SettlePlan, type SettleRules } from "./settle.ts";
export { type Split, type SplitInput, splitReward } from "./split.ts";
export { type UnlockDeps, unlockPass, type UnlockReport, type UnlockRules } from "./unlock.ts";
export { type ToUnlocker, unlockerOptions, type UnlockerWorkerOptions } from "./options.ts";
