/** Shares a second of one recorder, with and without page views on the same Redis. */
import { silentLogger, systemClock } from "../../modules/base/mod.ts";
import { type JournalEntry, openJournal, openRecorder } from "../../modules/ledger/mod.ts";
import { median, say } from "../bench_stratum/figures.ts";
import { type FilledPool, loginOf } from "./fill.ts";

/** Page views a second beside the shares. */
export const VIEWS_PER_SECOND = 200;
/** Shares that wait for their answer at once. */
const AT_ONCE = 1_024;

/** Measures in turn; gives shares a second of both and their ratio. */
export async function sharesBesideViews(
  pool: FilledPool,
  { seconds, rounds }: { seconds: number; rounds: number },
) {
  const alone: number[] = [];
  const beside: number[] = [];
  let views = 0;
  for (let round = 0; round < rounds; round++) {
    alone.push(await sharesPerSecond(pool, seconds, `a${round}`));
    const viewer = await startViews(pool.redis.endpoint);
    beside.push(await sharesPerSecond(pool, seconds, `b${round}`));
    views += await viewer.stop();
  }
  const figures = {
    alone: median(alone),
    besideViews: median(beside),
    ratio: median(beside) / median(alone),
    viewsPerSecond: views / (rounds * seconds),
  };
  say(
    `shares a second: ${figures.alone.toFixed(0)} alone, ${
      figures.besideViews.toFixed(0)
    } beside ` +
      `${figures.viewsPerSecond.toFixed(0)} page views a second | × ${figures.ratio.toFixed(2)}`,
  );
  return figures;
}

async function sharesPerSecond(
  { store, keys }: FilledPool,
  seconds: number,
  run: string,
): Promise<number> {
  const dir = await Deno.makeTempDir({ prefix: "quarry-bench-" });
  const journal = await openJournal<JournalEntry>(`${dir}/journal`);
  const recorder = openRecorder({
    ...{ store, keys, clock: systemClock, log: silentLogger, journal, runId: run },
    hashrateExpirationSeconds: 10_800,
  });
  await recorder.replayed;
  let made = 0, credited = 0;
  const salt = crypto.randomUUID().replaceAll("-", "").padEnd(64, "0");
  const until = performance.now() + seconds * 1_000;
  const submit = async () => {
    while (performance.now() < until) {
      const n = made++;
      const fate = await recorder.record({
        ...{ login: loginOf(n % 1_000), worker: "rig", height: 1_000_000, difficulty: 4_000_000n },
        nonce: "0x" + n.toString(16).padStart(16, "0"),
        ...{ headerHash: "0x" + salt, mix: "0x" + salt },
      });
      if (fate === "credited") credited++;
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: AT_ONCE }, submit));
  const lasted = (performance.now() - startedAt) / 1_000;
  await recorder.close();
  await journal.close();
  await Deno.remove(dir, { recursive: true });
  return credited / lasted;
}

/** A Deno worker with an API of its own, as the pool's main thread has one. */
async function startViews(endpoint: string): Promise<{ stop(): Promise<number> }> {
  const worker = new Worker(new URL("./views_worker.ts", import.meta.url), { type: "module" });
  const heard = () =>
    new Promise<number>((resolve) => worker.onmessage = ({ data }) => resolve(data));
  const started = heard();
  worker.postMessage({ endpoint, perSecond: VIEWS_PER_SECOND });
  await started;
  return {
    async stop() {
      const views = heard();
      worker.postMessage("stop");
      const count = await views;
      worker.terminate();
      return count;
    },
  };
}
