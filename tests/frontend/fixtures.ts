/** Answers of the API as the page meets them: a pool that is busy, and one where nothing happened yet. */
import type {
  Block,
  Credit,
  Miner,
  MinerHistory,
  Payment,
  Pool,
  PoolHistory,
} from "../../frontend/src/types.ts";
import { CONNECT, SETTINGS, STATUS, STATUS_HISTORY } from "./fixtures_fixed.ts";

/** The miner of the fixtures. */
export const MINER = "0xbf08a1c5d2e34f60718293a4b5c6d7e8f9013795";
const HOUR = 3_600_000;
const hex = (seed: number, digits: number) =>
  "0x" +
  Array.from({ length: digits }, (_, i) => ((seed * 31 + i * i * 7 + i) % 16).toString(16))
    .join("");

const blocksOf = (now: number): Block[] =>
  Array.from({ length: 12 }, (_, i): Block => {
    const state = (["candidate", "immature", "immature", "matured", "orphaned"] as const)[
      i
    ] ??
      "matured";
    const effort = [
      63.2,
      188,
      12.7,
      101,
      340,
      55,
      97,
      142,
      31,
      77,
      220,
      88,
    ][i]!;
    return {
      ...{
        height: 19_000_401 - 37 * i,
        uncleHeight: i === 6 ? 19_000_178 : 0,
        state,
      },
      kind: state === "orphaned" ? "orphan" : i === 6 ? "uncle" : "block",
      ...{
        hash: state === "candidate" ? null : hex(i + 3, 64),
        finder: i % 3 === 0 ? MINER : hex(i, 40),
      },
      ...{
        foundAtMs: now - (i * 1.7 + 0.1) * HOUR,
        difficulty: "4000000000000",
      },
      ...{ shares: "2528000000000", effortPercent: effort },
      rewardWei: state === "candidate" || state === "orphaned" ? null : "2013370000000000001",
      ...{
        confirmations: 3 + 37 * i,
        depth: 120,
        scheme: "prop",
        roundSeconds: 4_000 + 300 * i,
      },
    };
  });

const paymentsOf = (now: number): Payment[] =>
  (["sent", "paid", "paid", "reverted", "paid"] as const).map((state, i) => ({
    ...{
      atMs: now - (i + 0.4) * 2 * HOUR,
      address: i % 2 === 0 ? MINER : hex(i + 9, 40),
    },
    ...{
      amountShannon: String(1_250_000_123n * BigInt(i + 1)),
      transaction: hex(i + 20, 64),
    },
    ...{ state, confirmations: state === "sent" ? 4 : null },
    reason: state === "reverted" ? `Transaction ${hex(i + 20, 64)} failed in block 19000222` : null,
  }));

const EMPTY_POOL = (now: number): Pool => ({
  ...{ asOfMs: now - 2_000, name: "Granite Pool", currency: "ETC" },
  network: {
    ...{ name: "classic", title: "Ethereum Classic", chainId: 61 },
    testnet: false,
    explorer: {
      block: "https://explorer.example/block/{}",
      transaction: "https://explorer.example/tx/{}",
      address: "https://explorer.example/address/{}",
    },
  },
  accent: null,
  ...{
    scheme: "prop",
    feePercent: 1,
    thresholdShannon: "500000000",
    payoutsIntervalMs: 2 * HOUR,
  },
  ...{ hashrateHps: "0", miners: 0, workers: 0 },
  round: {
    effortPercent: null,
    shares: "0",
    startedAtMs: null,
    expectedSeconds: null,
  },
  chain: {
    ...{
      height: 19_000_410,
      difficulty: "4000000000000",
      hashrateHps: "307692307692",
    },
    epochSwitchInBlocks: 2_310,
  },
  ...{ nodesHealthy: 2, nodesTotal: 2, luck: [] },
  blocks: { candidates: 0, immature: 0, matured: 0 },
  ...{
    paidShannon: "0",
    paymentsTotal: 0,
    lastBlocks: [],
    lastPayments: [],
    notice: null,
  },
});

