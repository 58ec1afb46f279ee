/** The verifier as the pool uses it: through Deno.dlopen, with the event loop watched meanwhile. */
import { silentLogger } from "../../modules/base/mod.ts";
import { openVerifier } from "../../modules/ethash/mod.ts";
import { COMMANDS, startProgram } from "./programs.ts";
import type { Row } from "./report.ts";

const SECONDS = 3;
/** Shares under way at once: enough to keep every lane's batches full. */
const QUEUED = 512;

/** Rate by wall clock against native threads that do nothing else, and the longest stall. */
export async function measureDeno(epoch: number): Promise<Row[]> {
  const lanes = navigator.hardwareConcurrency;
  const native = await nativeRate(epoch, lanes);
  const height = epoch * 30_000 + 1;
  const verifier = openVerifier({ rule: { algorithm: "ethash" }, log: silentLogger });
  await verifier.prepare(height);
  const header = new Uint8Array(32);
  let [done, nonce, running] = [0, 0n, true];
  let [stallMs, lastMs] = [0, performance.now()];
  const timer = setInterval(() => {
    stallMs = Math.max(stallMs, performance.now() - lastMs - 1);
    lastMs = performance.now();
  }, 1);
  async function feed() {
    while (running) {
      await verifier.hash(height, header, nonce++);
      done++;
    }
  }
  const startMs = performance.now();
  const feeders = Array.from({ length: QUEUED }, feed);
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 1_000));
  const micros = (performance.now() - startMs) * 1_000 / done;
  running = false;
  await Promise.all(feeders);
  clearInterval(timer);
  await verifier.close();
  return [
    {
      ...{
        epoch,
        what: "through Deno, all cores, against native threads",
        unit: "verify",
        goal: 0.85,
      },
      ...{ micros, anchorMicros: native, ratios: [native / micros] },
    },
    {
      ...{ epoch, what: "event loop's longest stall (ms)", unit: "stall", micros: stallMs * 1_000 },
      ...{ anchorMicros: 5_000, ratios: [5_000 / Math.max(stallMs * 1_000, 1)], goal: 1 },
    },
  ];
}

/** Microseconds per verification of as many native single-thread programs as there are cores. */
async function nativeRate(epoch: number, lanes: number): Promise<number> {
  const programs = await Promise.all(
    Array.from({ length: lanes }, () => startProgram("quarry", COMMANDS["quarry"]!(epoch))),
  );
  const figures = await Promise.all(programs.map((program) => program.round()));
  await Promise.all(programs.map((program) => program.close()));
  return 1 / figures.reduce((sum, one) => sum + 1 / one.get("light64")!, 0);
}
