/** What happens to the pool during the soak, one thing after the other, each until the pool is back. */
import type { Miners } from "./miners.ts";
import type { Instance, World } from "./world.ts";

/** One kind of event. */
export interface SoakEvent {
  name: string;
  run(world: World): Promise<void>;
}

/** How long the node is away (milliseconds). */
const NODE_AWAY_MS = 3_000;
/** The pool must accept shares again, and serve the new certificate, within this (milliseconds). */
const BACK_MS = 30_000;

/** The events in their order, which begins anew at the end. */
export const EVENTS: SoakEvent[] = [
  {
    name: "reorganisation, the replaced become uncles",
    run: (world) => reorganize(world, 1, true),
  },
  { name: "first instance replaced", run: (world) => replace(world, world.instances[0]!) },
  { name: "certificates rotated", run: rotate },
  { name: "Redis killed and started", run: (world) => world.restartRedis("SIGKILL") },
  { name: "node away", run: nodeAway },
  { name: "second instance replaced", run: (world) => replace(world, world.instances[1]!) },
  { name: "deeper reorganisation", run: (world) => reorganize(world, 3, false) },
  { name: "Redis ended and started", run: (world) => world.restartRedis("SIGTERM") },
];

/** Waits until so many more shares were told true. @throws when they do not come */
export async function untilBack(miners: Miners, shares: bigint): Promise<number> {
  const sinceMs = performance.now();
  const wanted = miners.accepted + shares;
  while (miners.accepted < wanted) {
    if (performance.now() - sinceMs > BACK_MS) throw new Error("the pool accepts no shares");
    await pause(50);
  }
  return performance.now() - sinceMs;
}

/** Waits. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function reorganize({ chain }: World, depth: number, replacedMayBeUncles: boolean): Promise<void> {
  if (chain.head.header.number > depth) {
    chain.reorganize(depth, { transactions: true, uncles: true, replacedMayBeUncles });
  }
  return Promise.resolve();
}

async function nodeAway({ gate }: World): Promise<void> {
  gate.shut();
  await pause(NODE_AWAY_MS);
  gate.open();
}

async function replace(world: World, instance: Instance): Promise<void> {
  const code = await world.replace(instance);
  if (code !== 0) throw new Error(`instance ${instance.name} ended with ${code}`);
}

/** A client that trusts nothing but the new certificate must get in. */
async function rotate(world: World): Promise<void> {
  await world.rotate();
  const untilMs = performance.now() + BACK_MS;
  for (const { tlsPort: port, name } of world.instances) {
    while (true) {
      if (await isServed(port, world.certificates.at(-1)!)) break;
      if (performance.now() > untilMs) {
        throw new Error(`${name} does not serve the new certificate`);
      }
      await pause(200);
    }
  }
}

async function isServed(port: number, certificate: string): Promise<boolean> {
  const conn = await Deno.connectTls({ hostname: "localhost", port, caCerts: [certificate] });
  try {
    await conn.handshake();
    return true;
  } catch {
    return false;
  } finally {
    conn.close();
  }
}
