/** The tables of docs/capacity.md and docs/scale.md, by name. */
import { simulateCommit } from "./commit.ts";
import { type Costs, MEASURED } from "./costs.ts";
import { BUSY_MAX, needsOf, type Pool, sharesAtBusy, THREAD_SESSIONS, USUAL } from "./model.ts";

/** Seconds that are simulated, and the seed: the same table each time. */
const SIMULATED = { seconds: 2, seed: 8 };

/** Every table's markdown, before `deno fmt`. */
export const TABLES: Readonly<Record<string, () => string>> = {
  sizes: () => sizes(MEASURED),
  targets: () => targets(MEASURED),
  ledgers: () => ledgers(MEASURED),
  ends: () => ends(MEASURED),
  check: () => check(MEASURED),
  regions: () => regions(MEASURED),
};

/** Pools on one machine. */
function sizes(costs: Costs): string {
  const pools = [100, 1_000, 10_000, 50_000].map((workers) =>
    needsOf({ ...USUAL, workers }, costs)
  );
  return table(["workers", "100", "1,000", "10,000", "50,000"], [
    ["shares a second", ...pools.map((one) => round(one.sharesPerSecond))],
    ["cores, light cache", ...pools.map((one) => round(one.lightCores + one.stratumCores))],
    ["cores, dataset", ...pools.map((one) => round(one.datasetCores + one.stratumCores))],
    ["`threads`", ...pools.map((one) => round(one.threads))],
    ["memory of sessions", ...pools.map((one) => bytes(one.sessionBytes))],
    ["Redis: part of its thread", ...pools.map((one) => percent(one.redisBusy))],
    ["Redis: memory", ...pools.map((one) => bytes(one.redisBytes))],
    ["append-only file a day", ...pools.map((one) => bytes(one.fileBytesPerSecond * 86_400))],
    ["network down, up", ...pools.map((one) => `${bits(one.bitsDown)}, ${bits(one.bitsUp)}`)],
  ]);
}

/** A million workers by the seconds per share. */
function targets(costs: Costs): string {
  const seconds = [10, 15, 30, 60, 120];
  const pools = seconds.map((targetSeconds) =>
    needsOf({ ...USUAL, workers: 1_000_000, targetSeconds, collectSeconds: 60 }, costs)
  );
  return table(["seconds per share", ...seconds.map(String)], [
    ["shares a second", ...pools.map((one) => round(one.sharesPerSecond))],
    ["a worker's hashrate over 30 minutes, ±", ...pools.map((one) => percent(one.hashrateError))],
    ["cores for hashes, light cache", ...pools.map((one) => round(one.lightCores))],
    ["cores for hashes, dataset", ...pools.map((one) => round(one.datasetCores))],
    ["cores for all else of shares and jobs", ...pools.map((one) => round(one.stratumCores))],
    ["one Redis: its thread, full batches", ...pools.map((one) => percent(one.redisFull))],
    ["one Redis: memory", ...pools.map((one) => bytes(one.redisBytes))],
    ["append-only file a second", ...pools.map((one) => bytes(one.fileBytesPerSecond))],
    ["network down", ...pools.map((one) => bits(one.bitsDown))],
    ["network up", ...pools.map((one) => bits(one.bitsUp))],
  ]);
}

/** One ledger by its workers, at 30 seconds per share. */
function ledgers(costs: Costs): string {
  const sizes = [10_000, 50_000, 100_000, 200_000, 500_000, 1_000_000];
  const rows = sizes.map((workers) => {
    const needs = needsOf(regionOf(workers), costs);
    const commit = simulateCommit({
      ...{ recorders: needs.threads, sharesPerSecond: needs.sharesPerSecond },
      ...SIMULATED,
    }, costs);
    return [
      thousands(workers),
      round(needs.threads),
      round(needs.sharesPerSecond),
      percent(needs.redisFull),
      `${round(commit.p50Ms)}, ${round(commit.p99Ms)} ms`,
      bytes(needs.redisBytes),
      `${round(needs.collectCpuSeconds)} s`,
      bytes(needs.jobBurstBytes),
    ];
  });
  return table([
    ...[
      "workers",
      "threads",
      "shares/s",
      "Redis's thread, full batches",
      "commit p50, p99 (simulated)",
    ],
    ...["Redis's memory", "one collection", "one job to all"],
  ], rows);
}

/** One recorder at the load that scripts/bench_stratum measures. */
function check(costs: Costs): string {
  const { p50Ms, p99Ms } = simulateCommit(
    { recorders: 1, sharesPerSecond: 3_750, ...SIMULATED, seconds: 10 },
    costs,
  );
  return table(["one thread, 3,500 to 4,000 shares a second", "p50", "p99"], [
    ["simulated", `${round(p50Ms)} ms`, `${round(p99Ms)} ms`],
    ["measured by scripts/bench stratum, busy cores", "2.5 ms", "8 to 10 ms"],
  ]);
}

