/** What an installed pool meets: a real Redis, the development chain, and a configuration for them. */
import { chmodSync } from "node:fs";
import { openVerifier } from "../../modules/ethash/mod.ts";
import { silentLogger } from "../../modules/base/mod.ts";
import { startDevChain } from "../../scripts/dev_chain/start.ts";
import { type Child, freePort, startChild, until } from "../support/process.ts";
import { startRedis } from "../support/redis.ts";

/** Address of the public test key 0x…01. */
const PAYER = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf";

/** A world with a pool's ports. */
export interface World extends AsyncDisposable {
  dir: string;
  ports: { stratum: number; getwork: number; api: number };
  /** A configuration with these parts. */
  config(name: string, dataDir: string, parts: Parts): Record<string, unknown>;
}

/** Which parts a process has. */
export interface Parts {
  mines?: boolean;
  api?: boolean;
  unlocks?: boolean;
  /** Name of the key's credential. */
  pays?: string;
}

/** Starts Redis and chain; everyone may reach them, as they stand for other machines. */
export async function openWorld(): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const dir = await Deno.makeTempDir({ prefix: "quarry-packaging-" });
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  chmodSync(dir, 0o755);
  const port = freePort();
  stack.use(await startRedis({ port }));
  const verifier = openVerifier({ rule: { algorithm: "ethash" }, log: silentLogger });
  stack.defer(() => verifier.close());
  const chain = stack.use(
    await startDevChain({
      ...{ coinbase: PAYER, difficulty: 10n ** 12n },
      pow: { hash: (...args) => verifier.hash(...args) },
    }),
  );
  const ports = { stratum: freePort(), getwork: freePort(), api: freePort() };
  const kept = stack.move();
  return {
    ...{ dir, ports },
    config: (name, dataDir, { mines, api, unlocks, pays }) => ({
      ...{ threads: 1, coin: "t", name, dataDir },
      network: { chainId: 1337, algorithm: "ethash", rewards: [{ fromHeight: 0, reward: "2" }] },
      coinbases: [PAYER],
      proxy: {
        ...{ enabled: mines === true, listen: `127.0.0.1:${ports.getwork}`, difficulty: 20 },
        stratum: { enabled: mines === true, listen: `127.0.0.1:${ports.stratum}` },
      },
      api: { enabled: api === true, listen: `127.0.0.1:${ports.api}` },
      upstream: [{ name: "dev", url: chain.url }],
      redis: { endpoint: `localhost:${port}` },
      unlocker: {
        ...{ enabled: unlocks === true, daemon: chain.url, depth: 8, immatureDepth: 3 },
        poolFee: 1.0,
      },
      payouts: {
        ...{ enabled: pays !== undefined, daemon: chain.url, requirePeers: 0, address: PAYER },
        ...(pays === undefined ? {} : { signer: { keyCredential: pays } }),
      },
    }),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Starts a program as another user, with nothing but these variables. */
export function startAs(
  user: string,
  env: Record<string, string>,
  command: readonly string[],
): Child {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const who = ["--reuid", user, "--regid", user === "nobody" ? "nogroup" : user, "--clear-groups"];
  const isRoot = Deno.uid() === 0;
  const tail = ["/usr/bin/env", "-i", ...variables, ...command];
  return isRoot ? startChild("setpriv", [...who, ...tail]) : startChild(tail[0]!, tail.slice(1));
}

/** Waits until a page of the API is there. */
export async function fetched(child: Child, url: string): Promise<Response> {
  let ended: number | undefined;
  child.exit.then((code) => ended = code);
  return await until(url, async () => {
    if (ended !== undefined) throw new Error(`it ended with ${ended}: ${child.output()}`);
    const response = await fetch(url);
    if (response.ok) return response;
    await response.body?.cancel();
    return undefined;
  }, 60_000);
}
