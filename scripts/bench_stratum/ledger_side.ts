/** The recorder alone, driven with made-up shares: does a share cost the same after a million? */
import { silentLogger, systemClock } from "../../modules/base/mod.ts";
import {
  createKeys,
  type JournalEntry,
  openJournal,
  openRecorder,
  type Recorder,
  type ShareRecord,
} from "../../modules/ledger/mod.ts";
import { startRedis } from "../../tests/support/redis.ts";
import { type Figure, say } from "./figures.ts";
import { PREFIX } from "./parts.ts";
import { callsBetween, openBenchStore, readCalls, slowCommands } from "./store_counts.ts";

const LOGINS = 1_000;
const SHARES_A_HEIGHT = 10_000;
/** Shares under way at a time, as of a thousand miners. */
const UNDER_WAY = 1_000;
/** Shares of which the first and the last part are compared. */
const PART = 20_000;
const BLOCK_DIFFICULTY = 10n ** 9n;

/** Records so many shares by each scheme. */
export async function ledgerSide(
  { dir, shares }: { dir: string; shares: number },
): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const scheme of ["prop", "pplns"] as const) {
    figures.push(...await record(`${dir}/${scheme}.journal`, scheme, shares));
  }
  return figures;
}

async function record(
  path: string,
  scheme: "prop" | "pplns",
  shares: number,
): Promise<Figure[]> {
  say(`${shares} shares of ${LOGINS} miners, ${scheme}, a new height each ${SHARES_A_HEIGHT}`);
  await using redis = await startRedis({ durable: true });
  const store = await openBenchStore(redis);
  const counting = await openBenchStore(redis);
  const journal = await openJournal<JournalEntry>(path);
  const recorder = openRecorder({
    ...{ store, keys: createKeys(PREFIX), clock: systemClock, journal, log: silentLogger },
    ...{ runId: "bench", hashrateExpirationSeconds: 10_800, pplnsWindowMilli: 2_000n },
  });
  await recorder.replayed;
  // The script is loaded by its first use.
  await recordSome(recorder, scheme, 0, 1);
  const costs: Cost[] = [];
  const startMs = performance.now();
  for (let done = 1; done <= shares; done += PART) {
    const count = Math.min(PART, shares + 1 - done);
    const before = await readCalls(counting);
    const micros = await redisMicros(redis.pid);
    await recordSome(recorder, scheme, done, count);
    const calls = callsBetween(before, await readCalls(counting));
    const spent = await redisMicros(redis.pid) - micros;
    costs.push({ ...calls, shares: count, cpuMicros: spent / count });
  }
  const perSecond = shares / (performance.now() - startMs) * 1_000;
  const slow = await slowCommands(counting);
  await recorder.close();
  await Promise.all([journal.close(), store.close(), counting.close()]);
  return [
    { what: `${scheme}: shares recorded, the recorder alone`, value: perSecond, unit: "/s" },
    ...figuresOf(scheme, costs, slow),
  ];
}

interface Cost {
  writes: number;
  scripts: number;
  batches: number;
  shares: number;
  cpuMicros: number;
}

function figuresOf(
  scheme: string,
  costs: Cost[],
  slow: { count: number; longestMs: number },
): Figure[] {
  const [first, last] = [costs[0]!, costs.at(-1)!];
  const calls = costs.reduce((sum, { scripts }) => sum + scripts, 0);
  const batches = costs.reduce((sum, cost) => sum + cost.batches, 0);
  const perShare = ({ writes, shares }: Cost) => writes / shares;
  const most = Math.max(...costs.map(perShare));
  return [
    {
      what: `${scheme}: calls by the pool per batch`,
      ...{ value: calls / batches, unit: "", goal: { atMost: 1 } },
    },
    {
      what: `${scheme}: writes per share, the most of any ${PART}`,
      ...{ value: most, unit: "", goal: { atMost: 6 } },
    },
    {
      what: `${scheme}: writes per share, last ${PART} to first`,
      ...{ value: perShare(last) / perShare(first), unit: "×", goal: { atMost: 1.1 } },
    },
    { what: `${scheme}: Redis CPU per share, first ${PART}`, value: first.cpuMicros, unit: "µs" },
    { what: `${scheme}: Redis CPU per share, last ${PART}`, value: last.cpuMicros, unit: "µs" },
    { what: `${scheme}: commands over 10 ms`, value: slow.count, unit: "", goal: { atMost: 0 } },
    { what: `${scheme}: longest of these`, value: slow.longestMs, unit: "ms" },
  ];
}

/** Keeps so many shares under way until all are recorded. @throws when one is refused */
async function recordSome(
  recorder: Recorder,
  scheme: "prop" | "pplns",
  from: number,
  count: number,
): Promise<void> {
  let next = from;
  await Promise.all(Array.from({ length: UNDER_WAY }, async () => {
    while (next < from + count) {
      const fate = await recorder.record(share(next++, scheme));
      if (fate !== "credited") throw new Error(`a share of the bench was ${fate}`);
    }
  }));
}

function share(n: number, scheme: "prop" | "pplns"): ShareRecord {
  return {
    login: "0x" + (n % LOGINS + 1).toString(16).padStart(40, "0"),
    worker: "rig",
    height: 1_000 + Math.floor(n / SHARES_A_HEIGHT),
    nonce: "0x" + n.toString(16).padStart(16, "0"),
    headerHash: "0x" + "ab".repeat(32),
    mix: "0x" + "cd".repeat(32),
    ...{ difficulty: 4_000n, scheme, blockDifficulty: BLOCK_DIFFICULTY },
  };
}

/** CPU that Redis took so far (µs). */
async function redisMicros(pid: number): Promise<number> {
  // Finer than the clock ticks of /proc/PID/stat.
  const text = await Deno.readTextFile(`/proc/${pid}/schedstat`);
  return Number(text.split(" ")[0]) / 1_000;
}
