/** What the payer's Deno worker is started with. */
import type { RedisOptions } from "../ledger/mod.ts";
import type { CommonWorkerOptions } from "../workers/mod.ts";
import type { PayerSetup } from "./open.ts";
import type { PayerOptions } from "./payer.ts";

/** Plain data; the key is not in it, only where it is. */
export interface PayerWorkerOptions extends CommonWorkerOptions, PayerSetup {
  redis: RedisOptions & PayerSetup["redis"];
  /** Unique name of this instance: the holder of the lease. */
  instance: string;
}

/** What the main thread tells the payer. */
export type ToPayer =
  /** Look now: payments were paused, or may go on. */
  | { kind: "look" }
  /** Have the next run begin now. */
  | { kind: "run" }
  /** Options of the runs to come. */
  | { kind: "options"; options: PayerOptions };
