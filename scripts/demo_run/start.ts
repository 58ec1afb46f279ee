/** Starts the demo's parts in order, and ends them in the opposite one. */
import { generatePrivateKey, privateKeyToAddress } from "viem/accounts";
import { startGeth } from "../../tests/support/geth.ts";
import { freePort, startChild, until } from "../../tests/support/process.ts";
import { startRedis } from "../../tests/support/redis.ts";
import { followMilestones } from "./milestones.ts";

/** What the demo is started with. */
export interface DemoOptions {
  /** Where everything lives. */
  dir: string;
  geth: boolean;
  /** Short hashrate window; half of it without a share is silence. @default {the pool's} */
  hashrateWindow?: string;
  say(line: string): void;
}

/** A running demo. */
export interface Demo extends AsyncDisposable {
  /** Resolves when the first payment is confirmed. */
  firstPayment: Promise<void>;
  /** Ends the miner alone. */
  stopMiner(): Promise<void>;
  /** Resolves with the reason when a part ends by itself. */
  failed: Promise<string>;
}

const MARK = ".quarry-demo";
const CHAIN_ID = 1337;

/** Starts Redis, the chain, the pool and the miner; says each milestone once. */
export async function startDemo(options: DemoOptions, signal: AbortSignal): Promise<Demo> {
  const { say } = options;
  const { dir, lock } = await freshDir(options.dir);
  const stack = new AsyncDisposableStack();
  stack.use(lock);
  try {
    const wallet = generatePrivateKey();
    await Deno.writeTextFile(`${dir}/wallet.key`, wallet + "\n", { mode: 0o600 });
    const coinbase = privateKeyToAddress(wallet).toLowerCase();
    const miner = privateKeyToAddress(generatePrivateKey()).toLowerCase();

    const redis = stack.use(
      await startRedis({ dir: `${dir}/redis`, durable: true, port: freePort() }),
    );
    say(`Redis        running, append-only, in ${dir}/redis`);
    const node = await startChain(options, dir, coinbase, stack);
    say(`Chain        ${options.geth ? "go-ethereum" : "development chain"} at ${node}`);
    signal.throwIfAborted();

    const ports = { stratum: port(8008), getwork: port(8888), api: port(8080) };
    const config = `${dir}/config.json`;
    const text = configText({
      dir,
      coinbase,
      node,
      redis: redis.endpoint,
      geth: options.geth,
      ports,
      ...(options.hashrateWindow === undefined ? {} : { hashrateWindow: options.hashrateWindow }),
    });
    await Deno.writeTextFile(config, text);
    const pool = startChild(Deno.execPath(), ["task", "--quiet", "pool", config]);
    stack.defer(async () => void await pool.kill("SIGTERM"));
    const milestones = followMilestones(pool, say);
    await until("the pool's ports", () => milestones.listening || ended(pool), 60_000);
    say(`Pool         stratum 127.0.0.1:${ports.stratum}, getwork 127.0.0.1:${ports.getwork}`);
    say(`Page         http://127.0.0.1:${ports.api}/`);

    const cpu = startChild(Deno.execPath(), [
      ...["run", "-A", "scripts/cpu_miner.ts", "--login", miner, "--worker", "demo"],
      ...["--url", `stratum+tcp://127.0.0.1:${ports.stratum}`, "--log", `${dir}/miner.jsonl`],
    ]);
    stack.defer(async () => void await cpu.kill("SIGTERM"));
    say(`Miner        ${miner}, one core`);
    const failed = Promise.race([
      pool.exit.then((code) => `the pool ended with ${code}: ${tail(pool.output())}`),
      cpu.exit.then((code) => `the miner ended with ${code}: ${tail(cpu.output())}`),
    ]);
    return {
      ...{ firstPayment: milestones.firstPayment, failed },
      stopMiner: async () => void await cpu.kill("SIGTERM"),
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

async function startChain(
  options: DemoOptions,
  dir: string,
  coinbase: string,
  stack: AsyncDisposableStack,
): Promise<string> {
  if (options.geth) {
    options.say("Chain        building go-ethereum and its dataset when they are missing");
    return stack.use(await startGeth({ dir: `${dir}/geth`, coinbase })).url;
  }
  const chainPort = freePort();
  const chain = startChild(Deno.execPath(), [
    ...["run", "-A", "scripts/dev_chain.ts", "--port", String(chainPort)],
    ...["--coinbase", coinbase, "--difficulty", "20000", "--chain-id", String(CHAIN_ID)],
    ...["--base-fee"],
  ]);
  stack.defer(async () => void await chain.kill("SIGTERM"));
  await until(
    "the development chain",
    () => chain.output().includes(`"started"`) || ended(chain),
    60_000,
  );
  return `http://127.0.0.1:${chainPort}`;
}

function ended(child: { exit: Promise<number>; output(): string }): Promise<false> {
  return Promise.race([
    child.exit.then((code): false => {
      throw new Error(`it ended with ${code}: ${tail(child.output())}`);
    }),
    new Promise<false>((resolve) => setTimeout(() => resolve(false), 10)),
  ]);
}

/**
 * An empty folder, held by a lock until the process ends; only what an earlier demo made is ever
 * removed, and nothing of one that runs.
 */
export async function freshDir(path: string): Promise<{ dir: string; lock: Deno.FsFile }> {
  await Deno.mkdir(path, { recursive: true }).catch((error) => {
    throw new Error(`${path} cannot be made a folder: give --data another one`, { cause: error });
  });
  const dir = await Deno.realPath(path);
  const names = (await Array.fromAsync(Deno.readDir(dir))).map((entry) => entry.name);
  if (names.length > 0 && !names.includes(MARK)) {
    throw new Error(`${dir} holds something else: give --data an empty or new folder`);
  }
  const lock = await Deno.open(`${dir}/${MARK}`, { create: true, write: true });
  if (!(await lock.tryLock(true))) {
    lock.close();
    throw new Error(`A demo runs in ${dir}: stop it, or give --data another folder`);
  }
  await lock.write(new TextEncoder().encode("Made by scripts/demo, which removes all of this.\n"));
  for (const name of names.filter((name) => name !== MARK)) {
    await Deno.remove(`${dir}/${name}`, { recursive: true });
  }
  return { dir, lock };
}

/** The usual port, or any free one when it is taken. */
function port(usual: number): number {
  try {
    Deno.listen({ hostname: "127.0.0.1", port: usual }).close();
    return usual;
  } catch {
    return freePort();
  }
}

function configText(demo: {
  dir: string;
  coinbase: string;
  node: string;
  redis: string;
  geth: boolean;
  ports: { stratum: number; getwork: number; api: number };
  hashrateWindow?: string;
}): string {
  const { ports, node, hashrateWindow } = demo;
  return JSON.stringify(
    {
      ...{ threads: 1, coin: "demo", name: "demo", dataDir: `${demo.dir}/journals` },
      network: {
        chainId: demo.geth ? 8_021 : CHAIN_ID,
        ...{ name: "demo", testnet: true },
        algorithm: "ethash",
        rewards: [{ fromHeight: 0, reward: "2" }],
        baseFee: "burn",
      },
      coinbases: [demo.coinbase],
      proxy: {
        ...{ enabled: true, listen: `127.0.0.1:${ports.getwork}`, difficulty: 4_000 },
        stratum: { enabled: true, listen: `127.0.0.1:${ports.stratum}` },
      },
      api: {
        ...{ enabled: true, listen: `127.0.0.1:${ports.api}`, statsCollectInterval: "2s" },
        ...(hashrateWindow === undefined ? {} : { hashrateWindow }),
      },
      upstream: [{ name: "main", url: node, timeout: "10s" }],
      redis: { endpoint: demo.redis },
      unlocker: {
        ...{ enabled: true, poolFee: 1.0, daemon: node, interval: "3s" },
        ...{ depth: 6, immatureDepth: 3 },
      },
      payouts: {
        ...{ enabled: true, daemon: node, requirePeers: 0, interval: "5s", confirmations: 2 },
        ...{ address: demo.coinbase, signer: { keyFile: `${demo.dir}/wallet.key` } },
        threshold: 500_000_000,
      },
    },
    null,
    2,
  );
}

function tail(text: string): string {
  return text.trim().split("\n").slice(-5).join("\n");
}
