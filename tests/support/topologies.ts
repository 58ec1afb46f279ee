/** Real Redis in its topologies: a Sentinel trio over a master and replicas, and a Cluster. */
import { ACL_SAMPLE, samplePassword, SENTINEL_SAMPLE } from "./acl.ts";
import { freePort, until } from "./process.ts";
import { startRedis, type TestRedis } from "./redis.ts";

/** One redis-server with its port. */
export interface Server extends TestRedis {
  port: number;
  /** Password of its administrator, where it has users. */
  admin?: string | undefined;
}

/** A Sentinel. */
export interface Sentinel {
  port: number;
  /** Path of its unix socket. */
  endpoint: string;
  /** Password of its administrator, where it has users. */
  admin?: string | undefined;
}

/** A trio of Sentinels and what they watch. */
export interface SentinelTopology extends Topology {
  sentinels: readonly Sentinel[];
  /** The master, then its replicas, as it began. */
  servers: readonly Server[];
}

/** What guards a trio: TLS on all but unix sockets, and the samples' users. Files in PEM. */
export interface Guard {
  /** Certificate and key of every server and Sentinel. */
  cert: string;
  key: string;
  /** Certificates that whoever connects must descend from. */
  ca: string;
}

/** A running topology. */
export interface Topology extends AsyncDisposable {
  /** Where the pool starts to look: Sentinels, or nodes of the Cluster. */
  nodes: string[];
  /** Who holds the pool's data as it began: killed, a replica of it takes over. */
  master: Server;
  /** Starts the killed master again: it comes back as a replica. */
  revive(): Promise<void>;
}

/** Name of the master at the Sentinels. */
export const MASTER = "pool";

/** Asks a server over its unix socket, as its administrator where it asks for a user. */
export async function cli(
  server: { endpoint: string; admin?: string | undefined },
  ...args: string[]
): Promise<string> {
  const { stdout, stderr, success } = await new Deno.Command("redis-cli", {
    args: [
      ...["-s", server.endpoint],
      ...(server.admin === undefined ? [] : ["--user", "admin", "--pass", server.admin]),
      ...(server.admin === undefined ? [] : ["--no-auth-warning"]),
      ...args,
    ],
    ...{ stdout: "piped", stderr: "piped" },
  }).output();
  const text = new TextDecoder().decode(stdout).trim();
  if (!success) throw new Error(`redis-cli ${args[0]}: ${text}${new TextDecoder().decode(stderr)}`);
  return text;
}

