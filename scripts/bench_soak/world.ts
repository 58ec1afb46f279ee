/** Everything of the soak but the miners: Redis, chain, two mining instances and the one that pays. */
import { silentLogger } from "../../modules/base/mod.ts";
import { openVerifier } from "../../modules/ethash/mod.ts";
import { createKeys, openStore, type Store } from "../../modules/ledger/mod.ts";
import { makeCertificate } from "../../tests/support/certificate.ts";
import { freePorts, type PoolPorts, startPool, type TestPool } from "../../tests/support/pool.ts";
import { freePort } from "../../tests/support/process.ts";
import { startRedis, type TestRedis } from "../../tests/support/redis.ts";
import { startDevChain } from "../dev_chain/start.ts";
import { openGate } from "./gate.ts";

/** Of the private key 1, which everybody knows. */
const WALLET = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf";
const WALLET_KEY = "0x" + "1".padStart(64, "0");
/** A share in so many is a block. */
const BLOCK_DIFFICULTY = 4_000n;
const BLOCK_TIME_MS = 2_000;
/** Blocks until a block of ours is matured. */
export const DEPTH = 32;
const IMMATURE_DEPTH = 16;

/** Life of the statistics' spans: shares are counted by them at the end. */
export const SPANS_SECONDS = 7 * 24 * 3_600;

/** Keys of the pool. */
export const keys = createKeys("soak");

/** A mining instance. */
export interface Instance {
  readonly name: string;
  readonly ports: PoolPorts;
  readonly tlsPort: number;
  pool: TestPool;
}

/** The running world. */
export type World = Awaited<ReturnType<typeof openWorld>>;

/** Opens everything; `dir` gets all files. */
export async function openWorld(stack: AsyncDisposableStack, dir: string) {
  await Deno.mkdir(`${dir}/redis`);
  let redis: TestRedis = await startRedis({ durable: true, dir: `${dir}/redis` });
  stack.defer(() => redis.kill());
  const { endpoint } = redis;
  const verifier = openVerifier({ rule: { algorithm: "ethash" }, log: silentLogger });
  stack.defer(() => verifier.close());
  await verifier.prepare(1);
  const chain = stack.use(
    await startDevChain({
      ...{ coinbase: WALLET, difficulty: BLOCK_DIFFICULTY, pow: verifier },
      ...{ alloc: { [WALLET]: 10n ** 24n }, blockTimeMs: BLOCK_TIME_MS },
    }),
  );
  const gate = stack.use(openGate(freePort(), Number(new URL(chain.url).port)));
  const nodeUrl = `http://127.0.0.1:${gate.port}/`;
  const certificates = [makeCertificate("first").cert];
  await rotate();

  /** Puts a new certificate where the instances look for theirs. */
  async function rotate(): Promise<void> {
    const { cert, key } = makeCertificate(`soak ${certificates.length}`);
    for (const [name, text] of [["key", key], ["cert", cert]] as const) {
      await Deno.writeTextFile(`${dir}/${name}.new`, text, { mode: 0o600 });
      await Deno.rename(`${dir}/${name}.new`, `${dir}/${name}.pem`);
    }
    certificates.push(cert);
  }

  const common = {
    ...{ coin: "soak", coinbases: [WALLET] },
    network: { chainId: 1337, algorithm: "ethash", rewards: [{ fromHeight: 0, reward: "2" }] },
    redis: { endpoint },
    upstream: [{ name: "dev", url: nodeUrl }],
  };
  async function startInstance(name: string, ports: PoolPorts, tlsPort: number) {
    return await startPool(`${dir}/${name}.json`, {
      ...{ ...common, threads: 1, name, dataDir: `${dir}/${name}`, extranonce: "leased" },
      proxy: {
        ...{ enabled: true, listen: `127.0.0.1:${ports.getwork}`, difficulty: 1 },
        hashrateExpiration: `${SPANS_SECONDS}s`,
        stratum: { enabled: true, listen: `127.0.0.1:${ports.stratum}`, maxConn: 10_000 },
      },
      stratumPorts: [{
        listen: `127.0.0.1:${tlsPort}`,
        tls: { cert: `${dir}/cert.pem`, key: `${dir}/key.pem` },
      }],
      api: { enabled: true, listen: `127.0.0.1:${ports.api}` },
    }, ports);
  }
  const instances: Instance[] = [];
  for (const name of ["one", "two"]) {
    const ports = freePorts(), tlsPort = freePort();
    const instance = { name, ports, tlsPort, pool: await startInstance(name, ports, tlsPort) };
    instances.push(instance);
    stack.defer(() => instance.pool[Symbol.asyncDispose]());
  }
  const moneyPorts = freePorts();
  const money = stack.use(
    await startPool(
      `${dir}/money.json`,
      {
        ...{ ...common, name: "money", dataDir: `${dir}/money`, proxy: { enabled: false } },
        unlocker: {
          ...{ enabled: true, poolFee: 1, interval: "1s", daemon: nodeUrl },
          ...{ depth: DEPTH, immatureDepth: IMMATURE_DEPTH },
        },
        payouts: {
          ...{ enabled: true, daemon: nodeUrl, requirePeers: 0, interval: "2s", confirmations: 2 },
          ...{ address: WALLET, signer: { privateKeyEnv: "SOAK_KEY" }, threshold: 10_000_000 },
          inFlight: 8,
        },
        api: { enabled: true, listen: `127.0.0.1:${moneyPorts.api}` },
      },
      moneyPorts,
      { SOAK_KEY: WALLET_KEY },
    ),
  );

  return {
    ...{ chain: chain.chain, gate, instances, money, certificates, rotate },
    /** Ends Redis as asked, and starts it on the same data. */
    async restartRedis(signal: Deno.Signal): Promise<void> {
      await redis.kill(signal);
      redis = await startRedis({ durable: true, dir: `${dir}/redis` });
    },
    /** Ends an instance as an update would, and starts the next one in its place. */
    async replace(instance: Instance): Promise<number> {
      const code = await instance.pool.stop();
      instance.pool = await startInstance(instance.name, instance.ports, instance.tlsPort);
      return code;
    },
    openStore: (): Promise<Store> =>
      openStore({ endpoint, database: 0, password: "" }, { log: silentLogger }),
  };
}
