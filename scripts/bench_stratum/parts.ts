/** The parts of the stratum bench: pools, chain, Redis, load generator and the Go broadcaster. */
import { lineStream } from "./lines.ts";
import { startDevChain } from "../dev_chain/start.ts";
import {
  freePorts,
  type PoolConfig,
  type PoolPorts,
  startPool,
  type TestPool,
} from "../../tests/support/pool.ts";
import { freePort, until } from "../../tests/support/process.ts";
import { startRedis, type TestRedis } from "../../tests/support/redis.ts";
import { run } from "../bench_verifier/programs.ts";

const HERE = new URL(".", import.meta.url).pathname;

/** Folder of built programs. */
export const BUILD = new URL("../../data/bench/build", import.meta.url).pathname;

/** Compiles the load generator. */
export async function buildLoad(): Promise<void> {
  await Deno.mkdir(BUILD, { recursive: true });
  await run("cc", ["-O2", "-Wall", "-Wextra", `${HERE}load.c`, "-o", `${BUILD}/load`]);
}

/** Compiles the load generator and the broadcaster. */
export async function buildPrograms(): Promise<void> {
  await buildLoad();
  await run("go", ["build", "-o", `${BUILD}/broadcaster`, "."], { cwd: `${HERE}broadcaster` });
}

/** Pools with everything they need, at share difficulty 1 and a block difficulty out of reach. */
export interface Bench extends AsyncDisposable {
  redis: TestRedis;
  pools: RunningPool[];
  /** Makes a block, which the node pushes, so that every miner gets a new job; gives the wall clock (ms). */
  newBlock(): number;
}

/** One process of the pool. */
export interface RunningPool {
  pool: TestPool;
  /** Where miners connect. */
  port: number;
  pid: number;
}

/** How the pools of a bench are started. */
export interface BenchOptions {
  /** Folder for their files. */
  dir: string;
  /** Stratum Deno workers of each. */
  threads: number;
  /** Whether shares are checked over the full dataset; waits until it is there. @default {false} */
  dag?: boolean;
  /** Processes that share one Redis. @default {1} */
  processes?: number;
}

/** Redis's prefix of every pool here. */
export const PREFIX = "bench";
/** Generating the dataset of epoch 0 on two cores takes half a minute (milliseconds). */
const DATASET_MS_MAX = 300_000;

/** Starts Redis (every batch synced), a chain that never ends a round, and the pools. */
export async function startBench(options: BenchOptions): Promise<Bench> {
  const { dir, dag = false, processes = 1 } = options;
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis({ durable: true }));
  const places = Array.from(
    { length: processes },
    () => ({ ports: freePorts(), door: freePort() }),
  );
  const chain = stack.use(
    await startDevChain({
      ...{ coinbase: "0x" + "ab".repeat(20), difficulty: 10n ** 15n },
      pow: { hash: () => Promise.reject(new Error("no block is handed in here")) },
      notify: places.map(({ door }) => `http://127.0.0.1:${door}/dev`),
    }),
  );
  const pools: RunningPool[] = [];
  for (const [index, place] of places.entries()) {
    const config = configOf(options, index, place, { redis: redis.endpoint, node: chain.url });
    const pool = stack.use(await startPool(`${dir}/config-${index}.json`, config, place.ports));
    pools.push({ pool, port: place.ports.stratum, pid: pool.pid });
  }
  for (const { pool } of dag ? pools : []) {
    await until("the dataset", () => pool.output().includes('"dataset.ready"'), DATASET_MS_MAX);
  }
  const kept = stack.move();
  return {
    ...{ pools, redis },
    newBlock() {
      const atMs = performance.timeOrigin + performance.now();
      chain.chain.mine(1, { transactions: false, uncles: false });
      return atMs;
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

function configOf(
  { dir, threads, dag = false, processes = 1 }: BenchOptions,
  index: number,
  { ports, door }: { ports: PoolPorts; door: number },
  urls: { redis: string; node: string },
): PoolConfig {
  return {
    ...{ threads, coin: PREFIX, name: `bench${index}`, dataDir: `${dir}/data-${index}` },
    ...(processes > 1 ? { extranonce: "leased", instance: index } : {}),
    log: { level: dag ? "info" : "warn" },
    verifier: { dag: dag ? "memory" : "off" },
    network: { chainId: 1337, algorithm: "ethash", rewards: [{ fromHeight: 0, reward: "2" }] },
    proxy: {
      ...{ enabled: true, listen: `127.0.0.1:${ports.getwork}`, difficulty: 1 },
      stratum: { enabled: true, listen: `127.0.0.1:${ports.stratum}`, maxConn: 60_000 },
      ...{ notifyListen: `127.0.0.1:${door}`, blockRefreshInterval: "120ms" },
    },
    api: { enabled: true, listen: `127.0.0.1:${ports.api}` },
    upstream: [{ name: "dev", url: urls.node }],
    redis: { endpoint: urls.redis },
  };
}

/** One line of the load generator. */
export interface LoadEvent {
  event: "open" | "job" | "done" | "end";
  [field: string]: number | string;
}

/** A running load generator. */
export interface Load extends AsyncDisposable {
  /** Waits for the next event of a kind. */
  next(event: LoadEvent["event"]): Promise<LoadEvent>;
}

/** What a load generator does. */
export interface LoadOptions {
  port: number;
  sessions: number;
  active: number;
  seconds: number;
  /** Shares a second over all sessions; 0: each sends the next when the last is answered. */
  rate: number;
  /** File that gets every nonce that was answered true. */
  nonces: string;
}

/** Starts a load generator. */
export function startLoad(options: LoadOptions): Load {
  const { port, sessions, active, seconds, rate, nonces } = options;
  const args = [port, sessions, active, seconds, rate].map(String);
  const child = new Deno.Command(`${BUILD}/load`, {
    args: [...args, nonces],
    ...{ stdin: "piped", stdout: "piped", stderr: "inherit" },
  }).spawn();
  const lines = lineStream(child.stdout);
  return {
    async next(event) {
      while (true) {
        const line = await lines.next();
        if (line === undefined) throw new Error("the load generator ended early");
        const found: LoadEvent = JSON.parse(line);
        if (found.event === event) return found;
      }
    },
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      await lines.rest();
      await child.status;
    },
  };
}

/** The Go broadcaster. */
export interface Broadcaster extends AsyncDisposable {
  port: number;
  /** Sends a job to every connection; gives the wall clock (ms) of the first write. */
  send(): Promise<number>;
}

/** Starts the broadcaster. */
export async function startBroadcaster(): Promise<Broadcaster> {
  const child = new Deno.Command(`${BUILD}/broadcaster`, {
    ...{ stdin: "piped", stdout: "piped", stderr: "inherit" },
  }).spawn();
  const lines = lineStream(child.stdout);
  const writer = child.stdin.getWriter();
  const port = Number(await lines.next());
  return {
    port,
    async send() {
      await writer.write(new TextEncoder().encode("\n"));
      return Number(await lines.next());
    },
    async [Symbol.asyncDispose]() {
      await writer.close();
      await lines.rest();
      await child.status;
    },
  };
}

/** CPU that a process and its threads took so far (seconds). */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticksASecond = 100;
  return (Number(fields[11]) + Number(fields[12])) / ticksASecond;
}

/** Memory that a process holds (bytes). */
export async function residentBytes(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) * 1024;
}
