/** `scripts/bench stratum`: shares a second, latency, memory and broadcasts of a whole pool. */
import { createKeys, openStore } from "../../modules/ledger/mod.ts";
import { silentLogger } from "../../modules/base/mod.ts";
import {
  type Bench,
  buildPrograms,
  cpuSeconds,
  type Load,
  type LoadOptions,
  residentBytes,
  startBench,
  startBroadcaster,
  startLoad,
} from "./parts.ts";

/** Settings of a run. */
export interface StratumBenchOptions {
  out: string;
  /** Stratum Deno workers of the pool. */
  threads: number;
  /** Seconds of each load. */
  seconds: number;
}

/** One figure. */
interface Figure {
  what: string;
  value: number;
  unit: string;
  /** What it should be: "at most" or "at least" so much. */
  goal?: { atMost?: number; atLeast?: number };
}

const CROWD = 8_192;
const MANY = 1_000;
const BROADCASTS = 7;

/** Runs everything, prints the table and writes JSON. */
export async function benchStratum(options: StratumBenchOptions): Promise<void> {
  say("Building the load generator and the broadcaster");
  await buildPrograms();
  const dir = await Deno.makeTempDir({ prefix: "quarry-bench-" });
  const figures: Figure[] = [];
  try {
    figures.push(...await throughput(options, dir));
    figures.push(...await crowd(options, dir));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
  await Deno.mkdir(options.out, { recursive: true });
  await Deno.writeTextFile(`${options.out}/stratum.json`, JSON.stringify(figures, null, 2) + "\n");
  for (const { what, value, unit, goal } of figures) {
    const met = goal === undefined ? "" : (goal.atMost === undefined || value <= goal.atMost) &&
        (goal.atLeast === undefined || value >= goal.atLeast)
      ? "met"
      : "not met";
    const limit = goal?.atMost !== undefined
      ? `≤ ${round(goal.atMost)}`
      : goal?.atLeast !== undefined
      ? `≥ ${round(goal.atLeast)}`
      : "";
    say(
      `${what.padEnd(58)} ${String(round(value)).padStart(9)} ${unit.padEnd(10)} ${limit} ${met}`,
    );
  }
}

/** Closed loop with a thousand miners, then half of that rate. */
async function throughput(options: StratumBenchOptions, dir: string): Promise<Figure[]> {
  await using bench = await startBench(dir, options.threads);
  const settings = { port: bench.port, sessions: MANY, active: MANY, seconds: options.seconds };
  say(`${MANY} miners, each sends its next share when the last is answered`);
  const full = await shares(bench, { ...settings, rate: 0, nonces: `${dir}/full` });
  const rate = Math.round(full.perSecond / 2);
  say(`${MANY} miners at half of that rate`);
  const half = await shares(bench, { ...settings, rate, nonces: `${dir}/half` });
  await compareWithStore(bench, [`${dir}/full`, `${dir}/half`]);
  return [
    {
      what: `shares accepted and stored, ${MANY} miners, closed loop`,
      value: full.perSecond,
      unit: "a second",
      goal: { atLeast: 10_000 },
    },
    {
      what: "pool CPU per accepted share",
      value: full.cpuMicros,
      unit: "µs",
      goal: { atMost: 120 },
    },
    { what: "latency under full load, p50", value: full.p50, unit: "ms" },
    { what: "latency under full load, p99", value: full.p99, unit: "ms" },
    {
      what: `latency at half of the rate (${rate} a second), p99`,
      value: half.p99,
      unit: "ms",
      goal: { atMost: 20 },
    },
    { what: "pool CPU per accepted share at half of the rate", value: half.cpuMicros, unit: "µs" },
  ];
}

/** A crowd of sessions, most of them silent: memory, latency, broadcasts. */
async function crowd(options: StratumBenchOptions, dir: string): Promise<Figure[]> {
  await using bench = await startBench(dir, options.threads);
  const before = await residentBytes(bench.pid);
  say(`${CROWD} miners`);
  const figures: Figure[] = [];
  {
    const settings = { port: bench.port, sessions: CROWD, active: 500, seconds: 0, rate: 0 };
    await using load = startLoad({ ...settings, nonces: `${dir}/crowd` });
    const { ms } = await load.next("open");
    const perSession = (await residentBytes(bench.pid) - before) / CROWD / 1024;
    figures.push({ what: `${CROWD} sessions opened`, value: Number(ms), unit: "ms" });
    figures.push({
      what: "memory per session",
      value: perSession,
      unit: "KiB",
      goal: { atMost: 12 },
    });
    const ours = await broadcasts(load, () => bench.newBlock());
    await using go = await startBroadcaster();
    await using other = startLoad({ ...settings, port: go.port, nonces: `${dir}/go` });
    await other.next("open");
    const theirs = await broadcasts(other, () => go.send());
    figures.push(
      { what: `new block to all of ${CROWD}, first to last byte`, value: ours.spread, unit: "ms" },
      {
        what: "the same by the Go broadcaster, write to last byte",
        value: theirs.whole,
        unit: "ms",
      },
      {
        what: "ratio to the Go broadcaster",
        value: ours.spread / theirs.whole,
        unit: "×",
        goal: { atMost: 1.25 },
      },
      {
        what: `node's block to the last of ${CROWD}, polling each 20 ms`,
        value: ours.whole,
        unit: "ms",
      },
    );
  }
  const some = { port: bench.port, sessions: CROWD, active: 500, seconds: options.seconds };
  const half = await shares(bench, { ...some, rate: 4_000, nonces: `${dir}/some` });
  figures.push({
    what: `latency, 500 of ${CROWD} submit 4,000 a second, p99`,
    value: half.p99,
    unit: "ms",
    goal: { atMost: 50 },
  });
  figures.push({ what: "sessions lost", value: half.lost, unit: "", goal: { atMost: 0 } });
  return figures;
}

async function shares(bench: Bench, options: LoadOptions) {
  await using load = startLoad(options);
  await load.next("open");
  const before = await cpuSeconds(bench.pid);
  const done = await load.next("done");
  const seconds = await cpuSeconds(bench.pid) - before;
  const accepted = Number(done.accepted);
  say(`  ${JSON.stringify(done)}`);
  return {
    perSecond: accepted / Number(done.seconds),
    cpuMicros: seconds * 1e6 / Math.max(1, accepted),
    p50: Number(done.p50) / 1_000,
    p99: Number(done.p99) / 1_000,
    lost: Number(done.lost),
  };
}

/** Every nonce that a miner was told is stored, and nothing else is. */
async function compareWithStore(bench: Bench, files: string[]): Promise<void> {
  const store = await openStore({ endpoint: bench.redis.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  const keys = createKeys("bench");
  const members = await store.command("ZRANGE", keys.pow(), "0", "-1") as string[];
  await store.close();
  const stored = new Set(members.map((member) => member.slice(2, 18)));
  let told = 0;
  for (const file of files) {
    for (const nonce of (await Deno.readTextFile(file)).split("\n")) {
      if (nonce === "") continue;
      told++;
      if (!stored.has(nonce)) throw new Error(`nonce ${nonce} was told true and is not stored`);
    }
  }
  if (told !== members.length) {
    throw new Error(`${told} shares were told true and ${members.length} are stored`);
  }
  say(`  every one of ${told} shares that were told true is stored, and no other`);
}

/** Times of several broadcasts: first to last byte, and from the trigger to the last byte (ms). */
async function broadcasts(load: Load, trigger: () => Promise<number>) {
  const spreads: number[] = [], wholes: number[] = [];
  for (let i = 0; i < BROADCASTS; i++) {
    const atMs = await trigger();
    const { firstMs, lastMs } = await load.next("job");
    spreads.push(Number(lastMs) - Number(firstMs));
    wholes.push(Number(lastMs) - atMs);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;
  return { spread: median(spreads), whole: median(wholes) };
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}
