/** Several nodes in order of preference: their health, fail-over, and submission to all of them. */
import { type Clock, errorText, type Logger, systemClock } from "../base/mod.ts";
import type { Node } from "./node.ts";

/** Failed calls in a row that make a node sick. */
const SICK_AFTER_FAILURES = 5;
/** Good checks in a row that make it healthy again. */
const HEALTHY_AFTER_CHECKS = 2;
/** Blocks that a node may be behind the best one. */
const LAG_BLOCKS_MAX = 3;

/** What is known of one node. */
export interface NodeHealth {
  name: string;
  healthy: boolean;
  /** Height of its head at the last good check. */
  height?: number;
  /** Why it is sick; empty when healthy. */
  reason: string;
}

/** What one node said to a solution. */
export interface NodeAnswer {
  node: string;
  /** True or false as answered; undefined when there was no answer. */
  accepted?: boolean;
  /** What happened instead of an answer. */
  error?: string;
  /** Time until the answer (milliseconds). */
  tookMs: number;
}

/** The nodes as one. */
export interface Nodes {
  /** The first healthy node in order, or the first of all when none is. */
  current(): Node;
  /** Healthy nodes in order. */
  healthy(): Node[];
  all(): readonly Node[];
  health(): NodeHealth[];
  /** Checks every node once; never throws. */
  check(): Promise<void>;
  /** Checks now and then every `intervalMs` until aborted; resolves then. */
  run(intervalMs: number, signal: AbortSignal): Promise<void>;
  /**
   * Hands a solution to every node at once, sick ones too, as one may be back since its last check;
   * resolves when all have answered or failed.
   */
  submitWork(
    nonce: string,
    headerHash: string,
    mixHash: string,
    onAnswer?: (answer: NodeAnswer) => void,
  ): Promise<NodeAnswer[]>;
}

interface Seen {
  node: Node;
  sick: boolean;
  reason: string;
  goodChecks: number;
  height?: number;
}

/** Watches over nodes; all count as healthy until their first check. */
export function createNodes(
  nodes: readonly Node[],
  deps: {
    log: Logger;
    clock?: Clock;
    /** Called when `current()` becomes another node. */
    onFailover?: (from: string, to: string) => void;
    /** Whether a check also asks for work: yes for mining, no for unlocker and payer. */
    needsWork: boolean;
    /** Chain id that every node must report; undefined: any. */
    chainId?: number;
  },
): Nodes {
  if (nodes.length === 0) throw new RangeError("Cannot watch over no nodes: add an upstream");
  const clock = deps.clock ?? systemClock;
  const seen: Seen[] = nodes.map((node) => ({ node, sick: false, reason: "", goodChecks: 0 }));
  let last = nodes[0]!.name;

  function isHealthy(entry: Seen): boolean {
    if (!entry.sick && entry.node.failuresInRow >= SICK_AFTER_FAILURES) {
      markSick(entry, `${entry.node.failuresInRow} failed calls in a row`);
    }
    return !entry.sick;
  }
  function markSick(entry: Seen, reason: string): void {
    if (!entry.sick) deps.log.warn("node.sick", { node: entry.node.name, reason });
    entry.sick = true;
    entry.reason = reason;
    entry.goodChecks = 0;
  }
  function markGood(entry: Seen): void {
    if (!entry.sick || ++entry.goodChecks < HEALTHY_AFTER_CHECKS) return;
    entry.sick = false;
    entry.reason = "";
    deps.log.info("node.healthy", { node: entry.node.name });
  }
  function current(): Node {
    const node = (seen.find(isHealthy) ?? seen[0]!).node;
    if (node.name !== last) {
      deps.log.warn("node.failover", { from: last, to: node.name });
      deps.onFailover?.(last, node.name);
      last = node.name;
    }
    return node;
  }
  async function check(): Promise<void> {
    const heights = await Promise.all(seen.map((entry) => probe(entry, deps)));
    const best = Math.max(...heights.map((found) => typeof found === "number" ? found : -1));
    for (const [i, found] of heights.entries()) {
      const entry = seen[i]!;
      if (typeof found === "string") {
        markSick(entry, found);
        continue;
      }
      entry.height = found;
      if (best - found > LAG_BLOCKS_MAX) markSick(entry, `${best - found} blocks behind`);
      else markGood(entry);
    }
    current();
  }

  return {
    current,
    healthy: () => seen.filter(isHealthy).map((entry) => entry.node),
    all: () => nodes,
    health: () =>
      seen.map((entry) => ({
        name: entry.node.name,
        healthy: isHealthy(entry),
        ...(entry.height === undefined ? {} : { height: entry.height }),
        reason: entry.reason,
      })),
    check,
    async run(intervalMs, signal) {
      while (!signal.aborted) {
        await check();
        await clock.sleep(intervalMs, signal).catch(() => {});
      }
    },
    submitWork(nonce, headerHash, mixHash, onAnswer) {
      return Promise.all(seen.map(async ({ node }) => {
        const startMs = clock.now();
        const answer: NodeAnswer = await node.submitWork(nonce, headerHash, mixHash).then(
          (accepted) => ({ node: node.name, accepted, tookMs: clock.now() - startMs }),
          (error) => ({
            node: node.name,
            error: errorText(error),
            tookMs: clock.now() - startMs,
          }),
        );
        onAnswer?.(answer);
        return answer;
      }));
    },
  };
}

/** The node's height, or why it cannot be used. */
async function probe(
  { node }: Seen,
  wanted: { needsWork: boolean; chainId?: number },
): Promise<number | string> {
  try {
    // Work of another chain would carry heights that lock our own shares out.
    const chainId = wanted.chainId === undefined ? undefined : await node.chainId();
    if (chainId !== wanted.chainId) return `its chain id is ${chainId}, not ${wanted.chainId}`;
    const height = await node.blockNumber();
    if (wanted.needsWork) await node.getWork();
    return height;
  } catch (error) {
    return errorText(error);
  }
}
