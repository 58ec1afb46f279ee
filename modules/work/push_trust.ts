/**
 * Whether one node's pushes are believed: each one that was mined at once is held against what the
 * node itself says right after.
 */

/** Time that a node has to know of work that was pushed in its name (milliseconds). */
export const CONFIRM_MS = 250;
/** Pushes in a row that were other work than the node's own before none is believed. */
export const STRIKES_MAX = 3;
/** How long pushes then only ring (milliseconds). */
export const DISTRUST_MS = 600_000;

/** What the node's own word makes of the last push. */
export type Confirmation =
  /** Nothing was to be confirmed, or it was, or the chain moved on. */
  | "settled"
  /** The node is below the pushed height, and may yet find out. */
  | "wait"
  /** The push was not the node's, and from now on pushes only ring. */
  | "denied";

/** Pushes of one node. */
export class PushTrust {
  #open: { headerHash: string; height: number; atMs: number } | undefined;
  #strikes = 0;
  #untilMs = -Infinity;

  /** Whether pushes only ring for now. */
  distrusts(nowMs: number): boolean {
    return nowMs < this.#untilMs;
  }

  /** A push is mined before the node was asked. */
  mined(push: { headerHash: string; height: number }, nowMs: number): void {
    const { headerHash, height } = push;
    this.#open = { headerHash, height, atMs: nowMs };
  }

  /** A push was what the node had said already. */
  agrees(): void {
    this.#strikes = 0;
  }

  /** The node itself gave work. */
  said(work: { headerHash: string; height: number }, nowMs: number): Confirmation {
    const push = this.#open;
    if (push === undefined) return "settled";
    const isBelow = work.height < push.height;
    if (isBelow && nowMs - push.atMs < CONFIRM_MS) return "wait";
    this.#open = undefined;
    if (work.headerHash === push.headerHash) this.#strikes = 0;
    // Work may change between push and question, but not time after time.
    else if (work.height === push.height) this.#strikes++;
    if (!isBelow && this.#strikes < STRIKES_MAX) return "settled";
    this.#strikes = 0;
    this.#untilMs = nowMs + DISTRUST_MS;
    return "denied";
  }
}
