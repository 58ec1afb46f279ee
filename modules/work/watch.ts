/**
 * Watches the nodes for work and publishes each job once.
 *
 * The first healthy node is asked at intervals; a node that pushes, or tells of a new head, is
 * asked at once, whichever it is. When the first one fails, hangs or is behind, the others are
 * asked too. What replaces what is `choice.ts`.
 */
import { type Clock, errorText, type Logger } from "../base/mod.ts";
import { choose, doubtOf, isBehind } from "./choice.ts";
import { type Job, jobOf, type WorkPackage } from "./job.ts";
import { type Answer, SourceState } from "./source_state.ts";

/** A node that gives work. */
export interface WorkSource {
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

/** What the watch needs, and whom it tells. */
export interface WatchDeps {
  /** The healthy nodes, the preferred one first. */
  sources(): readonly WorkSource[];
  /** Has the nodes' health checked anew. */
  recheck(): Promise<void>;
  clock: Clock;
  log: Logger;
  onJob(job: Job): void;
  /** There is no work to hand out any more. */
  onWorkLost(reason: string): void;
}

/** What became of a push. */
export type PushFate =
  /** It is mined at once, and the node is asked to confirm it. */
  | "mined"
  /** The node was asked for its work. */
  | "rang"
  /** It is no news, or its node is not healthy. */
  | "ignored";

/** A node that has not answered for so long is not waited for: the others are asked (milliseconds). */
const PATIENCE_MS = 1_000;
/** Work so far above everything seen may be another chain's: the node is checked first. */
const JUMP_HEIGHTS = 16;
/** Times that a node which rang is asked until it has the work it rang for. */
const RING_TRIES = 6;
/** Pause before the second of these questions (milliseconds); it doubles. */
const RING_PAUSE_MS = 25;
/** Pushes of sick nodes are told to the log at most this often (milliseconds). */
const IGNORED_LOG_MS = 60_000;
/** Questions under way may take this long at the end (milliseconds). */
const CLOSE_MS = 1_000;

/** The watch over all nodes of one process. */
export class WorkWatch {
  readonly #states = new Map<string, SourceState>();
  readonly #open = new Set<Promise<unknown>>();
  readonly #end = new AbortController();
  /** What is handed out. */
  #job: Job | undefined;
  #highest = 0;
  #order = 0;
  #lastAnswerMs: number;
  #ignoredLogMs = -Infinity;
  #lost = false;

  constructor(readonly options: WatchOptions, readonly deps: WatchDeps) {
    this.#lastAnswerMs = deps.clock.now();
  }

  /** A height that shares were taken for, by whomever: what is far below it is not handed out. */
  sawHeight(height: number): void {
    this.#highest = Math.max(this.#highest, height);
  }

