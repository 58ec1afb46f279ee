/** One miner: hashrates, workers, balance, what is next; each page a fixed number of reads. */
import {
  createSettings,
  type LoopStatus,
  type MinerFacts,
  openPaymentsOf,
  type Overview,
  type RangeName,
  readMinerFacts,
  readRanking,
  readSeries,
  readStatus,
  type WorkerDay,
  type WorkerRate,
} from "../../ledger/mod.ts";
import { asOf, type V2Deps } from "./deps.ts";
import { amount, percentOf } from "./numbers.ts";
import { payoutOf } from "./payout.ts";
import { chartOf } from "./pool.ts";
import type { Miner } from "./schemas.ts";

/** `/miners`. */
export async function minersBody(
  deps: V2Deps,
  query: { limit: number; before?: string | undefined },
) {
  const from = Number(query.before ?? 0);
  const { miners, total } = await readRanking(deps, from, query.limit);
  const next = from + miners.length;
  return {
    asOfMs: await asOf(deps),
    items: miners.map((one) => ({
      address: one.login,
      hashrateHps: `${one.hashrateHps}`,
      lastShareAtMs: one.lastShareSeconds * 1000,
      offline: one.offline,
    })),
    nextCursor: next < total && miners.length > 0 ? String(next) : null,
    total,
  };
}

/** `/miners/{address}`: also of an address that nobody knows. */
export async function minerBody(deps: V2Deps, address: string): Promise<Miner> {
  const { facts } = deps;
  const [overview, miner, settings, status] = await Promise.all([
    deps.overview.get(),
    readMinerFacts(deps, address),
    createSettings(deps).read([address]),
    readStatus(deps),
  ]);
  const [open] = miner.openPayment === null ? [] : await openPaymentsOf(deps, [miner.openPayment]);
  const own = settings.get(address)?.thresholdShannon;
  const least = facts.minThresholdShannon;
  const threshold = own === undefined ? facts.thresholdShannon : own > least ? own : least;
  const nowSeconds = Math.floor((overview?.collectedAtMs ?? deps.clock.now()) / 1000);
  const workers = workersOf(miner, nowSeconds, facts.shortWindowMs / 1000);
  const round = roundOf(deps, miner, overview);
  const { stats } = miner;
  const of = (field: string) => amount(stats[field], `${field} of ${address}`);
  const lastShare = Number(of("lastShare"));
  const payer: LoopStatus | undefined = status.payer;
  const hashrate = ratesOf(miner);
  return {
    asOfMs: overview?.collectedAtMs ?? deps.clock.now(),
    ...{ known: Object.keys(stats).length > 0 || workers.length > 0, address, hashrate },
    shares: countsOf(miner.days),
    lastShareAtMs: lastShare > 0 ? lastShare * 1000 : null,
    workersOnline: workers.filter(({ state }) => state === "online").length,
    ...{ workersTotal: workers.length, workers },
    balance: {
      immatureShannon: of("immature"),
      unpaidShannon: of("balance"),
      pendingShannon: of("pending"),
      paidShannon: of("paid"),
    },
    ...{ thresholdShannon: `${threshold}`, ownThreshold: own !== undefined, round },
    payout: payoutOf({
      ...{ threshold, balance: BigInt(of("balance")), held: miner.held, payer },
      open: open?.state,
      immature: BigInt(of("immature")),
      ...{ overview, hashrateHps: BigInt(hashrate.longHps), feePercent: facts.feePercent },
    }),
    blocksFound: Number(of("blocksFound")),
    paymentsTotal: miner.paymentsTotal,
  };
}

function ratesOf({ rates, days }: MinerFacts): Miner["hashrate"] {
  const sum = (rate: (worker: WorkerRate) => bigint) =>
    `${rates.reduce((total, worker) => total + rate(worker), 0n)}`;
  const said = days.filter(({ reportedHps }) => reportedHps !== undefined);
  return {
    shortHps: sum((worker) => worker.hashrateHps),
    longHps: sum((worker) => worker.largeHashrateHps),
    dayHps: days.length === 0 ? null : `${days.reduce((all, { dayHps }) => all + dayHps, 0)}`,
    reportedHps: said.length === 0
      ? null
      : `${said.reduce((all, { reportedHps }) => all + BigInt(reportedHps!), 0n)}`,
  };
}