const READY_POOL = (now: number): Pool => ({
  ...EMPTY_POOL(now),
  ...{ hashrateHps: "18234567890", miners: 84, workers: 231 },
  round: {
    ...{
      effortPercent: 63.2,
      shares: "2528000000000",
      startedAtMs: now - 0.1 * HOUR,
    },
    expectedSeconds: 219,
  },
  ...{ nodesHealthy: 1, nodesTotal: 2 },
  luck: [16, 64, 256].map((blocks, i) => ({
    ...{
      blocks,
      effortPercent: [88.1, 97.4, 101.2][i]!,
      unclePercent: 3.1,
      orphanPercent: 0.4,
    },
  })),
  blocks: { candidates: 1, immature: 2, matured: 912 },
  ...{ paidShannon: "1834500123456789", paymentsTotal: 4_210 },
  ...{ lastBlocks: blocksOf(now).slice(0, 5), lastPayments: paymentsOf(now) },
  notice: "Maintenance of one node on Sunday, 06:00 UTC; mining goes on.",
});

function wave(i: number, base: number): number {
  return Math.round(
    base * (1 + 0.08 * Math.sin(i / 9) + 0.05 * Math.sin(i / 2.3)),
  );
}

function poolHistory(now: number, filled: boolean): PoolHistory {
  const points = Array.from(
    { length: 288 },
    (_, i) => filled && (i < 120 || i > 134) ? i : null,
  );
  const text = (base: number) => points.map((i) => i === null ? null : String(wave(i, base)));
  const stepMs = 300_000;
  const fromMs = now - now % stepMs - 288 * stepMs;
  return {
    ...{ asOfMs: now - 2_000, stepMs, fromMs },
    series: {
      hashrateHps: text(18_000_000_000),
      miners: points.map((i) => i === null ? null : 80 + i % 7),
      workers: points.map((i) => i === null ? null : 220 + i % 13),
      difficulty: text(4_000_000_000_000),
    },
    blocks: filled
      ? [40, 77, 160, 201, 260].map((i) => ({
        atMs: fromMs + i * stepMs,
        height: i,
      }))
      : [],
  };
}

function minerHistory(now: number, filled: boolean): MinerHistory {
  const { series, blocks: _, ...rest } = poolHistory(now, filled);
  const reduced = series.hashrateHps.map((value) =>
    value === null ? null : String(BigInt(value) / 100n)
  );
  return {
    ...rest,
    series: {
      hashrateHps: reduced,
      reportedHps: reduced.map((value) => value === null ? null : "185000000"),
    },
  };
}

const WORKERS = (now: number): Miner["workers"] =>
  [
    "rig-01",
    "rig-02",
    "rig-03",
    "garage_gpu",
    "<b>bad</b>",
    "",
    "asic-1",
    "old-rig",
  ].map((name, i) => ({
    name,
    hashrate: {
      shortHps: String(i === 2 || i === 7 ? 0 : wave(i, 31_000_000)),
      longHps: String(wave(i + 3, 30_500_000)),
      dayHps: String(wave(i + 7, 30_200_000)),
      reportedHps: i % 3 === 0 ? "31200000" : null,
    },
    shares: {
      valid: 2_000 - 60 * i,
      stale: 12 + (i === 3 ? 170 : 0),
      invalid: i,
    },
    ...{
      difficulty: i % 2 === 0 ? "4000000000" : null,
      dialect: i % 2 === 0 ? "ethproxy" : null,
    },
    lastShareAtMs: now -
      (i === 2 ? 14 * 60_000 : i === 7 ? 30 * HOUR : 4_000 + 3_000 * i),
    state: i === 2 ? "silent" : i === 7 ? "offline" : "online",
  }));

