/** One collection: the work and the tables of the ledger in, one snapshot for the API out. */
import { type Clock, type Logger, unixSeconds } from "../base/mod.ts";
import {
  type BlockRow,
  type BlockView,
  type Candidate,
  type CandidateView,
  type PoolSnapshot,
  purgeOldShares,
  readPoolTables,
  snapshotLogins,
  type ViewDeps,
  writeSnapshots,
} from "../ledger/mod.ts";
import type { Windows } from "./hashrate.ts";
import { Beats } from "./beats.ts";
import { History, HISTORY_SECONDS } from "./history.ts";
import { luckOf } from "./luck.ts";
import { Overviews } from "./overviews.ts";
import { WorkLog } from "./work_log.ts";

/** What is collected; part of the configuration's `api`. */
export interface CollectOptions {
  hashrateWindowMs: number;
  hashrateLargeWindowMs: number;
  /** Windows of the luck table (blocks), ascending. */
  luckWindow: readonly number[];
  /** Payments shown; 0 for all. */
  payments: number;
  /** Matured blocks shown; 0 for all. */
  blocks: number;
  /** Pause between two reports of an instance on its node (milliseconds). @default {0} */
  nodeBeatMs?: number;
}

/** What a collector works with. */
export interface CollectDeps extends ViewDeps {
  clock: Clock;
  log: Logger;
}

/** Collects again and again; remembers what need not be read twice. */
export interface Collector {
  /** Writes one snapshot. A failure leaves the former one in place. @throws {StoreError} */
  collect(): Promise<PoolSnapshot>;
  /** Removes the old pool's aged rows; gives their number. @throws {StoreError} */
  purge(): Promise<number>;
}

/** A collector for one pool. */
export function createCollector(options: CollectOptions, deps: CollectDeps): Collector {
  const { clock, log } = deps;
  const windows: Windows = {
    smallSeconds: Math.floor(options.hashrateWindowMs / 1000),
    largeSeconds: Math.floor(options.hashrateLargeWindowMs / 1000),
  };
  const { smallSeconds, largeSeconds } = windows;
  const workLog = new WorkLog(deps, Math.max(smallSeconds, largeSeconds, HISTORY_SECONDS));
  const history = new History(deps, workLog);
  const overviews = new Overviews(options.luckWindow, deps);
  const beats = new Beats(deps, options.nodeBeatMs ?? 0);
  const luckMax = options.luckWindow.at(-1) ?? 0;
  // 0 asks for every row, so it wins over any number.
  const matured = options.blocks === 0 ? 0 : Math.max(options.blocks, luckMax);
  let written: Set<string> | undefined;
  let reported = "";

  async function collect(): Promise<PoolSnapshot> {
    const collectedAtMs = clock.now();
    const nowSeconds = Math.floor(collectedAtMs / 1000);
    try {
      return await collectAt(collectedAtMs, nowSeconds);
    } catch (error) {
      beats.failed(nowSeconds);
      throw error;
    }
  }

  async function collectAt(collectedAtMs: number, nowSeconds: number): Promise<PoolSnapshot> {
    await workLog.update(nowSeconds);
    const tables = await readPoolTables(deps, { matured, payments: options.payments });
    reportUnreadable(tables.unreadable);
    const { hashrateHps, miners, workers } = workLog.measure(windows, nowSeconds);
    const shown = options.blocks === 0 ? tables.matured : tables.matured.slice(0, options.blocks);
    const lucky = [...tables.immature, ...tables.matured.slice(0, luckMax)];
    const pool: PoolSnapshot = {
      ...{ collectedAtMs, hashrateHps, minersTotal: miners.length },
      stats: Object.entries(tables.stats),
      candidates: tables.candidates.map(candidateView),
      immature: tables.immature.map(blockView),
      matured: shown.map(blockView),
      payments: tables.payments,
      candidatesTotal: tables.candidatesTotal,
      immatureTotal: tables.immatureTotal,
      maturedTotal: tables.maturedTotal,
      paymentsTotal: tables.paymentsTotal,
      ...(options.luckWindow.length === 0 ? {} : { luck: luckOf(lucky, options.luckWindow) }),
    };
    written ??= new Set(await snapshotLogins(deps));
    const gone = [...written].filter((login) => !workers.has(login));
    await writeSnapshots(deps, pool, { collectedAtMs, hashrateHps, miners }, workers, gone);
    written = new Set(workers.keys());
    const difficulty = await overviews.write(collectedAtMs, tables, {
      hashrateHps,
      miners,
      workers,
    });
    await history.update(nowSeconds, difficulty === null ? {} : { difficulty });
    await beats.look(nowSeconds);
    return pool;
  }

  function reportUnreadable(members: string[]) {
    const now = members.join(" ");
    if (now !== reported && now !== "") log.warn("stats.rowsUnreadable", { members });
    reported = now;
  }

  return {
    collect,
    purge: () => purgeOldShares(deps, unixSeconds(clock), windows),
  };
}

function candidateView(candidate: Candidate): CandidateView {
  const { height, foundAt, difficulty, totalShares } = candidate;
  return { height, foundAt, difficulty, totalShares };
}

function blockView(block: BlockRow): BlockView {
  const { height, uncleHeight, orphan, hash, foundAt, difficulty, totalShares, rewardWei } = block;
  return { height, uncleHeight, orphan, hash, foundAt, difficulty, totalShares, rewardWei };
}