/** Null where nothing was counted: an old pool's shares were not. */
function countsOf(days: readonly WorkerDay[]): Miner["shares"] {
  const sum = (of: (day: WorkerDay) => number) => days.reduce((all, day) => all + of(day), 0);
  const valid = sum((day) => day.valid);
  const stale = sum((day) => day.stale);
  const invalid = sum((day) => day.invalid);
  return valid + stale + invalid === 0 ? null : { valid, stale, invalid };
}

/** Workers of the last day; silent for half the short window, offline for all of it. */
function workersOf(miner: MinerFacts, nowSeconds: number, shortSeconds: number): Miner["workers"] {
  const rates = new Map(miner.rates.map((rate) => [rate.worker, rate]));
  const days = new Map(miner.days.map((day) => [day.worker, day]));
  const names = [...new Set([...rates.keys(), ...days.keys()])].sort();
  return names.map((name) => {
    const [rate, day] = [rates.get(name), days.get(name)];
    const last = rate?.lastShareSeconds ?? day!.lastShareSeconds;
    const silent = rate?.offline ?? true;
    return {
      name,
      hashrate: {
        shortHps: `${rate?.hashrateHps ?? 0n}`,
        longHps: `${rate?.largeHashrateHps ?? 0n}`,
        dayHps: day === undefined ? null : `${day.dayHps}`,
        reportedHps: day?.reportedHps ?? null,
      },
      shares: countsOf(day === undefined ? [] : [day]),
      ...{ difficulty: day?.shareDifficulty ?? null, dialect: day?.dialect ?? null },
      lastShareAtMs: last * 1000,
      state: !silent ? "online" : last > nowSeconds - shortSeconds ? "silent" : "offline",
    };
  });
}

/** The miner's part of what the next block pays, by the pool's scheme. */
function roundOf(
  { facts }: V2Deps,
  miner: MinerFacts,
  overview: Overview | undefined,
): Miner["round"] {
  const { scheme, feePercent } = facts;
  const [shares, whole] = scheme === "pplns"
    ? [miner.windowShares, miner.windowTotal]
    : scheme === "solo"
    ? [miner.soloShares, miner.soloShares]
    : [miner.roundShares, overview?.roundShares ?? 0n];
  const reward = overview?.lastRewardWei ?? null;
  const kept = BigInt(Math.round((100 - feePercent) * 1e6));
  return {
    shares: `${shares}`,
    // The snapshot may be a little older than the miner's own shares.
    percent: whole === 0n ? null : percentOf(shares, whole > shares ? whole : shares),
    estimateShannon: reward === null || whole === 0n
      ? null
      : `${
        reward * shares / (whole > shares ? whole : shares) * kept / 100_000_000n / 1_000_000_000n
      }`,
  };
}

/** `/miners/{address}/history`: of the miner, or of one of its workers. */
export async function minerHistoryBody(
  deps: V2Deps,
  address: string,
  query: { range: RangeName; worker?: string | undefined },
) {
  const asOfMs = await asOf(deps);
  const { stepSeconds, fromSeconds, count } = chartOf(query.range, Math.floor(asOfMs / 1000));
  const name = query.worker === undefined ? address : `${address}:${query.worker}`;
  const [own, pool] = await readSeries(deps, query.range, [name, "pool"], fromSeconds, count);
  return {
    ...{ asOfMs, stepMs: stepSeconds * 1000, fromMs: fromSeconds * 1000 },
    series: {
      // Where the pool was measured a miner without a point did nothing.
      hashrateHps: own!.map((point, i) => point?.[0] ?? (pool![i] === undefined ? null : "0")),
      reportedHps: own!.map((point) => point?.[1] || null),
    },
  };
}
