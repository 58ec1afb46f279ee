/**
 * Full datasets behind the light caches: prepared one after the other in the background, within a
 * memory limit, and never in the way. Whatever goes wrong, shares are hashed over the light cache.
 */
import type { Logger } from "../base/mod.ts";
import type { Context } from "./contexts.ts";
import { VerifierClosedError } from "./errors.ts";
import type { DatasetProgress, NativeLibrary } from "./library.ts";

/** Whether and where full datasets are kept. */
export interface DagOptions {
  /** `memory`: in this process; `file`: mapped from `dir`, shared by all processes that use it. */
  mode: "off" | "memory" | "file";
  /** Directory of the dataset files, required for mode `file`. */
  dir?: string;
  /** What all datasets together may take (bytes); a mapped file counts too. @default {Infinity} */
  memoryLimitBytes?: number;
  /** Threads of lowest priority that generate. @default {0, one per core} */
  threads?: number;
  /** Called every second while a dataset is prepared. */
  onProgress?: (progress: DagProgress) => void;
}

/** How far a dataset is. */
export interface DagProgress extends Pick<DatasetProgress, "phase" | "done" | "total"> {
  epoch: number;
}

const DATASET_ITEM_BYTES = 128;
const REPORT_MS = 1000;
/** A failed dataset is tried again after this time. */
const RETRY_MS = 600_000;

/** Keeps the datasets of wanted contexts. */
export class Datasets {
  #library: NativeLibrary;
  #log: Logger;
  #options: DagOptions;
  #wanted: Context[] = [];
  #keepRounds = 0;
  /** Bytes of each dataset that is attached through us, by handle. */
  #attached = new Map<number, { context: Context; bytes: number }>();
  /** When a handle's dataset failed (performance.now()), Infinity when it never fits. */
  #failed = new Map<number, number>();
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(library: NativeLibrary, options: DagOptions, log: Logger) {
    if (options.mode === "file" && !options.dir) {
      throw new RangeError(`Cannot keep datasets in files: set dag.dir`);
    }
    this.#library = library;
    this.#options = options;
    this.#log = log;
  }

  /**
   * Prepares the datasets of these contexts, in this order; others give way when memory is short.
   *
   * @param oldest seed rounds below which dataset files are not needed any more
   */
  want(contexts: Context[], oldest: number): void {
    if (this.#options.mode === "off" || this.#closed) return;
    this.#wanted = contexts;
    this.#keepRounds = oldest;
    this.#running ??= this.#run().finally(() => this.#running = undefined);
  }

  /** A context was closed, and its dataset with it. */
  forget(handle: number): void {
    this.#attached.delete(handle);
    this.#failed.delete(handle);
  }

  /** Starts nothing more; what runs ends when its context is closed. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      await this.#prepare(next.context, next.bytes);
    }
  }

  /** The first wanted context without dataset that fits; makes room for it. */
  #next(): { context: Context; bytes: number } | undefined {
    if (this.#closed) return undefined;
    for (const context of this.#wanted) {
      if (this.#attached.has(context.handle) || this.#isResting(context.handle)) continue;
      const bytes = this.#library.contextInfo(context.handle).datasetItems * DATASET_ITEM_BYTES;
      if (bytes === 0) continue;
      if (this.#makeRoom(bytes, context)) return { context, bytes };
    }
    return undefined;
  }

  #isResting(handle: number): boolean {
    const failed = this.#failed.get(handle);
    return failed !== undefined && performance.now() - failed < RETRY_MS;
  }

  #makeRoom(bytes: number, context: Context): boolean {
    const limit = this.#options.memoryLimitBytes ?? Number.POSITIVE_INFINITY;
    const used = () => this.#attached.values().reduce((sum, { bytes }) => sum + bytes, 0);
    for (const [handle, { context }] of this.#attached) {
      if (used() + bytes <= limit) break;
      if (this.#wanted.includes(context)) continue;
      this.#library.detachDataset(handle);
      this.#attached.delete(handle);
      this.#log.info("dataset.released", { epoch: context.epoch.epoch });
    }
    if (used() + bytes <= limit) return true;
    if (bytes > limit) {
      const facts = { epoch: context.epoch.epoch, bytes, memoryLimitBytes: limit };
      this.#log.warn("dataset.tooLarge", facts);
      this.#failed.set(context.handle, Number.POSITIVE_INFINITY);
    }
    return false;
  }

  async #prepare(context: Context, bytes: number): Promise<void> {
    const { mode, dir, threads = 0 } = this.#options;
    const directory = mode === "file" ? dir : undefined;
    const { handle, epoch: { epoch } } = context;
    this.#log.info("dataset.prepare", { epoch, mode, bytes });
    const startMs = performance.now();
    const stopReports = this.#report(context);
    try {
      await this.#library.prepareDataset(handle, directory, threads);
      this.#attached.set(handle, { context, bytes });
      this.#failed.delete(handle);
      const tookMs = Math.round(performance.now() - startMs);
      this.#log.info("dataset.ready", { epoch, mode, tookMs });
      if (directory !== undefined) await this.#prune(directory);
    } catch (error) {
      if (error instanceof VerifierClosedError || this.#closed) return;
      this.#failed.set(handle, performance.now());
      this.#log.warn("dataset.failed", { epoch, mode, fallback: "light", error });
    } finally {
      stopReports();
    }
  }

  async #prune(directory: string): Promise<void> {
    const removed = await this.#library.pruneDatasets(directory, this.#keepRounds);
    if (removed > 0) this.#log.info("dataset.pruned", { directory, removed });
  }

  /** Tells how far the dataset is, every second and in the log every tenth. */
  #report(context: Context): () => void {
    let logged = "";
    /** Where the phase began: rate and time left are its own. */
    let begun: { phase: string; done: number; atMs: number } | undefined;
    const timer = setInterval(() => {
      if (this.#closed) return;
      const { phase, done, total } = this.#library.datasetProgress(context.handle);
      const progress = { epoch: context.epoch.epoch, phase, done, total };
      const nowMs = performance.now();
      if (begun?.phase !== phase) begun = { phase, done, atMs: nowMs };
      this.#options.onProgress?.(progress);
      const percent = total === 0 ? 0 : Math.floor(done / total * 10) * 10;
      const line = `${phase} ${percent}`;
      if (line === logged) return;
      logged = line;
      const perSecond = (done - begun.done) * 1000 / Math.max(1, nowMs - begun.atMs);
      const left = perSecond > 0 ? { secondsLeft: Math.ceil((total - done) / perSecond) } : {};
      const rate = { perSecond: Math.round(perSecond), ...left };
      this.#log.info("dataset.progress", { epoch: progress.epoch, phase, percent, ...rate });
    }, REPORT_MS);
    return () => clearInterval(timer);
  }
}
