/** What a share, a miner and a job cost, measured here on the real Redis and the real door. */
import { type Clock, silentLogger } from "../../modules/base/mod.ts";
import { createKeys, openStore, recordShares, type Store } from "../../modules/ledger/mod.ts";
import { createCollector } from "../../modules/stats/mod.ts";
import { startRedis } from "../../tests/support/redis.ts";
import { LineClient } from "../../tests/support/line_client.ts";
import { openWholeDoor } from "../../tests/support/whole_door.ts";

/** One measured figure. */
export interface Measured {
  what: string;
  value: number;
  unit: string;
}

const COLLECTING = {
  ...{ hashrateWindowMs: 1_800_000, hashrateLargeWindowMs: 10_800_000 },
  ...{ luckWindow: [64, 128, 256], payments: 50, blocks: 50 },
};
const STEP_SECONDS = 120;
/** Three hours of buckets, as proxy.hashrateExpiration keeps them. */
const STEPS = 90;

/** Bytes of Redis's memory by family of keys, after three hours of logins with so many workers. */
export async function redisMemory(
  logins: number,
  workers: number,
  steps = STEPS,
): Promise<Measured[]> {
  await using redis = await startRedis();
  const store = await openStore(
    { endpoint: redis.endpoint, database: 0, password: "", timeoutMs: 60_000 },
    { log: silentLogger },
  );
  try {
    const keys = createKeys("exp");
    let nowMs = Date.now() - steps * STEP_SECONDS * 1_000;
    const clock: Clock = { now: () => nowMs, sleep: () => Promise.resolve() };
    const collector = createCollector(COLLECTING, { store, keys, clock, log: silentLogger });
    const record = { store, keys, clock, hashrateExpirationSeconds: 10_800 };
    let nonce = 0;
    for (let step = 0; step < steps; step++, nowMs += STEP_SECONDS * 1_000) {
      for (let login = 0; login < logins; login += 100) {
        const shares = Array.from({ length: 100 * workers }, (_, i) => ({
          login: `0x${(login + i % 100).toString(16).padStart(40, "a")}`,
          worker: `rig${Math.floor(i / 100)}`,
          ...{ height: 1_000 + step * 9, nonce: `0x${(nonce++).toString(16).padStart(16, "0")}` },
          ...{ headerHash: `0x${"ab".repeat(32)}`, mix: `0x${"cd".repeat(32)}` },
          difficulty: 4_000_000_000n,
        }));
        await recordShares(record, `m:${step}:${login}`, shares);
      }
      await collector.collect();
    }
    const byFamily = await memoryByFamily(store, "exp");
    return [...byFamily].map(([family, bytes]) => ({
      what: `${family}, per login with ${workers} workers`,
      ...{ value: bytes / logins, unit: "B" },
    }));
  } finally {
    await store.close();
  }
}

async function memoryByFamily(store: Store, prefix: string): Promise<Map<string, number>> {
  const families = new Map<string, number>();
  let cursor = "0";
  do {
    const [next, found] = await store.command("SCAN", cursor, "COUNT", "1000") as [
      string,
      string[],
    ];
    cursor = next;
    for (const key of found) {
      const family = key.slice(prefix.length + 1)
        .replace(/0x[0-9a-f]+/g, "L").replace(/\b\d+\b/g, "N").replace(/quarry:batch:.*/, "batch");
      const bytes = Number(await store.command("MEMORY", "USAGE", key, "SAMPLES", "0"));
      families.set(family, (families.get(family) ?? 0) + bytes);
    }
  } while (cursor !== "0");
  return families;
}

