/** The clock of statistics: collects and purges at their intervals until told to stop. */
import type { Clock, Logger } from "../base/mod.ts";
import type { Collector } from "./collect.ts";

/** How often; part of the configuration's `api`. */
export interface RunOptions {
  statsCollectIntervalMs: number;
  purgeIntervalMs: number;
}

/**
 * Runs until the signal; resolves when nothing is under way any more.
 *
 * A failure is logged, the former snapshot stays and carries its own time.
 */
export async function runStats(
  options: RunOptions,
  deps: { collector: Collector; clock: Clock; log: Logger },
  signal: AbortSignal,
): Promise<void> {
  const { collector, clock, log } = deps;
  let failing = false;
  async function collect() {
    try {
      await collector.collect();
      if (failing) log.info("stats.collectedAgain");
      failing = false;
    } catch (error) {
      // Once per outage: each further failure is the same news.
      if (!failing) log.warn("stats.notCollected", { error, note: "the last snapshot stays" });
      failing = true;
    }
  }
  async function purge() {
    try {
      const removed = await collector.purge();
      if (removed > 0) log.info("stats.purged", { removed });
    } catch (error) {
      log.warn("stats.notPurged", { error });
    }
  }
  async function every(ms: number, work: () => Promise<void>) {
    while (!signal.aborted) {
      await work();
      await clock.sleep(ms, signal).catch(() => {});
    }
  }
  await Promise.all([
    every(options.purgeIntervalMs, purge),
    every(options.statsCollectIntervalMs, collect),
  ]);
}
