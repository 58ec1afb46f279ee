/**
 * Where the pool's data is written: one server, the master that Sentinel names, or the master of
 * the Cluster slot that holds the pool.
 *
 * All keys of a pool lie in one slot, so that one connection to one server is all there is to
 * Cluster too: WAIT speaks of its own connection, transactions and scripts go to one server, and no
 * client in between sends a command again whose fate is unknown.
 */
import { errorText } from "../base/mod.ts";
import { askOnce, type Client, type Connecting, partsOf } from "./redis_client.ts";

/** How the server that takes writes is found. */
export interface Place {
  /** Of the configuration, for messages: "redis.endpoint 127.0.0.1:6379". */
  readonly name: string;
  /** Whether the server may be another one at the next connection, and must say it is a master. */
  readonly moves: boolean;
  /** Its address now. @throws {Error} when nobody can say */
  find(): Promise<string>;
  /** Its address by who elects it, when they must be asked for it from time to time. */
  watch?(): Promise<string>;
}

/** Sentinels and the name of what they watch. */
export interface SentinelOptions {
  /** "host:port" of each. */
  nodes: readonly string[];
  /** Name of the master in their configuration. */
  master: string;
  /** ACL user at the Sentinels. */
  username?: string;
  /** Password at the Sentinels; empty for none. */
  password: string;
}

/** Nodes of a Cluster, and what is looked for in it. */
export interface ClusterOptions {
  /** "host:port" of some nodes, or all. */
  nodes: readonly string[];
  /** A key whose slot is the pool's: its prefix, in braces. */
  key: string;
}

/** Longest wait for one Sentinel or node, so that the next one is asked in time (milliseconds). */
const ASK_MS = 1_000;

const SENTINEL_KEYS = {
  username: "redis.sentinelUsername",
  password: "redis.sentinelPassword",
};

/** A server that is where it is. */
export function fixedPlace(address: string): Place {
  return {
    name: `redis.endpoint ${address}`,
    moves: false,
    find: () => Promise.resolve(address),
  };
}

/** The master by the first Sentinel that answers; who answered is asked first the next time. */
export function sentinelPlace(
  { nodes, master, username, password }: SentinelOptions,
  connecting: Omit<Connecting, "address">,
): Place {
  const order = [...nodes];
  const find = () =>
    firstOf(order, async (address) => {
      const own = { ...asking(connecting), address, username, password, loginKeys: SENTINEL_KEYS };
      return await askOnce(own, async (client) => {
        const reply = await client.sendCommand(["SENTINEL", "get-master-addr-by-name", master]);
        if (!Array.isArray(reply) || reply.length < 2) {
          throw new Error(`it watches no master "${master}" (redis.sentinelMaster)`);
        }
        return addressOf(String(reply[0]), Number(reply[1]));
      });
    });
  return { name: `redis.sentinels, master "${master}"`, moves: true, find, watch: find };
}

/** The master of the pool's slot by the first node that answers. */
export function clusterPlace(
  { nodes, key }: ClusterOptions,
  connecting: Omit<Connecting, "address">,
): Place {
  const order = [...nodes];
  const find = () =>
    firstOf(
      order,
      (address) =>
        askOnce({ ...asking(connecting), address }, (client) => masterOfSlot(client, key, address)),
    );
  return { name: "redis.cluster", moves: true, find };
}

async function masterOfSlot(client: Client, key: string, asked: string): Promise<string> {
  const slot = Number(await client.sendCommand(["CLUSTER", "KEYSLOT", key]));
  const ranges = await client.sendCommand(["CLUSTER", "SLOTS"]) as unknown;
  for (const [from, to, master] of ranges as [number, number, [string | null, number]][]) {
    if (slot < from || slot > to) continue;
    const [host, port] = master;
    // A node that does not know its own address means the one that it was asked at.
    return addressOf(host || partsOf(asked).host!, port);
  }
  throw new Error(`no node serves slot ${slot}, which is the pool's`);
}

/** Asks one after the other; who answers comes first the next time. */
async function firstOf(
  order: string[],
  ask: (address: string) => Promise<string>,
): Promise<string> {
  const problems: string[] = [];
  for (const [i, address] of [...order].entries()) {
    try {
      const found = await ask(address);
      order.splice(i, 1);
      order.unshift(address);
      return found;
    } catch (error) {
      problems.push(`${address}: ${errorText(error)}`);
    }
  }
  throw new Error(problems.join("; "));
}

function asking(connecting: Omit<Connecting, "address">): Omit<Connecting, "address"> {
  return { ...connecting, database: 0, timeoutMs: Math.min(connecting.timeoutMs, ASK_MS) };
}

function addressOf(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
