/** The pool at a glance, and its charts. */
import {
  nodeFreshMs,
  type Overview,
  type RangeName,
  readNodes,
  readSeries,
  SERIES_RANGES,
} from "../../ledger/mod.ts";
import type { V2Deps } from "./deps.ts";
import { blockPage, paymentPage } from "./lists.ts";
import { percent, percentOf } from "./numbers.ts";
import type { Pool } from "./schemas.ts";

/** Rows of each list beside the numbers. */
const LAST = 5;
/** The newest slot is written this long after its end (seconds). */
const CLOSED_AFTER_SECONDS = 150;

/** `/pool`. */
export async function poolBody(deps: V2Deps, overview: Overview): Promise<Pool> {
  const { facts } = deps;
  const { height, difficulty, hashrateHps, roundShares, roundStartedAt } = overview;
  const [blocks, payments, nodes] = await Promise.all([
    blockPage(deps, { state: "all", limit: LAST }),
    paymentPage(deps, { limit: LAST }),
    nodeCounts(deps),
  ]);
  const expected = difficulty === null || hashrateHps === 0n
    ? null
    : Math.round(Number(difficulty) / Number(hashrateHps));
  return {
    asOfMs: overview.collectedAtMs,
    ...{ name: facts.name, currency: facts.currency, network: networkOf(deps) },
    accent: facts.accent ?? null,
    ...{ scheme: facts.scheme, feePercent: facts.feePercent },
    thresholdShannon: `${facts.thresholdShannon}`,
    payoutsIntervalMs: facts.payoutsIntervalMs,
    ...{ hashrateHps: `${hashrateHps}`, miners: overview.miners, workers: overview.workers },
    round: {
      effortPercent: difficulty === null ? null : percentOf(roundShares, difficulty),
      shares: `${roundShares}`,
      startedAtMs: roundStartedAt === null ? null : roundStartedAt * 1000,
      expectedSeconds: expected,
    },
    chain: {
      height,
      difficulty: difficulty === null ? null : `${difficulty}`,
      hashrateHps: chainHashrate(overview),
      epochSwitchInBlocks: height === null ? null : facts.epochSwitchIn?.(height) ?? null,
    },
    ...nodes,
    luck: overview.luck.map((row) => ({
      blocks: row.blocks,
      effortPercent: row.effort === null ? null : percent(row.effort),
      unclePercent: percent(row.uncleRate),
      orphanPercent: percent(row.orphanRate),
    })),
    blocks: {
      candidates: overview.candidatesTotal,
      immature: overview.immatureTotal,
      matured: overview.maturedTotal,
    },
    ...{ paidShannon: `${overview.paidShannon}`, paymentsTotal: overview.paymentsTotal },
    ...{ lastBlocks: blocks.items, lastPayments: payments.items.slice(0, LAST) },
    notice: facts.notice === "" ? null : facts.notice,
  };
}

function networkOf({ facts: { network } }: V2Deps): Pool["network"] {
  if (network === undefined) return null;
  const { name, title, chainId, explorer } = network;
  return { name, title, chainId, testnet: network.testnet === true, explorer: explorer ?? null };
}

function chainHashrate({ difficulty, blockSeconds }: Overview): string | null {
  if (difficulty === null || blockSeconds === null) return null;
  return `${difficulty * 1000n / BigInt(Math.max(1, Math.round(blockSeconds * 1000)))}`;
}

/** Nodes of this process; elsewhere the instances whose nodes were heard of lately. */
async function nodeCounts(deps: V2Deps): Promise<{ nodesHealthy: number; nodesTotal: number }> {
  const nodes = deps.mining()?.nodes;
  if (nodes !== undefined) {
    return {
      nodesHealthy: nodes.filter((node) => node.healthy).length,
      nodesTotal: nodes.length,
    };
  }
  const rows = await readNodes(deps);
  const since = deps.clock.now() - nodeFreshMs(deps.facts.nodeBeatMs);
  const healthy = rows.filter(({ lastBeat }) => Number(lastBeat) * 1000 >= since);
  return { nodesHealthy: healthy.length, nodesTotal: rows.length };
}

/** Where a chart begins and how many points it has. */
export function chartOf(range: RangeName, nowSeconds: number) {
  const { stepSeconds, spanSeconds } = SERIES_RANGES[range];
  const count = spanSeconds / stepSeconds;
  const closed = nowSeconds - CLOSED_AFTER_SECONDS;
  const fromSeconds = closed - closed % stepSeconds - spanSeconds;
  return { stepSeconds, fromSeconds, count };
}

/** `/pool/history`. */
export async function poolHistoryBody(deps: V2Deps, overview: Overview, range: RangeName) {
  const { stepSeconds, fromSeconds, count } = chartOf(
    range,
    Math.floor(overview.collectedAtMs / 1000),
  );
  const [points] = await readSeries(deps, range, ["pool"], fromSeconds, count);
  const column = <T>(index: number, read: (text: string) => T) =>
    points!.map((point) => {
      const text = point?.[index];
      return text === undefined || text === "" ? null : read(text);
    });
  return {
    asOfMs: overview.collectedAtMs,
    ...{ stepMs: stepSeconds * 1000, fromMs: fromSeconds * 1000 },
    series: {
      hashrateHps: column(0, String),
      miners: column(1, Number),
      workers: column(2, Number),
      difficulty: column(3, String),
    },
    blocks: overview.recent.filter(({ foundAt }) => foundAt >= fromSeconds)
      .map(({ height, foundAt }) => ({ atMs: foundAt * 1000, height })),
  };
}