/** A master with two replicas, and three Sentinels with a quorum of two. */
export async function startSentinels(guard?: Guard): Promise<SentinelTopology> {
  await using stack = new AsyncDisposableStack();
  const admin = guard && await samplePassword("admin");
  const own = await serverArgs(guard);
  const start = async (...args: string[]): Promise<Server> => ({
    ...await startServer(stack, [...own, ...args], undefined, guard),
    admin,
  });
  const master = await start();
  const replicaOf = ["--replicaof", "127.0.0.1", String(master.port)];
  const replicas = [await start(...replicaOf), await start(...replicaOf)];
  for (const replica of replicas) await untilLinked(replica);
  const dir = await Deno.makeTempDir({ prefix: "quarry-sentinels-" });
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  const sentinels: Sentinel[] = [];
  for (let i = 0; i < 3; i++) {
    sentinels.push(await startSentinel(stack, `${dir}/${i}`, master, guard));
  }
  for (const sentinel of sentinels) {
    await until("each Sentinel to know replicas and Sentinels", async () => {
      const facts = (await cli(sentinel, "SENTINEL", "MASTER", MASTER)).split("\n");
      const of = (name: string) => facts[facts.indexOf(name) + 1];
      return of("num-slaves") === "2" && of("num-other-sentinels") === "2";
    });
  }
  const owned = stack.move();
  return {
    nodes: sentinels.map(({ port }) => `127.0.0.1:${port}`),
    ...{ master, sentinels, servers: [master, ...replicas] },
    async revive() {
      await startServer(owned, own, master, guard);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Starts a Sentinel with `path`.conf and `path`.sock. */
async function startSentinel(
  stack: AsyncDisposableStack,
  path: string,
  master: Server,
  guard?: Guard,
): Promise<Sentinel> {
  const port = freePort();
  const lines = [
    ...["bind 127.0.0.1", `dir ${path.slice(0, path.lastIndexOf("/"))}`],
    ...[`unixsocket ${path}.sock`, `sentinel monitor ${MASTER} 127.0.0.1 ${master.port} 2`],
    `sentinel down-after-milliseconds ${MASTER} 1000`,
    `sentinel failover-timeout ${MASTER} 5000`,
  ];
  if (guard === undefined) lines.push(`port ${port}`);
  else {
    lines.push(
      ...tlsSettings(guard, port).map((setting) => setting.join(" ")),
      `aclfile ${SENTINEL_SAMPLE.pathname}`,
      // Among themselves, and at the servers.
      "sentinel sentinel-user sentinels",
      `sentinel sentinel-pass ${await samplePassword("sentinels", SENTINEL_SAMPLE)}`,
      `sentinel auth-user ${MASTER} sentinel`,
      `sentinel auth-pass ${MASTER} ${await samplePassword("sentinel")}`,
    );
  }
  await Deno.writeTextFile(`${path}.conf`, lines.join("\n") + "\n");
  const child = new Deno.Command("redis-server", {
    args: [`${path}.conf`, "--sentinel"],
    ...{ stdin: "null", stdout: "null", stderr: "null" },
  }).spawn();
  stack.defer(async () => {
    child.kill("SIGKILL");
    await child.status;
  });
  const admin = guard && await samplePassword("admin", SENTINEL_SAMPLE);
  return { port, endpoint: `${path}.sock`, admin };
}

/** What Redis and Sentinel have in common about TLS: nothing is heard in plain text. */
function tlsSettings({ cert, key, ca }: Guard, port: number): [string, string][] {
  return [
    ...[["port", "0"], ["tls-port", String(port)], ["tls-replication", "yes"]] as const,
    ...[["tls-auth-clients", "yes"], ["tls-cert-file", cert], ["tls-key-file", key]] as const,
    ["tls-ca-cert-file", ca],
  ].map(([name, value]) => [name!, value!]);
}

/** Users of a guarded server, and whom it replicates as. */
async function serverArgs(guard?: Guard): Promise<string[]> {
  if (guard === undefined) return [];
  return [
    ...["--aclfile", ACL_SAMPLE.pathname],
    ...["--masteruser", "replica", "--masterauth", await samplePassword("replica")],
  ];
}

/** Three masters, and a replica of the one that has the slot of `key`. */
export async function startCluster(key: string): Promise<Topology> {
  await using stack = new AsyncDisposableStack();
  const clusterArgs = () => [
    ...["--cluster-enabled", "yes", "--cluster-port", String(freePort())],
    ...["--cluster-node-timeout", "1500", "--cluster-replica-validity-factor", "0"],
  ];
  const args = [clusterArgs(), clusterArgs(), clusterArgs(), clusterArgs()];
  const nodes: Server[] = [];
  for (const own of args) nodes.push(await startServer(stack, own));
  const [first, ...others] = nodes;
  const thirds = ["0 5460", "5461 10922", "10923 16383"].map((range) => range.split(" "));
  for (const [i, range] of thirds.entries()) {
    await cli(nodes[i]!, "CLUSTER", "ADDSLOTSRANGE", ...range);
    await cli(nodes[i]!, "CLUSTER", "SET-CONFIG-EPOCH", String(i + 1));
  }
  for (const [i, node] of others.entries()) {
    const bus = args[i + 1]![3]!;
    await cli(first!, "CLUSTER", "MEET", "127.0.0.1", String(node.port), bus);
  }
  for (const node of nodes) {
    await until(
      "every node to know every other",
      async () => /cluster_known_nodes:4\b/.test(await cli(node, "CLUSTER", "INFO")),
    );
  }
  const slot = Number(await cli(first!, "CLUSTER", "KEYSLOT", key));
  const index = thirds.findIndex(([from, to]) => slot >= Number(from) && slot <= Number(to));
  const master = nodes[index]!, replica = nodes[3]!;
  await cli(replica, "CLUSTER", "REPLICATE", await cli(master, "CLUSTER", "MYID"));
  await untilLinked(replica);
  for (const node of nodes) {
    await until(
      "the Cluster to be whole",
      async () =>
        /cluster_state:ok/.test(await cli(node, "CLUSTER", "INFO")) &&
        (await cli(node, "CLUSTER", "NODES")).includes("slave "),
    );
  }
  const owned = stack.move();
  return {
    nodes: nodes.map(({ port }) => `127.0.0.1:${port}`),
    master,
    async revive() {
      await startServer(owned, args[index]!, master);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A durable server on a port; `again` is one that was killed, with its data and its port. */
async function startServer(
  stack: AsyncDisposableStack,
  args: string[],
  again?: Server,
  guard?: Guard,
): Promise<Server> {
  const port = again?.port ?? freePort();
  const dir = again?.dir ?? await Deno.makeTempDir({ prefix: "quarry-redis-" });
  if (again === undefined) stack.defer(() => Deno.remove(dir, { recursive: true }));
  const redis = await startRedis({
    ...{ durable: true, dir, port },
    args: [
      ...["--repl-diskless-sync-delay", "0", ...args],
      ...(guard && tlsSettings(guard, port).flatMap(([name, value]) => [`--${name}`, value]) || []),
    ],
  });
  stack.defer(() => redis.kill());
  return { ...redis, port };
}

async function untilLinked(replica: Server): Promise<void> {
  await until(
    "a replica to be in step",
    async () => /master_link_status:up/.test(await cli(replica, "INFO", "replication")),
  );
}
