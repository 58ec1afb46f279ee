/** Reads what a node posts when it has new work: a work package, or a whole header. */
import { type NodeWork, readHash, readNumber, readWork } from "./read.ts";

/** What was pushed. */
export type Push =
  /** The elements of eth_getWork: geth's --miner.notify, and Parity's --notify-work. */
  | { kind: "work"; work: NodeWork }
  /** geth's --miner.notify.full: without seal hash there is nothing to mine, only news. */
  | { kind: "header"; height: number };

/**
 * A push by its parsed body.
 *
 * @throws {TypeError} when it is neither work of three or four elements nor a header
 */
export function readPush(body: unknown): Push {
  if (Array.isArray(body)) return { kind: "work", work: readElements(body) };
  if (typeof body !== "object" || body === null) {
    throw new TypeError("Cannot read a push: expected a list or an object");
  }
  // Parity wraps the elements: {"result": [...]}.
  if ("result" in body) return { kind: "work", work: readElements(body.result) };
  const { number, parentHash } = body as Record<string, unknown>;
  readHash(parentHash, "parentHash");
  return { kind: "header", height: readNumber(number, "number") };
}

function readElements(elements: unknown): NodeWork {
  if (Array.isArray(elements) && elements.length > 4) {
    throw new TypeError(`Cannot read work: ${elements.length} elements, at most 4`);
  }
  return readWork(elements);
}
