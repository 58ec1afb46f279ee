/** Several nodes in order of preference: their health, fail-over, and submission to all of them. */
import { type Clock, errorText, type Logger, systemClock } from "../base/mod.ts";
import {
  FIRST_STANDING,
  type Found,
  heightToCompare,
  judgeRound,
  type Standing,
} from "./health.ts";
import { count } from "../metrics/mod.ts";
import type { Node, Work } from "./node.ts";

/** Failed calls in a row that make a node sick. */
const SICK_AFTER_FAILURES = 5;
/** A node that has not answered a check for so long hangs (milliseconds). */
const HANGS_AFTER_MS = 3_000;
/** Pause between two checks while no node is healthy, at most (milliseconds). */
const URGENT_MS = 1_000;

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
  standing: Standing;
  /** Whether it owes the answer to a check; another one is not sent meanwhile. */
  asked: boolean;
}

/** What the nodes are watched over with. */
export interface NodesDeps {
  log: Logger;
  clock?: Clock;
  /** Called when `current()` becomes another node. */
  onFailover?: (from: string, to: string) => void;
  /** Whether a check also asks for work: yes for mining, no for unlocker and payer. */
  needsWork: boolean;
  /** Chain id that every node must report; undefined: any. */
  chainId?: number;
  /** Hears the work that a healthy node gave in a check. */
  onWork?: (node: string, work: Work) => void;
}

/** Watches over nodes; all count as healthy until their first check. */
export function createNodes(nodes: readonly Node[], deps: NodesDeps): Nodes {
  if (nodes.length === 0) throw new RangeError("Cannot watch over no nodes: add an upstream");
  const clock = deps.clock ?? systemClock;
  const seen: Seen[] = nodes.map((node) => ({ node, standing: FIRST_STANDING, asked: false }));
  // From zero on, or the first answer would be no increase.
  for (const { name: node } of deps.needsWork ? nodes : []) {
    for (const answer of ["accepted", "refused", "failed"]) {
      count("quarry_node_solutions_total", { node, answer }, 0);
    }
  }
  let last = nodes[0]!.name;
  let comparedHeight: number | undefined;
  let checking: Promise<void> | undefined;

  function isHealthy(entry: Seen): boolean {
    const { failuresInRow } = entry.node;
    if (entry.standing.healthy && failuresInRow >= SICK_AFTER_FAILURES) {
      const reason = `${failuresInRow} failed calls in a row`;
      stand(entry, { ...entry.standing, healthy: false, reason, goodChecks: 0 });
    }
    return entry.standing.healthy;
  }
  function stand(entry: Seen, next: Standing): void {
    const { healthy } = entry.standing;
    entry.standing = next;
    const facts = { node: entry.node.name, reason: next.reason };
    if (healthy && !next.healthy) deps.log.warn("node.sick", facts);
    if (!healthy && next.healthy) deps.log.info("node.healthy", { node: entry.node.name });
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
  async function round(): Promise<void> {
    const works: [Seen, Work][] = [];
    const compared = comparedHeight;
    const found = await Promise.all(
      seen.map((entry) =>
        withinPatience(
          entry,
          () => probe(entry.node, deps, compared, (work) => works.push([entry, work])),
        )
      ),
    );
    const standings = judgeRound(
      found,
      seen.map(({ standing }) => standing),
      clock.now(),
      compared,
    );
    for (const [i, standing] of standings.entries()) stand(seen[i]!, standing);
    comparedHeight = heightToCompare(found) ?? comparedHeight;
    current();
    for (const [entry, work] of works) {
      if (isHealthy(entry)) deps.onWork?.(entry.node.name, work);
    }
  }
  async function check(): Promise<void> {
    const first = comparedHeight === undefined;
    await round();
    // Forks show in the second look, which knows at what height to compare.
    if (first && comparedHeight !== undefined) await round();
  }
  /** Two who want a check share one. */
  function checkOnce(): Promise<void> {
    return checking ??= check().finally(() => checking = undefined);
  }
  /** What the probe finds, or that the node hangs. */
  async function withinPatience(entry: Seen, ask: () => Promise<Found>): Promise<Found> {
    const hangs: Found = { well: false, reason: `no answer to a check for ${HANGS_AFTER_MS} ms` };
    if (entry.asked) return hangs;
    entry.asked = true;
    const answered = new AbortController();
    const late = clock.sleep(HANGS_AFTER_MS, answered.signal).then(() => hangs, () => hangs);
    const found = await Promise.race([ask().finally(() => entry.asked = false), late]);
    answered.abort(new Error("answered"));
    return found;
  }

  return {
    current,
    healthy: () => seen.filter(isHealthy).map((entry) => entry.node),
    all: () => nodes,
    health: () =>
      seen.map((entry) => ({
        ...{ name: entry.node.name, healthy: isHealthy(entry), reason: entry.standing.reason },
        ...(entry.standing.height === undefined ? {} : { height: entry.standing.height }),
      })),
    check: checkOnce,
    async run(intervalMs, signal) {
      while (!signal.aborted) {
        await checkOnce();
        const nextMs = clock.now() + intervalMs;
        while (!signal.aborted && clock.now() < nextMs) {
          const pauseMs = Math.min(URGENT_MS, nextMs - clock.now());
          await clock.sleep(pauseMs, signal).catch(() => {});
          if (!seen.some(isHealthy)) break;
        }
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
        const { accepted } = answer;
        const said = accepted === undefined ? "failed" : accepted ? "accepted" : "refused";
        count("quarry_node_solutions_total", { node: node.name, answer: said });
        onAnswer?.(answer);
        return answer;
      }));
    },
  };
}

/** What one look at a node shows. */
async function probe(
  node: Node,
  wanted: { needsWork: boolean; chainId?: number },
  compared: number | undefined,
  onWork: (work: Work) => void,
): Promise<Found> {
  try {
    const { height, syncing, chainId, work, blockHash } = await node.look({
      ...{ chainId: wanted.chainId !== undefined, work: wanted.needsWork },
      ...(compared === undefined ? {} : { block: compared }),
    });
    // Work of another chain would carry heights that lock our own shares out.
    if (chainId !== wanted.chainId) {
      return { well: false, reason: `its chain id is ${chainId}, not ${wanted.chainId}` };
    }
    if (syncing) return { well: false, reason: `it is syncing, at block ${height}` };
    if (work?.height !== undefined) onWork({ ...work, height: work.height });
    return { well: true, height, ...(blockHash === undefined ? {} : { hash: blockHash }) };
  } catch (error) {
    return { well: false, reason: errorText(error) };
  }
}
