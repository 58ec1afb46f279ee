/** What the payer's Deno worker is started with. */
import type { RedisOptions } from "../ledger/mod.ts";
import type { CommonWorkerOptions } from "../workers/mod.ts";
import type { PayerSetup } from "./open.ts";

/** Plain data; the key is not in it, only where it is. */
export interface PayerWorkerOptions extends CommonWorkerOptions, PayerSetup {
  redis: RedisOptions & PayerSetup["redis"];
  /** Unique name of this instance: the holder of the lease. */
  instance: string;
}
