/** Sessions that are held: memory, new blocks to all of them, and answers while most are silent. */
import { type Figure, median, say } from "./figures.ts";
import { runLoad } from "./load_run.ts";
import {
  type Load,
  residentBytes,
  type RunningPool,
  startBench,
  startBroadcaster,
  startLoad,
} from "./parts.ts";

const CROWD = 8_192;
const ACTIVE = 500;
const SOME = 1_000;
const BROADCASTS = 15;
/** Jobs after which memory is looked at again: what is not collected yet is in it then. */
const JOBS = 64;
/** Pauses between broadcasts, so that each finds everybody idle (ms). */
const PAUSE_MS = 150;
/** What one process with 20,000 file handles holds beside its other files, and what two share. */
const HELD_BY_ONE = 19_000, HELD_BY_TWO = 20_000;

/** A thousand, then a crowd of sessions: memory, blocks against the Go broadcaster, latency. */
export async function crowd(
  { dir, threads, seconds }: { dir: string; threads: number; seconds: number },
): Promise<Figure[]> {
  await using bench = await startBench({ dir, threads });
  const pool = bench.pools[0]!;
  const idle = { seconds: 0, rate: 0, active: 0 };
  const figures: Figure[] = [];
  const newBlock = () => Promise.resolve(bench.newBlock());
  const before = await residentBytes(pool.pid);
  {
    say(`${CROWD} miners`);
    const settings = { ...idle, sessions: CROWD };
    await using load = startLoad({ ...settings, port: pool.port, nonces: `${dir}/crowd` });
    const { ms } = await load.next("open");
    const perSession = (await residentBytes(pool.pid) - before) / CROWD / 1024;
    figures.push(
      { what: `${CROWD} sessions opened`, value: Number(ms), unit: "ms" },
      { what: "memory per session", value: perSession, unit: "KiB", goal: { atMost: 12 } },
    );
    await using go = await startBroadcaster();
    await using other = startLoad({ ...settings, port: go.port, nonces: `${dir}/go` });
    await other.next("open");
    const [ours, theirs] = await compareBroadcasts([load, newBlock], [other, () => go.send()]);
    figures.push(
      { what: `new block to all of ${CROWD}, first to last`, value: ours.spread, unit: "ms" },
      { what: "the same by the Go broadcaster", value: theirs.spread, unit: "ms" },
      {
        what: "ratio to the Go broadcaster, median of pairs",
        ...{ value: ours.ratio, unit: "×", goal: { atMost: 1.25 } },
      },
      { what: `node's push to the last of ${CROWD}`, value: ours.whole, unit: "ms" },
    );
    for (let i = BROADCASTS; i < JOBS; i++) {
      bench.newBlock();
      await load.next("job");
    }
    const later = (await residentBytes(pool.pid) - before) / CROWD / 1024;
    figures.push({
      what: `the same after ${JOBS} jobs, garbage included`,
      value: later,
      unit: "KiB",
    });
  }
  {
    say(`${SOME} miners`);
    await using load = startLoad({
      ...{ ...idle, sessions: SOME, port: pool.port, nonces: `${dir}/thousand` },
    });
    await load.next("open");
    const wholes: number[] = [];
    for (let i = 0; i < BROADCASTS; i++) wholes.push((await broadcast(load, newBlock)).whole);
    figures.push({
      what: `node's push to the last of ${SOME}`,
      ...{ value: median(wholes), unit: "ms", goal: { atMost: 60 } },
    }, { what: "the same, slowest", value: Math.max(...wholes), unit: "ms" });
  }
  const some = { sessions: CROWD, active: ACTIVE, seconds, rate: 4_000, nonces: `${dir}/some` };
  say(`${ACTIVE} of ${CROWD} submit, silent blocks and a block each second`);
  const still = await runLoad(pool, some);
  const [busy] = await Promise.all([
    runLoad(pool, { ...some, nonces: `${dir}/blocks` }),
    blocksEachSecond(bench.newBlock, seconds),
  ]);
  figures.push(
    {
      what: `latency, ${ACTIVE} of ${CROWD} submit 4,000/s, p99`,
      ...{ value: still.p99, unit: "ms", goal: { atMost: 50 } },
    },
    { what: "the same with a new block each second, p99", value: busy.p99, unit: "ms" },
    { what: "sessions lost", value: still.lost + busy.lost, unit: "", goal: { atMost: 0 } },
  );
  return figures;
}

