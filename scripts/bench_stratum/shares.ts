/** Shares of a thousand miners: closed loop, half of that rate, and more than the pool can take. */
import { buildClient, COMMANDS, startProgram, threadsCommand } from "../bench_verifier/programs.ts";
import { type Figure, median, say } from "./figures.ts";
import { compareWithStore, runLoad } from "./load_run.ts";
import { startBench } from "./parts.ts";
import { callsBetween, openBenchStore, readCalls, slowCommands } from "./store_counts.ts";

const MINERS = 1_000;
/** Miners that together offer twice the capacity; each waits for its answer. */
const OFFERING = 8_192;
/** CPU of everything but the full hash, per accepted share (µs). */
const REST_MICROS = 60;
/** A share's writes inside its batch's script. */
const WRITES_MAX = 6;

/** Over the light cache: with the verifier's own time from the same run beside it. */
export async function lightShares(
  { dir, threads, seconds }: { dir: string; threads: number; seconds: number },
): Promise<Figure[]> {
  await buildClient();
  await using bench = await startBench({ dir, threads });
  const [pool] = bench.pools;
  const files = [`${dir}/full`, `${dir}/half`, `${dir}/over`];
  const miners = { sessions: MINERS, active: MINERS, seconds };
  const store = await openBenchStore(bench.redis);
  const verify = [await verifyMicros()];
  say(`${MINERS} miners, each sends its next share when the last is answered`);
  const before = await readCalls(store);
  const full = await runLoad(pool!, { ...miners, rate: 0, nonces: files[0]! });
  const { writes, scripts, batches } = callsBetween(before, await readCalls(store));
  verify.push(await verifyMicros());
  const bothCores = await verifyMicrosOfTwo();
  const rate = Math.round(full.perSecond / 2);
  say(`${MINERS} miners at half of that rate`);
  const half = await runLoad(pool!, { ...miners, rate, nonces: files[1]! });
  say(`${OFFERING} miners at twice that rate`);
  const over = await runLoad(pool!, {
    ...{ sessions: OFFERING, active: OFFERING, seconds: Math.ceil(seconds / 2) },
    ...{ rate: Math.round(full.perSecond * 2), nonces: files[2]! },
  });
  await compareWithStore(bench, files);
  const slow = await slowCommands(store);
  await store.close();
  const verifyOnly = median(verify);
  return [
    {
      what: `light: shares accepted and stored, ${MINERS} miners, closed loop`,
      ...{ value: full.perSecond, unit: "/s", goal: { atLeast: 10_000 } },
    },
    { what: "light: one verification in batches of 64", value: verifyOnly, unit: "µs" },
    { what: "light: the same with two cores at it", value: bothCores, unit: "µs" },
    {
      what: "light: pool CPU per accepted share",
      ...{ value: full.cpuMicros, unit: "µs", goal: { atMost: verifyOnly + REST_MICROS } },
    },
    { what: "light: latency under full load, p99", value: full.p99, unit: "ms" },
    {
      what: `light: latency at half of the rate (${rate}/s), p99`,
      ...{ value: half.p99, unit: "ms", goal: { atMost: 20 } },
    },
    { what: "light: the same, p50", value: half.p50, unit: "ms" },
    { what: "light: pool CPU per share at half of the rate", value: half.cpuMicros, unit: "µs" },
    {
      what: `light: accepted and stored when twice the rate is offered`,
      ...{ value: over.perSecond, unit: "/s" },
    },
    { what: "light: the same, answered busy", value: over.busy, unit: "shares" },
    { what: "Redis: shares a batch, closed loop", value: full.accepted / batches, unit: "" },
    // Those that are no batches are the instance's own, such as its heartbeat.
    { what: "Redis: calls by the pool per batch", value: scripts / batches, unit: "" },
    {
      what: "Redis: writes per share",
      ...{ value: writes / full.accepted, unit: "", goal: { atMost: WRITES_MAX } },
    },
    // Wall time, while both cores hash: `--ledger` has the goal, where Redis has a core.
    { what: "Redis: commands over 10 ms", value: slow.count, unit: "" },
  ];
}

/** Over the full dataset in memory. */
export async function datasetShares(
  { dir, threads, seconds }: { dir: string; threads: number; seconds: number },
): Promise<Figure[]> {
  say("The pool generates the dataset of epoch 0");
  await using bench = await startBench({ dir, threads, dag: true });
  const [pool] = bench.pools;
  const files = [`${dir}/dag-full`, `${dir}/dag-half`];
  const miners = { sessions: MINERS, active: MINERS, seconds };
  say(`${MINERS} miners, each sends its next share when the last is answered`);
  const full = await runLoad(pool!, { ...miners, rate: 0, nonces: files[0]! });
  const rate = Math.round(full.perSecond / 2);
  say(`${MINERS} miners at half of that rate`);
  const half = await runLoad(pool!, { ...miners, rate, nonces: files[1]! });
  await compareWithStore(bench, files);
  return [
    {
      what: `dataset: shares accepted and stored, ${MINERS} miners, closed loop`,
      ...{ value: full.perSecond, unit: "/s", goal: { atLeast: 18_000 } },
    },
    {
      what: "dataset: pool CPU per accepted share",
      ...{ value: full.cpuMicros, unit: "µs", goal: { atMost: REST_MICROS } },
    },
    { what: "dataset: latency under full load, p99", value: full.p99, unit: "ms" },
    {
      what: `dataset: latency at half of the rate (${rate}/s), p99`,
      ...{ value: half.p99, unit: "ms", goal: { atMost: 20 } },
    },
  ];
}

/** With two stratum Deno workers, for information. */
export async function twoWorkers(
  { dir, seconds }: { dir: string; seconds: number },
): Promise<Figure[]> {
  await using bench = await startBench({ dir, threads: 2 });
  say(`${MINERS} miners, two stratum workers`);
  const nonces = `${dir}/two`;
  const miners = { sessions: MINERS, active: MINERS, seconds };
  const full = await runLoad(bench.pools[0]!, { ...miners, rate: 0, nonces });
  await compareWithStore(bench, [nonces]);
  return [
    { what: "two stratum workers, light, closed loop", value: full.perSecond, unit: "/s" },
    { what: "two stratum workers: CPU per share", value: full.cpuMicros, unit: "µs" },
  ];
}

/** CPU of one verification in full batches, by the native library alone. */
async function verifyMicros(): Promise<number> {
  const program = await startProgram("quarry", COMMANDS["quarry"]!(0));
  const micros = (await program.round()).get("light64")!;
  await program.close();
  return micros;
}

/** CPU of one verification while two threads share the processor's last cache, as in the pool. */
async function verifyMicrosOfTwo(): Promise<number> {
  const threads = 2;
  const program = await startProgram("quarry", threadsCommand(0, threads));
  const wallMicros = (await program.round()).get("all threads")!;
  await program.close();
  return wallMicros * threads;
}
