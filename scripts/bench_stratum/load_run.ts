/** One load on a pool: what its miners were told, what it cost, and whether Redis has the same. */
import { createKeys } from "../../modules/ledger/mod.ts";
import { say } from "./figures.ts";
import {
  type Bench,
  cpuSeconds,
  type LoadOptions,
  PREFIX,
  type RunningPool,
  startLoad,
} from "./parts.ts";
import { openBenchStore } from "./store_counts.ts";

/** What a load gave. */
export interface LoadResult {
  accepted: number;
  /** Shares accepted a second. */
  perSecond: number;
  busy: number;
  /** CPU of the pool's process per accepted share (µs). */
  cpuMicros: number;
  /** From a submission to its answer (ms). */
  p50: number;
  p99: number;
  lost: number;
}

/** Runs a load to its end. */
export async function runLoad(
  pool: RunningPool,
  options: Omit<LoadOptions, "port">,
): Promise<LoadResult> {
  await using load = startLoad({ ...options, port: pool.port });
  await load.next("open");
  const before = await cpuSeconds(pool.pid);
  const done = await load.next("done");
  const seconds = await cpuSeconds(pool.pid) - before;
  const accepted = Number(done.accepted);
  say(`  ${JSON.stringify(done)}`);
  return {
    accepted,
    perSecond: accepted / Number(done.seconds),
    busy: Number(done.busy),
    cpuMicros: seconds * 1e6 / Math.max(1, accepted),
    p50: Number(done.p50) / 1_000,
    p99: Number(done.p99) / 1_000,
    lost: Number(done.lost),
  };
}

/** Every nonce that a miner was told is stored, and nothing else is. @throws when not */
export async function compareWithStore(bench: Bench, files: string[]): Promise<void> {
  const store = await openBenchStore(bench.redis);
  const members = await store.command("ZRANGE", createKeys(PREFIX).pow(), "0", "-1") as string[];
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
