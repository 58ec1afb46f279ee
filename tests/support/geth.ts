/**
 * A real proof-of-work node for tests: go-ethereum 1.10.26, the last with a miner.
 *
 * Its first verification would start to generate a whole dataset and eat the machine, so it gets
 * the dataset of epoch 0, written by our own generator, and a sparse stand-in for epoch 1.
 */
import { silentLogger } from "../../modules/base/mod.ts";
import { openVerifier } from "../../modules/ethash/mod.ts";
import { type Child, freePort, startChild, until } from "./process.ts";

const VERSION = "v1.10.26";
const GAS_LIMIT = 30_000_000;

/** A running node. */
export interface Geth extends AsyncDisposable {
  readonly url: string;
  readonly chainId: number;
  /** One JSON-RPC call. @throws with the node's message */
  call<T = unknown>(method: string, ...params: unknown[]): Promise<T>;
  output(): string;
}

/** How a node is started. */
export interface GethOptions {
  dir: string;
  coinbase: string;
  /** Further ones. */
  flags?: string[];
  /** Balances at block 0 (wei). */
  alloc?: Record<string, bigint>;
  /** Gas limit of every block. @default {30000000} */
  gasLimit?: number;
  /** Private key of an account of the node's own, unlocked. */
  unlockedKey?: string;
}

/** Folder that survives a run: built tools and datasets. */
export function cacheDir(): string {
  const home = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
  return `${home}/quarry`;
}

/** The geth binary, built on first use (about a minute). */
export async function gethBinary(): Promise<string> {
  const path = `${cacheDir()}/bin/geth-${VERSION}`;
  if (await exists(path)) return path;
  const bin = await Deno.makeTempDir({ prefix: "quarry-geth-" });
  const { code, stderr } = await new Deno.Command("go", {
    args: [
      ...["install", "-ldflags=-checklinkname=0"],
      `github.com/ethereum/go-ethereum/cmd/geth@${VERSION}`,
    ],
    env: { GOBIN: bin },
    stdout: "null",
    stderr: "piped",
  }).output();
  if (code !== 0) throw new Error(`Cannot build geth: ${new TextDecoder().decode(stderr)}`);
  await Deno.mkdir(`${cacheDir()}/bin`, { recursive: true });
  await Deno.copyFile(`${bin}/geth`, `${path}.new`);
  await Deno.chmod(`${path}.new`, 0o755);
  await Deno.rename(`${path}.new`, path);
  await Deno.remove(bin, { recursive: true });
  return path;
}

/** Folder with the dataset of epoch 0 and the stand-in for epoch 1, written on first use. */
export async function datasetDir(): Promise<string> {
  const dir = `${cacheDir()}/dag`;
  await Deno.mkdir(dir, { recursive: true });
  const verifier = openVerifier({ rule: { algorithm: "ethash" }, log: silentLogger });
  try {
    await verifier.prepare(1);
    await verifier.useDataset(1, dir);
    await verifier.writeDummyDataset(30_000, dir);
  } finally {
    await verifier.close();
  }
  return dir;
}

/**
 * Starts a chain of its own that verifies proof of work; blocks pay 2 coins and burn the base fee.
 */
export async function startGeth(options: GethOptions): Promise<Geth> {
  const { dir, coinbase, flags = [], unlockedKey } = options;
  const chainId = 8_021;
  const [binary, dag] = [await gethBinary(), await datasetDir()];
  await Deno.mkdir(dir, { recursive: true });
  await Deno.writeTextFile(`${dir}/genesis.json`, JSON.stringify(genesis(chainId, options)));
  const init = startChild(binary, ["--datadir", dir, "init", `${dir}/genesis.json`]);
  if (await init.exit !== 0) throw new Error(`geth init failed: ${init.output()}`);
  const unlocked = unlockedKey === undefined ? [] : await unlock(binary, dir, unlockedKey);
  const port = freePort();
  const args = [
    ...["--datadir", dir, "--networkid", String(chainId), "--nodiscover", "--maxpeers", "0"],
    ...["--nat", "none", "--bootnodes", "", "--ipcdisable", "--port", String(freePort())],
    ...["--authrpc.port", String(freePort()), "--http", "--http.addr", "127.0.0.1"],
    ...["--http.port", String(port), "--http.api", "eth,net,web3,miner,debug,txpool"],
    ...["--mine", "--miner.threads", "0", "--miner.etherbase", coinbase, "--gcmode", "archive"],
    ...["--miner.gaslimit", String(options.gasLimit ?? GAS_LIMIT)],
    ...["--miner.recommit", "1s", "--ethash.cachesinmem", "1", "--ethash.dagsinmem", "1"],
    ...["--ethash.dagdir", dag, "--verbosity", "3", ...unlocked, ...flags],
  ];
  const child: Child = startChild(binary, args, { env: { HOME: dir } });
  const url = `http://127.0.0.1:${port}`;
  const call = <T>(method: string, ...params: unknown[]) => rpc<T>(url, method, params);
  await until("geth's work", () => call<string[]>("eth_getWork"), 60_000).catch((error) => {
    throw new Error(`geth did not start: ${child.output().slice(-2_000)}`, { cause: error });
  });
  return {
    ...{ url, chainId, call, output: child.output },
    async [Symbol.asyncDispose]() {
      await child.kill("SIGTERM");
    },
  };
}

async function rpc<T>(url: string, method: string, params: unknown[]): Promise<T> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  const { result, error } = await response.json();
  if (error !== undefined) throw new Error(`${method}: ${error.message}`);
  return result as T;
}

/** Puts a key into the node's keystore; gives the flags that unlock it. */
async function unlock(binary: string, dir: string, key: string): Promise<string[]> {
  await Deno.writeTextFile(`${dir}/key`, key.replace(/^0x/, ""), { mode: 0o600 });
  await Deno.writeTextFile(`${dir}/password`, "password\n", { mode: 0o600 });
  const child = startChild(binary, [
    ...["account", "import", "--datadir", dir, "--lightkdf", "--password", `${dir}/password`],
    `${dir}/key`,
  ]);
  const code = await child.exit;
  const address = /\{([0-9a-f]{40})\}/.exec(child.output())?.[1];
  if (code !== 0 || address === undefined) throw new Error(`No account: ${child.output()}`);
  return [
    ...["--unlock", `0x${address}`, "--password", `${dir}/password`, "--allow-insecure-unlock"],
  ];
}

function genesis(chainId: number, { gasLimit = GAS_LIMIT, alloc = {} }: GethOptions) {
  const forks = [
    ...["homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople", "petersburg"],
    ...["istanbul", "berlin", "london"],
  ];
  return {
    config: {
      chainId,
      ...Object.fromEntries(forks.map((name) => [`${name}Block`, 0])),
      ethash: {},
    },
    difficulty: "0x20000",
    gasLimit: "0x" + gasLimit.toString(16),
    alloc: Object.fromEntries(
      Object.entries(alloc).map((
        [address, wei],
      ) => [address, { balance: "0x" + wei.toString(16) }]),
    ),
  };
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}
