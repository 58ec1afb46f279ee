/** What the endpoints of `/api/v2` work with. */
import type { Clock, Logger } from "../../base/mod.ts";
import type { Overview, ViewDeps } from "../../ledger/mod.ts";
import type { Latest } from "../latest.ts";
import type { MiningHealth } from "../readiness.ts";
import type { PoolFacts } from "./facts.ts";

/** One set for all of them. */
export interface V2Deps extends ViewDeps {
  clock: Clock;
  log: Logger;
  facts: PoolFacts;
  overview: Latest<Overview>;
  mining(): MiningHealth | undefined;
  /** Pause between collections (milliseconds). */
  statsCollectIntervalMs: number;
}

/** Time of the last snapshot; now before the first. */
export async function asOf({ overview, clock }: V2Deps): Promise<number> {
  return (await overview.get())?.collectedAtMs ?? clock.now();
}