const EMPTY_MINER = (now: number): Miner => ({
  ...{ asOfMs: now - 2_000, known: false, address: MINER },
  hashrate: { shortHps: "0", longHps: "0", dayHps: null, reportedHps: null },
  ...{
    shares: null,
    lastShareAtMs: null,
    workersOnline: 0,
    workersTotal: 0,
    workers: [],
  },
  balance: {
    immatureShannon: "0",
    unpaidShannon: "0",
    pendingShannon: "0",
    paidShannon: "0",
  },
  ...{ thresholdShannon: "500000000", ownThreshold: false },
  round: { shares: "0", percent: null, estimateShannon: null },
  payout: {
    state: "below",
    reason: "Below the threshold",
    nextRunAtMs: null,
    etaMs: null,
  },
  ...{ blocksFound: 0, paymentsTotal: 0 },
});

const READY_MINER = (now: number): Miner => ({
  ...EMPTY_MINER(now),
  known: true,
  hashrate: {
    ...{ shortHps: "186300000", longHps: "182900000", dayHps: "181000000" },
    reportedHps: "185000000",
  },
  ...{
    shares: { valid: 13_040, stale: 201, invalid: 28 },
    lastShareAtMs: now - 4_000,
  },
  ...{ workersOnline: 6, workersTotal: 8, workers: WORKERS(now) },
  balance: {
    ...{ immatureShannon: "91234567", unpaidShannon: "391000000" },
    ...{ pendingShannon: "0", paidShannon: "48250001234" },
  },
  round: { shares: "25280000000", percent: 1.02, estimateShannon: "20331000" },
  payout: {
    state: "below",
    reason: "Below the threshold",
    nextRunAtMs: null,
    etaMs: 5.4 * HOUR,
  },
  ...{ blocksFound: 4, paymentsTotal: 38 },
});

const CREDITS = (now: number): Credit[] =>
  blocksOf(now).slice(1, 7).map(({ height, hash, foundAtMs }, i) => ({
    ...{ height, hash, atMs: foundAtMs, state: i < 2 ? "immature" : "matured" },
    ...{ amountShannon: String(20_331_000 + i), percent: 1.01 + i / 10 },
  }));

/** What a path below /api/v2 answers; undefined: there is no such path. */
export function answerOf(path: string, filled: boolean, now: number): unknown {
  const list = (items: unknown[]) => ({
    asOfMs: now,
    items: filled ? items : [],
    nextCursor: null,
  });
  const own = `/miners/${MINER}`;
  const answers: Record<string, () => unknown> = {
    "/pool": () => filled ? READY_POOL(now) : EMPTY_POOL(now),
    "/pool/history": () => poolHistory(now, filled),
    [own]: () => filled ? READY_MINER(now) : EMPTY_MINER(now),
    [`${own}/history`]: () => minerHistory(now, filled),
    [`${own}/payments`]: () => list(paymentsOf(now)),
    [`${own}/credits`]: () => list(CREDITS(now)),
    [`${own}/blocks`]: () => list(blocksOf(now)),
    [`${own}/settings`]: () => SETTINGS(now),
    "/blocks": () => ({
      ...list(blocksOf(now)),
      nextCursor: filled ? "19000000.0xabcd" : null,
      counts: filled
        ? { candidate: 1, immature: 2, matured: 912, orphaned: 4 }
        : { candidate: 0, immature: 0, matured: 0, orphaned: 0 },
    }),
    "/payments": () => ({
      ...list(paymentsOf(now)),
      ...{
        paidShannon: filled ? "1834500123456789" : "0",
        paidDayShannon: filled ? "91500001234" : "0",
      },
      nextRunAtMs: filled ? now + 38 * 60_000 : null,
    }),
    "/status": () => filled ? STATUS(now) : { ...STATUS(now), parts: [] },
    "/status/history": () => STATUS_HISTORY(now, filled),
    "/connect": () => filled ? CONNECT(now) : { ...CONNECT(now), endpoints: [], getwork: null },
  };
  return answers[path]?.();
}
