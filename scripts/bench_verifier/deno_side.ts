/** The verifier as the pool uses it: through Deno.dlopen, with the event loop watched meanwhile. */
import { silentLogger } from "../../modules/base/mod.ts";
import { openVerifier, type Verifier } from "../../modules/ethash/mod.ts";
import { startProgram, threadsCommand } from "./programs.ts";
import type { Row } from "./report.ts";

const SPAN_MS = 2_000;
/** Shares under way at once: enough to keep all threads' batches full. */
const QUEUED = 512;
/** Goal: no pause of the event loop may be longer. */
const STALL_MICROS = 5_000;

/**
 * By turns: native threads on all cores that do nothing else, this process through its verifier,
 * and this process doing nothing, which shows the pauses that are the machine's own.
 */
export async function measureDeno(epoch: number, rounds: number): Promise<Row[]> {
  const cores = navigator.hardwareConcurrency;
  const program = await startProgram("threads", threadsCommand(epoch, cores));
  const height = epoch * 30_000 + 1;
  const verifier = openVerifier({ rule: { algorithm: "ethash" }, log: silentLogger });
  await verifier.prepare(height);
  const native: number[] = [], ours: number[] = [], stalls: number[] = [], idle: number[] = [];
  for (let round = 0; round < rounds; round++) {
    native.push((await program.round()).get("all threads")!);
    const busy = await watched(() => feed(verifier, height));
    ours.push(busy.value);
    stalls.push(busy.stallMicros);
    idle.push((await watched(() => sleep(SPAN_MS))).stallMicros);
  }
  await program.close();
  await verifier.close();
  const row = (what: string, unit: string, micros: number[], anchor: number[]): Row => ({
    ...{ epoch, what, unit, micros: median(micros), anchorMicros: median(anchor) },
    ratios: micros.map((value, i) => anchor[i % anchor.length]! / value).sort((a, b) => a - b),
  });
  const limit = [STALL_MICROS];
  return [
    {
      ...row("through Deno, all cores, against native threads", "rate", ours, native),
      goal: 0.85,
    },
    { ...row("event loop's longest pause, 5 ms against it", "stall", stalls, limit), goal: 1 },
    row("the same while nothing is done", "stall", idle, limit),
  ];
}

/** Keeps the verifier busy for a span; microseconds by wall clock per share. */
async function feed(verifier: Verifier, height: number): Promise<number> {
  const header = new Uint8Array(32);
  let [done, nonce, running] = [0, 0n, true];
  const startMs = performance.now();
  const feeders = Array.from({ length: QUEUED }, async () => {
    while (running) {
      await verifier.hash(height, header, nonce++);
      done++;
    }
  });
  await sleep(SPAN_MS);
  const micros = (performance.now() - startMs) * 1_000 / done;
  running = false;
  await Promise.all(feeders);
  return micros;
}

/** Runs work and measures the longest time that the event loop came too late. */
async function watched<T>(work: () => Promise<T>): Promise<{ value: T; stallMicros: number }> {
  let [stallMs, lastMs] = [0.001, performance.now()];
  const timer = setInterval(() => {
    stallMs = Math.max(stallMs, performance.now() - lastMs - 1);
    lastMs = performance.now();
  }, 1);
  const value = await work();
  clearInterval(timer);
  return { value, stallMicros: stallMs * 1_000 };
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
