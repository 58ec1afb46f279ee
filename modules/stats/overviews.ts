/** The overview of each collection: round, chain, effort and totals beside the hashrates. */
import { type Clock, unixSeconds } from "../base/mod.ts";
import {
  type EffortRow,
  type Overview,
  type PoolTables,
  readFinds,
  readNodes,
  readPaid,
  readRoundStart,
  type ViewDeps,
  writeOverview,
  writeRanking,
} from "../ledger/mod.ts";
import type { Measured } from "./hashrate.ts";
import { luckOf } from "./luck.ts";
import { Orphans } from "./orphans.ts";

/** What an instance said of the chain counts for this long (seconds). */
const NODE_SECONDS = 600;
/** The chain's pace is measured over this time at most, and at least (seconds). */
const PACE_SECONDS_MAX = 3_600;
const PACE_SECONDS_MIN = 300;
/** Blocks that charts may mark. */
const RECENT_MAX = 300;
/** The sum of a day's payments is made again after this time (milliseconds). */
const PAID_MS = 30_000;
/** More miners than this are put in order once a minute only. */
const MINERS_AT_ONCE = 5_000;
const RANKING_MS = 60_000;

/** Makes overviews; remembers what need not be read each time. */
export class Overviews {
  readonly #windows: readonly number[];
  readonly #deps: ViewDeps & { clock: Clock };
  /** Heights of the chain by the time at which they were first seen (unix seconds). */
  readonly #heights: { atSeconds: number; height: number }[] = [];
  readonly #orphans: Orphans;
  #paid: { atMs: number; paidShannon: bigint; sinceShannon: bigint } | undefined;
  #rankedAtMs = -Infinity;
  #pages = 0;

  constructor(windows: readonly number[], deps: ViewDeps & { clock: Clock }) {
    this.#windows = windows;
    this.#deps = deps;
    this.#orphans = new Orphans(deps);
  }

  /** Writes one; gives the chain's difficulty. @throws {StoreError} */
  async write(
    collectedAtMs: number,
    tables: PoolTables,
    measured: Measured,
  ): Promise<bigint | null> {
    const deps = this.#deps;
    const nowSeconds = unixSeconds(deps.clock);
    const chain = await this.#chain(nowSeconds);
    const paid = await this.#paidUntil(collectedAtMs);
    const blocks = [...tables.immature, ...tables.matured];
    const newest = [...tables.candidates, ...blocks].toSorted((a, b) => b.foundAt - a.foundAt);
    const overview: Overview = {
      ...{ collectedAtMs, hashrateHps: measured.hashrateHps, miners: measured.miners.length },
      workers: onlineWorkers(measured),
      roundShares: /^\d+$/.test(tables.stats.roundShares ?? "")
        ? BigInt(tables.stats.roundShares!)
        : 0n,
      roundStartedAt: await readRoundStart(deps) ?? null,
      ...chain,
      luck: await this.#luck(blocks),
      candidatesTotal: tables.candidatesTotal,
      immatureTotal: tables.immatureTotal,
      maturedTotal: tables.maturedTotal,
      orphaned: {
        immature: tables.immature.filter(({ orphan }) => orphan).length,
        matured: await this.#orphans.count(collectedAtMs),
      },
      paymentsTotal: tables.paymentsTotal,
      ...{ paidShannon: paid.paidShannon, paidDayShannon: paid.sinceShannon },
      lastRewardWei: blocks.find((block) => !block.orphan && block.rewardWei > 0n)?.rewardWei ??
        null,
      recent: newest.slice(0, RECENT_MAX).map(({ height, foundAt }) => ({ height, foundAt })),
    };
    await writeOverview(deps, overview);
    if (
      measured.miners.length <= MINERS_AT_ONCE || collectedAtMs - this.#rankedAtMs >= RANKING_MS
    ) {
      this.#pages = await writeRanking(deps, measured.miners, this.#pages);
      this.#rankedAtMs = collectedAtMs;
    }
    return chain.difficulty;
  }

  async #chain(
    nowSeconds: number,
  ): Promise<Pick<Overview, "height" | "difficulty" | "blockSeconds">> {
    const rows = (await readNodes(this.#deps)).map(({ height, difficulty, lastBeat }) => ({
      height: Number(height ?? NaN),
      difficulty: difficulty ?? "",
      lastBeat: Number(lastBeat ?? NaN),
    })).filter((row) =>
      Number.isSafeInteger(row.height) && /^\d+$/.test(row.difficulty) &&
      nowSeconds - row.lastBeat <= NODE_SECONDS
    );
    const [best] = rows.toSorted((a, b) => b.height - a.height);
    if (best === undefined) return { height: null, difficulty: null, blockSeconds: null };
    const seen = this.#heights;
    if (seen.at(-1)?.height !== best.height) {
      seen.push({ atSeconds: nowSeconds, height: best.height });
    }
    while (seen.length > 1 && nowSeconds - seen[0]!.atSeconds > PACE_SECONDS_MAX) seen.shift();
    const [first, last] = [seen[0]!, seen.at(-1)!];
    const time = last.atSeconds - first.atSeconds;
    const blocks = last.height - first.height;
    return {
      height: best.height,
      difficulty: BigInt(best.difficulty),
      blockSeconds: time >= PACE_SECONDS_MIN && blocks > 0 ? time / blocks : null,
    };
  }

  async #paidUntil(nowMs: number) {
    if (this.#paid === undefined || nowMs - this.#paid.atMs >= PAID_MS) {
      const sinceSeconds = Math.floor(nowMs / 1000) - 86_400;
      this.#paid = { atMs: nowMs, ...await readPaid(this.#deps, sinceSeconds) };
    }
    return this.#paid;
  }

  /** As luck, but each block by the shares since the one before: a window is no effort. */
  async #luck(blocks: PoolTables["matured"]): Promise<EffortRow[]> {
    const counted = blocks.slice(0, this.#windows.at(-1) ?? 0);
    const finds = await readFinds(this.#deps, counted);
    const rows = luckOf(
      counted.map((block, i) => ({
        ...block,
        totalShares: finds[i]?.effortShares ?? block.totalShares,
      })),
      this.#windows,
    );
    return rows.map(({ blocks, luck, uncleRate, orphanRate }) => ({
      ...{ blocks, uncleRate, orphanRate, effort: blocks === 0 ? null : luck },
    }));
  }
}

function onlineWorkers({ workers }: Measured): number {
  let online = 0;
  for (const rates of workers.values()) for (const rate of rates) if (!rate.offline) online++;
  return online;
}