/** As many sessions as one and two processes hold with 20,000 file handles each. */
export async function heldSessions({ dir }: { dir: string }): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [processes, wanted] of [[1, HELD_BY_ONE], [2, HELD_BY_TWO]] as const) {
    await using bench = await startBench({ dir, threads: 1, processes });
    say(`${wanted} miners, ${processes} process${processes === 1 ? "" : "es"}`);
    const before = await memoryOf(bench.pools);
    await using stack = new AsyncDisposableStack();
    const sessions = wanted / processes;
    const loads = bench.pools.map(({ port }, index) =>
      stack.use(startLoad({
        ...{ port, sessions, active: 0, seconds: 0, rate: 0, nonces: `${dir}/held-${index}` },
      }))
    );
    const opened = await Promise.all(loads.map((load) => load.next("open")));
    const held = opened.reduce((sum, { sessions }) => sum + Number(sessions), 0);
    const perSession = (await memoryOf(bench.pools) - before) / wanted / 1024;
    // All of them are there: each gets the next block.
    const seen = Promise.all(loads.map((load) => load.next("job")));
    const atMs = bench.newBlock();
    const jobs = await seen;
    const reached = jobs.reduce((sum, { miners }) => sum + Number(miners), 0);
    const lastMs = Math.max(...jobs.map(({ lastMs }) => Number(lastMs)));
    const by = processes === 1 ? "one process" : "two processes";
    figures.push(
      {
        what: `sessions held by ${by} that got a new block`,
        ...{ value: Math.min(held, reached), unit: "", goal: { atLeast: wanted } },
      },
      { what: `${by}: memory per session`, value: perSession, unit: "KiB", goal: { atMost: 12 } },
      { what: `${by}: node's push to the last`, value: lastMs - atMs, unit: "ms" },
    );
  }
  return figures;
}

async function memoryOf(pools: RunningPool[]): Promise<number> {
  const all = await Promise.all(pools.map(({ pid }) => residentBytes(pid)));
  return all.reduce((sum, bytes) => sum + bytes, 0);
}

type Side = [load: Load, trigger: () => Promise<number>];

/** Broadcasts of two sides by turns, so that both see the same machine. */
async function compareBroadcasts(first: Side, second: Side) {
  const ours: Spread[] = [], theirs: Spread[] = [];
  for (let i = 0; i < BROADCASTS; i++) {
    ours.push(await broadcast(...first));
    theirs.push(await broadcast(...second));
  }
  const ratio = median(ours.map(({ spread }, i) => spread / theirs[i]!.spread));
  return [ours, theirs].map((all) => ({
    ratio,
    spread: median(all.map(({ spread }) => spread)),
    whole: median(all.map(({ whole }) => whole)),
  })) as [Broadcasts, Broadcasts];
}

/** One broadcast (ms). */
interface Spread {
  /** From the first to the last miner. */
  spread: number;
  /** From the trigger to the last miner. */
  whole: number;
}

interface Broadcasts extends Spread {
  /** The first side's spread over the second's, in pairs. */
  ratio: number;
}

async function broadcast(load: Load, trigger: () => Promise<number>): Promise<Spread> {
  const atMs = await trigger();
  const { firstMs, lastMs } = await load.next("job");
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  return { spread: Number(lastMs) - Number(firstMs), whole: Number(lastMs) - atMs };
}

async function blocksEachSecond(newBlock: () => number, seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    newBlock();
  }
}