/** CPU and append-only file of Redis for one share, in batches of so many. */
export async function redisShares(batch: number, shares: number): Promise<Measured[]> {
  await using redis = await startRedis({ durable: true });
  const store = await openStore(
    { endpoint: redis.endpoint, database: 0, password: "" },
    { log: silentLogger },
  );
  try {
    const clock: Clock = { now: Date.now, sleep: () => Promise.resolve() };
    const deps = { store, keys: createKeys("exp"), clock, hashrateExpirationSeconds: 10_800 };
    const one = (n: number) => ({
      ...{ login: `0x${(n % 1_000).toString(16).padStart(40, "a")}`, worker: "rig0" },
      ...{ height: 1_000 + Math.floor(n / 10_000), nonce: `0x${n.toString(16).padStart(16, "0")}` },
      ...{ headerHash: `0x${"ab".repeat(32)}`, mix: `0x${"cd".repeat(32)}` },
      difficulty: 4_000_000_000n,
    });
    await recordShares(deps, "warm", [one(0)]);
    const before = [await cpuMicros(redis.pid), await fileBytes(redis.dir)] as const;
    const startMs = performance.now();
    for (let done = 1; done <= shares; done += batch) {
      await recordShares(deps, `b:${done}`, Array.from({ length: batch }, (_, i) => one(done + i)));
    }
    const tookMs = performance.now() - startMs;
    const cpu = await cpuMicros(redis.pid) - before[0];
    const bytes = await fileBytes(redis.dir) - before[1];
    const batches = Math.ceil(shares / batch);
    return [
      { what: `Redis CPU per share, batches of ${batch}`, value: cpu / shares, unit: "µs" },
      { what: `append-only file per share, batches of ${batch}`, value: bytes / shares, unit: "B" },
      { what: `one batch of ${batch}, answered`, value: tookMs / batches * 1_000, unit: "µs" },
    ];
  } finally {
    await store.close();
  }
}

/** Bytes of lines per job and per share, both ways, of two dialects. */
export async function wireBytes(): Promise<Measured[]> {
  await using door = await openWholeDoor();
  door.setJob(1);
  const login = `0x${"ab".repeat(20)}`;
  const figures: Measured[] = [];
  for (const dialect of ["ethProxy", "stratum1"] as const) {
    const counts = { read: 0, written: 0 };
    const conn = counted(await Deno.connect({ hostname: "127.0.0.1", port: door.port }), counts);
    const client = new LineClient(conn);
    const add = (what: string, value: number) =>
      figures.push({ what: `${dialect}: ${what}`, value, unit: "B" });
    if (dialect === "ethProxy") {
      await client.ask("eth_submitLogin", [login, "x"]);
      await client.ask("eth_getWork", []);
    } else {
      const { result } = await client.ask("mining.subscribe", ["t/1", "EthereumStratum/1.0.0"]);
      client.extranonce = (result as string[])[1]!;
      await client.ask("mining.authorize", [login, "x"]);
      while (client.jobId === "") hear(client, (await client.line())!);
    }
    let before = { ...counts };
    const job = door.setJob(2);
    hear(client, (await client.line())!);
    add("a job, to the miner", counts.read - before.read);
    before = { ...counts };
    if (dialect === "ethProxy") {
      const nonce = "0x00000000000000a1";
      const mix = await door.mix(job, nonce);
      if (await client.submitWhole(nonce, job.headerHash, mix) !== "true") throw new Error("no");
    } else {
      const digits = "b2".padStart(16 - client.extranonce.length, "0");
      const said = await client.submitPart(digits);
      if (said !== "true") throw new Error(said);
    }
    add("a share, from the miner", counts.written - before.written);
    add("its answer", counts.read - before.read);
    client.close();
  }
  return figures;
}

function hear(client: LineClient, line: string): void {
  const { method, params } = JSON.parse(line) as { method?: string; params?: unknown[] };
  if (method === "mining.notify") client.jobId = String(params![0]);
}

function counted(conn: Deno.TcpConn, counts: { read: number; written: number }): Deno.TcpConn {
  return new Proxy(conn, {
    get(target, name) {
      if (name === "read") {
        return async (buffer: Uint8Array) => {
          const size = await target.read(buffer);
          counts.read += size ?? 0;
          return size;
        };
      }
      if (name === "write") {
        return async (bytes: Uint8Array) => {
          const size = await target.write(bytes);
          counts.written += size;
          return size;
        };
      }
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

async function cpuMicros(pid: number): Promise<number> {
  return Number((await Deno.readTextFile(`/proc/${pid}/schedstat`)).split(" ")[0]) / 1_000;
}

async function fileBytes(folder: string): Promise<number> {
  let sum = 0;
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) sum += await fileBytes(`${folder}/${name}`);
    else if (name.includes(".aof")) sum += (await Deno.stat(`${folder}/${name}`)).size;
  }
  return sum;
}
