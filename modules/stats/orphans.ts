/** How many found blocks were orphaned: old rows are counted once, the newest again and again. */
import { countMatured, readMaturedOrphans, type ViewDeps } from "../ledger/mod.ts";

/** Blocks this far (heights) below the newest are final. */
const SETTLED_HEIGHTS = 1_000;
/** The rows above are counted again after this time (milliseconds). */
const AGAIN_MS = 60_000;

/** Counts orphans among the matured blocks. */
export class Orphans {
  readonly #deps: ViewDeps;
  /** All rows up to this height, and the orphans among them. */
  #settled = { height: 0, rows: 0, orphans: 0 };
  #last: { atMs: number; orphans: number } | undefined;

  constructor(deps: ViewDeps) {
    this.#deps = deps;
  }

  /** Orphans among all matured blocks. @throws {StoreError} */
  async count(nowMs: number): Promise<number> {
    if (this.#last === undefined || nowMs - this.#last.atMs >= AGAIN_MS) {
      this.#last = { atMs: nowMs, orphans: await this.#countAgain() };
    }
    return this.#last.orphans;
  }

  async #countAgain(): Promise<number> {
    const total = await countMatured(this.#deps);
    const whole = await this.#countAfter();
    if (whole.rows === total) return whole.orphans;
    // A block was settled late, below what was counted for good.
    this.#settled = { height: 0, rows: 0, orphans: 0 };
    return (await this.#countAfter()).orphans;
  }

  async #countAfter(): Promise<{ rows: number; orphans: number }> {
    let { rows, orphans } = this.#settled;
    const heights: { height: number; orphan: boolean }[] = [];
    for await (const page of readMaturedOrphans(this.#deps, this.#settled.height)) {
      rows += page.length;
      for (const row of page) {
        if (row.orphan) orphans++;
        heights.push(row);
      }
    }
    const until = (heights.at(-1)?.height ?? 0) - SETTLED_HEIGHTS;
    const settled = heights.filter(({ height }) => height <= until);
    if (settled.length > 0) {
      this.#settled = {
        height: until,
        rows: this.#settled.rows + settled.length,
        orphans: this.#settled.orphans + settled.filter(({ orphan }) => orphan).length,
      };
    }
    return { rows, orphans };
  }
}