  /** A node has news, for work of at least that height if it is known: it is asked at once. */
  ring(node: string, height = 0): void {
    const source = this.#source(node);
    if (source === undefined || this.#end.signal.aborted) return;
    const state = this.#state(node);
    state.expected = Math.max(state.expected, height);
    if (state.ringing) state.ringAgain();
    else this.#keep(this.#follow(source, state));
  }

  /** Work that a node gave in a check, which may be older than what was heard since. */
  hear(node: string, work: WorkPackage): void {
    const state = this.#state(node);
    const isNews = work.height > (this.#job?.height ?? 0) || this.#job === undefined;
    this.#answer(node, work, isNews ? ++this.#order : state.order - 1);
  }

  /** Work that a node pushed; without a height it only rings. */
  push(node: string, work: WorkPackage | undefined, height = work?.height): PushFate {
    const { clock, log } = this.deps;
    if (this.#source(node) === undefined) {
      this.#logIgnored(node);
      return "ignored";
    }
    const state = this.#state(node);
    if (state.flow.pushed(height)) log.info("push.back", { node });
    if (work !== undefined && work.headerHash === state.said?.headerHash) state.trust.agrees();
    if (work !== undefined && work.headerHash === this.#job?.headerHash) return "ignored";
    const doubt = work === undefined
      ? "it tells no height, or no seal hash"
      : state.trust.distrusts(clock.now())
      ? "others in its node's name were not the node's"
      : doubtOf(work, state.said, this.#job);
    if (doubt === undefined && this.#offer(node, work!) === "take") {
      state.order = ++this.#order;
      state.trust.mined(work!, clock.now());
      this.ring(node, work!.height);
      return "mined";
    }
    log.debug("push.rings", { node, height, doubt });
    // Only as far as it can be believed: nobody is asked again and again for what cannot be.
    this.ring(node, doubt === undefined ? height : 0);
    return "rang";
  }

  /** Asks until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => this.#end.abort(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    const { clock } = this.deps;
    while (!signal.aborted) {
      await this.#poll();
      await clock.sleep(this.options.intervalMs, signal).catch(() => {});
    }
    await this.#within(Promise.allSettled(this.#open), CLOSE_MS);
  }

  /** One question to the first node, and to the others when it is not enough. */
  async #poll(): Promise<void> {
    const [first, ...others] = this.deps.sources();
    if (first === undefined) return this.#withdrawIfSilent("no node is healthy");
    const hangs = this.#state(first.name).openForMs(this.deps.clock.now()) >= PATIENCE_MS;
    const answer = hangs ? undefined : await this.#within(this.#ask(first), PATIENCE_MS);
    const enough = typeof answer === "object" && answer.height >= this.#highest;
    if (!enough && others.length > 0) {
      const asks = others.filter(({ name }) => !this.#state(name).asked)
        .map((other) => this.#ask(other));
      await this.#within(Promise.all(asks), PATIENCE_MS);
    }
    if (this.#end.signal.aborted) return;
    this.#withdrawIfBehind();
    this.#withdrawIfSilent(this.#state(first.name).trouble || "no node answers");
  }

  /** Asks a node that rang until it has what it rang for. */
  async #follow(source: WorkSource, state: SourceState): Promise<void> {
    const { signal } = this.#end;
    state.ringing = true;
    for (let attempt = 0; attempt < RING_TRIES && !signal.aborted; attempt++) {
      if (attempt > 0) {
        const pauseMs = RING_PAUSE_MS << (attempt - 1);
        await this.deps.clock.sleep(pauseMs, AbortSignal.any([signal, state.listen()]))
          .catch(() => {});
        if (state.rangAgain) attempt = 0;
      }
      state.rangAgain = false;
      const answer = await this.#ask(source);
      if (answer === "failed") break;
      if (state.rangAgain) attempt = -1;
      else if (answer !== undefined && answer.height >= state.expected) break;
    }
    state.ringing = false;
    state.expected = 0;
  }

  /** One question to one node; never throws. */
  #ask(source: WorkSource): Promise<Answer> {
    const order = ++this.#order;
    const state = this.#state(source.name);
    return this.#keep(state.during(this.deps.clock.now(), async () => {
      try {
        const work = await source.getWork();
        state.trouble = "";
        if (work === undefined || this.#end.signal.aborted) return undefined;
        if (this.#highest > 0 && work.height > this.#highest + JUMP_HEIGHTS) {
          this.deps.log.warn("work.jumps", { node: source.name, height: work.height });
          await this.deps.recheck();
          if (this.#source(source.name) === undefined) return "failed";
        }
        this.#answer(source.name, work, order);
        return work;
      } catch (error) {
        state.trouble = errorText(error);
        this.deps.log.debug("work.failed", { node: source.name, error });
        return "failed";
      }
    }));
  }

  /** Takes what a node itself says, unless it has said something newer since. */
  #answer(node: string, work: WorkPackage, order: number): void {
    if (this.#end.signal.aborted) return;
    const state = this.#state(node);
    this.#lastAnswerMs = this.deps.clock.now();
    const isOld = order < state.order;
    if (!isOld || work.height >= (state.said?.height ?? 0)) state.said = work;
    if (isOld) return;
    state.order = order;
    if (state.flow.asked(work.height)) {
      this.deps.log.warn("push.silent", { node, note: "its work is learnt by asking alone" });
    }
    const confirmation = state.trust.said(work, this.deps.clock.now());
    if (confirmation === "wait") return;
    if (confirmation === "denied") {
      const note = "work pushed in its name is not its own: pushes only ring for ten minutes";
      this.deps.log.warn("push.denied", { node, height: work.height, note });
      state.expected = 0;
    }
    const choice = this.#offer(node, work);
    // A node that fell far back gave its own job up; another one's is as good now.
    if (choice === "behind" && this.#job?.node === node) this.#job = { ...this.#job, node: "" };
  }

  #offer(node: string, work: WorkPackage): ReturnType<typeof choose> {
    const { clock, log } = this.deps;
    const job = jobOf(work, node, clock.now());
    const ranks = this.deps.sources().map(({ name }) => name);
    const choice = choose(job, this.#job, ranks, this.#highest);
    if (choice !== "take") return choice;
    if (this.#lost) log.info("work.back", { node, height: job.height });
    this.#lost = false;
    this.#job = job;
    this.sawHeight(job.height);
    this.deps.onJob(job);
    return choice;
  }

  #withdrawIfBehind(): void {
    const said = this.deps.sources().map(({ name }) => this.#state(name).said);
    const heights = said.flatMap((work) => work === undefined ? [] : [work.height]);
    const all = heights.length > 0 && heights.length === said.length;
    const best = Math.max(...heights);
    if (!all || !isBehind(best, this.#highest)) return;
    this.#withdraw(
      `every node is at height ${best} or below, and work was at ${this.#highest} already`,
    );
  }

  #withdrawIfSilent(reason: string): void {
    const silentMs = this.deps.clock.now() - this.#lastAnswerMs;
    if (silentMs >= this.options.staleAfterMs) this.#withdraw(reason);
  }

  #withdraw(reason: string): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#job = undefined;
    this.deps.log.error("work.lost", { reason });
    this.deps.onWorkLost(reason);
  }

  #logIgnored(node: string): void {
    const nowMs = this.deps.clock.now();
    if (nowMs - this.#ignoredLogMs < IGNORED_LOG_MS) return;
    this.#ignoredLogMs = nowMs;
    this.deps.log.warn("push.ignored", { node, note: "the node is not healthy" });
  }

  #source(node: string): WorkSource | undefined {
    return this.deps.sources().find(({ name }) => name === node);
  }

  #state(node: string): SourceState {
    const state = this.#states.get(node) ?? new SourceState();
    this.#states.set(node, state);
    return state;
  }

  #keep<T>(work: Promise<T>): Promise<T> {
    this.#open.add(work);
    work.finally(() => this.#open.delete(work));
    return work;
  }

  /** What comes within a time, or undefined. */
  async #within<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
    const done = new AbortController();
    const late = this.deps.clock.sleep(ms, done.signal).then(() => undefined, () => undefined);
    const result = await Promise.race([work, late]);
    done.abort(new Error("done"));
    return result;
  }
}
