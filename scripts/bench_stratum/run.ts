/** `scripts/bench stratum`: shares a second, latency, memory and broadcasts of a whole pool. */
import { crowd, heldSessions } from "./crowd.ts";
import { type Figure, say, sayFigures, writeFigures } from "./figures.ts";
import { ledgerSide } from "./ledger_side.ts";
import { buildPrograms } from "./parts.ts";
import { datasetShares, lightShares, twoWorkers } from "./shares.ts";

/** Parts of the bench. */
export const STRATUM_PARTS = ["light", "dag", "crowd", "sessions", "workers", "ledger"] as const;
/** One part. */
export type StratumPart = typeof STRATUM_PARTS[number];

/** Settings of a run. */
export interface StratumBenchOptions {
  out: string;
  /** Stratum Deno workers of the pool. */
  threads: number;
  /** Seconds of each load. */
  seconds: number;
  /** Shares of the part `ledger`, by each scheme. */
  shares: number;
  parts: StratumPart[];
}

/** Runs the parts, prints the table and writes JSON. */
export async function benchStratum(options: StratumBenchOptions): Promise<void> {
  say("Building the load generator and the broadcaster");
  await buildPrograms();
  const runs: Record<
    StratumPart,
    (settings: StratumBenchOptions & { dir: string }) => Promise<Figure[]>
  > = {
    light: lightShares,
    dag: datasetShares,
    crowd,
    sessions: heldSessions,
    workers: twoWorkers,
    ledger: ledgerSide,
  };
  const figures: Figure[] = [];
  for (const part of options.parts) {
    const dir = await Deno.makeTempDir({ prefix: "quarry-bench-" });
    try {
      figures.push(...await runs[part]({ ...options, dir }));
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  }
  await writeFigures(options.out, figures);
  sayFigures(figures);
}
