/** Asks the nodes for work, notices change and dead sources, and publishes each job once. */
import { type Clock, errorText, type Logger } from "../base/mod.ts";
import type { Bell } from "./bell.ts";
import { type Job, jobOf, type WorkPackage } from "./job.ts";

/** Where work comes from: the first healthy node. */
export interface WorkSource {
  /** Name of the node that is asked now. */
  readonly name: string;
  /** Its work; undefined when the chain moved while it was asked. */
  getWork(): Promise<WorkPackage | undefined>;
}

/** Settings of the watch. */
export interface WatchOptions {
  /** Pause between two questions (milliseconds): `blockRefreshInterval`. */
  intervalMs: number;
  /** Work older than this without a sign of life from a node is withdrawn (milliseconds). */
  staleAfterMs: number;
}

/** What the watch tells. */
export interface WatchDeps {
  /** The source to ask now; undefined when no node is healthy. */
  source(): WorkSource | undefined;
  clock: Clock;
  log: Logger;
  onJob(job: Job): void;
  /** Work is withdrawn: no node has answered for `staleAfterMs`. */
  onWorkLost(reason: string): void;
  /** Rings when a node has news: the next question comes at once. */
  bell?: Bell;
  /** A question failed; the caller may look for another node. */
  onFailure(node: string, error: unknown): void;
}

/** Polls until the signal is aborted. */
export async function watchWork(
  options: WatchOptions,
  deps: WatchDeps,
  signal: AbortSignal,
): Promise<void> {
  const { clock, log, bell } = deps;
  let lastHeader = "";
  let lastAnswerMs = clock.now();
  let lost = false;
  while (!signal.aborted) {
    // What rings from here on is answered by another question.
    bell?.reset();
    const source = deps.source();
    try {
      const work = await source?.getWork();
      if (signal.aborted) break;
      if (work !== undefined && source !== undefined) {
        lastAnswerMs = clock.now();
        if (work.headerHash !== lastHeader || lost) {
          lastHeader = work.headerHash;
          if (lost) log.info("work.back", { node: source.name });
          lost = false;
          deps.onJob(jobOf(work, source.name, clock.now()));
        }
      }
    } catch (error) {
      if (signal.aborted) break;
      log.debug("work.failed", { node: source?.name, error });
      if (source !== undefined) deps.onFailure(source.name, error);
      lost = withdrawIfStale(lost, errorText(error));
    }
    if (source === undefined) lost = withdrawIfStale(lost, "no node is healthy");
    await pause();
  }

  async function pause(): Promise<void> {
    if (bell === undefined) return await clock.sleep(options.intervalMs, signal).catch(() => {});
    const woken = new AbortController();
    const sleep = clock.sleep(options.intervalMs, AbortSignal.any([signal, woken.signal]));
    await Promise.race([sleep.catch(() => {}), bell.rung]);
    woken.abort(new Error("rung"));
  }

  function withdrawIfStale(already: boolean, reason: string): boolean {
    const silentMs = clock.now() - lastAnswerMs;
    if (already || silentMs < options.staleAfterMs) return already;
    log.error("work.lost", { silentMs, reason });
    deps.onWorkLost(reason);
    return true;
  }
}