/** Where each part ends, and at how many workers that is. */
function ends(costs: Costs): string {
  const shares = sharesAtBusy(BUSY_MAX, 256, costs);
  const workersAt = (seconds: number) => thousands(Math.floor(shares * seconds / 1_000) * 1_000);
  const core = 1e6 * BUSY_MAX / costs.shareMicros;
  const of = (pool: Partial<Pool>) => needsOf({ ...USUAL, ...pool }, costs);
  const perWorker = of({ workers: 1_000_000, targetSeconds: 30 });
  const gigabit = 1e9 * BUSY_MAX / (perWorker.bitsDown / 1e6);
  const memory = 64e9 / (perWorker.redisBytes / 1e6);
  const lean = of({ workers: 1_000_000, targetSeconds: 30, bucketSeconds: 1_800 });
  const collected = 60 * BUSY_MAX * 1e6 / costs.collectMicros;
  return table(["part", "ends at", "which is"], [
    [
      "Redis's thread",
      `${percent(BUSY_MAX)} busy: ${thousands(shares)} shares a second in full batches`,
      `${workersAt(15)}, ${workersAt(30)}, ${workersAt(60)} workers at 15, 30, 60 s per share`,
    ],
    [
      "Redis's memory",
      "64 GB, half of the machine's: a rewrite may copy all of it",
      `${thousands(memory)} workers; ${
        thousands(64e9 / (lean.redisBytes / 1e6))
      } with 30 minutes of buckets`,
    ],
    [
      "statistics",
      `one core ${percent(BUSY_MAX)} busy, a collection each 60 s`,
      `${thousands(collected)} workers`,
    ],
    [
      "a stratum thread's event loop, by jobs",
      `${thousands(THREAD_SESSIONS)} sessions: ${
        round(THREAD_SESSIONS * costs.jobMicros / 1_000)
      } ms from first to last`,
      `${thousands(1e6 / THREAD_SESSIONS)} threads for a million`,
    ],
    [
      "a stratum thread's event loop, by shares",
      `${percent(BUSY_MAX)} of a core: ${thousands(core)} shares a second`,
      `${thousands(core * 30)} workers at 30 s: sessions end first`,
    ],
    [
      "an API process",
      `${percent(BUSY_MAX)} of a core: ${
        thousands(BUSY_MAX * 1e6 / costs.viewMicros)
      } views of a ` +
      "miner's page a second",
      `${thousands(60 * BUSY_MAX * 1e6 / costs.viewMicros)} open pages that ask each minute`,
    ],
    [
      "network of a machine, 1 Gbit/s",
      `${percent(BUSY_MAX)} full on average`,
      `${thousands(gigabit)} workers; a job to 65,536 of them is ${
        bytes(65_536 * (costs.jobBytes + costs.packetBytes))
      }, ${round(65_536 * 8 * (costs.jobBytes + costs.packetBytes) / 1e6)} ms of the line`,
    ],
  ]);
}

/** A million workers as so many regions with a ledger each. */
function regions(costs: Costs): string {
  const counts = [1, 4, 5, 8, 10];
  const pools = counts.map((count) => needsOf(regionOf(1_000_000 / count), costs));
  return table(["regions", ...counts.map(String)], [
    ["workers of a region", ...counts.map((count) => thousands(1_000_000 / count))],
    ["stratum threads of a region", ...pools.map((one) => round(one.threads))],
    [
      "cores of a region, dataset",
      ...pools.map((one) => round((one.stratumCores + one.datasetCores) / BUSY_MAX)),
    ],
    ["Redis's thread, full batches", ...pools.map((one) => percent(one.redisFull))],
    ["Redis's memory", ...pools.map((one) => bytes(one.redisBytes))],
    ["one collection", ...pools.map((one) => `${round(one.collectCpuSeconds)} s`)],
    ["network down", ...pools.map((one) => bits(one.bitsDown))],
    [
      "spread of a region's blocks in a day",
      // Poisson: 1/√blocks, with a tenth of the chain's blocks for all regions together.
      ...counts.map((count) => percent(1 / Math.sqrt(86_400 / USUAL.blockSeconds / 10 / count))),
    ],
  ]);
}

/** A region's settings: a share each 30 seconds, statistics each minute. */
function regionOf(workers: number): Pool {
  return { ...USUAL, workers, targetSeconds: 30, collectSeconds: 60 };
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function round(value: number): string {
  if (value >= 100) return thousands(value);
  return String(Number(value.toPrecision(2)));
}

function thousands(value: number): string {
  const rounded = value >= 1_000 ? Number(value.toPrecision(4)) : Math.round(value);
  return rounded.toLocaleString("en-US", { maximumFractionDigits: 0 });
}

function percent(part: number): string {
  return `${Number((part * 100).toPrecision(2))} %`;
}

function bytes(count: number): string {
  return scaled(count, ["B", "KB", "MB", "GB", "TB"]);
}

function bits(count: number): string {
  return scaled(count, ["bit/s", "kbit/s", "Mbit/s", "Gbit/s"]);
}

function scaled(value: number, units: string[]): string {
  let step = 0;
  while (value >= 999.5 && step < units.length - 1) {
    value /= 1_000;
    step++;
  }
  return `${Number(value.toPrecision(2))} ${units[step]}`;
}
