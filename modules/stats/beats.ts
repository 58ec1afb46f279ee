/** What worked in each five minutes: the worst that was seen, kept as a series for a day. */
import {
  type Health,
  loopHealth,
  nodeFreshMs,
  readNodes,
  readStatus,
  SERIES_RANGES,
  STATUS_SERIES,
  type StatusBeat,
  type ViewDeps,
  writeSeries,
} from "../ledger/mod.ts";

const { stepSeconds, spanSeconds } = SERIES_RANGES["24h"];
/** From best to worst. */
const ORDER: Health[] = ["ok", "waiting", "halted", "away"];

/** Collects beats; one that cannot be written is written later. */
export class Beats {
  readonly #deps: ViewDeps;
  readonly #nodeSeconds: number;
  /** By start of its five minutes (unix seconds). */
  readonly #beats = new Map<number, StatusBeat>();

  /** @param nodeBeatMs pause between two reports of an instance on its node (milliseconds) */
  constructor(deps: ViewDeps, nodeBeatMs: number) {
    this.#deps = deps;
    this.#nodeSeconds = nodeFreshMs(nodeBeatMs) / 1000;
  }

  /** Notes that a collection failed. */
  failed(nowSeconds: number): void {
    this.#note(nowSeconds, { stats: "away" });
  }

  /** Looks at all parts, and writes what is over. @throws {StoreError} */
  async look(nowSeconds: number): Promise<void> {
    const [nodes, loops] = await Promise.all([readNodes(this.#deps), readStatus(this.#deps)]);
    const beat = Math.max(...nodes.map(({ lastBeat }) => Number(lastBeat)));
    this.#note(nowSeconds, {
      ...(nodes.length === 0
        ? {}
        : { nodes: nowSeconds - beat <= this.#nodeSeconds ? "ok" : "away" }),
      ...(loops.unlocker === undefined ? {} : { unlocker: loopHealth(loops.unlocker) }),
      ...(loops.payer === undefined ? {} : { payer: loopHealth(loops.payer) }),
      stats: "ok",
    });
    for (const [start, beat] of this.#beats) {
      if (start + stepSeconds > nowSeconds) continue;
      const { nodes, unlocker, payer, stats } = beat;
      const values = [nodes, unlocker, payer, stats].map((health) => health ?? "");
      await writeSeries(this.#deps, "24h", start, [{ name: STATUS_SERIES, values }]);
      this.#beats.delete(start);
    }
  }

  #note(nowSeconds: number, seen: StatusBeat): void {
    const start = nowSeconds - nowSeconds % stepSeconds;
    const beat: StatusBeat = { ...this.#beats.get(start) };
    for (const part of Object.keys(seen) as (keyof StatusBeat)[]) {
      const [before, now] = [beat[part] ?? "ok", seen[part]!];
      beat[part] = ORDER.indexOf(now) > ORDER.indexOf(before) ? now : before;
    }
    this.#beats.set(start, beat);
    for (const old of this.#beats.keys()) {
      if (old < nowSeconds - spanSeconds) this.#beats.delete(old);
    }
  }
}
