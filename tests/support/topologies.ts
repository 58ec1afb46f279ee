/** Real Redis in its topologies: a Sentinel trio over a master and replicas, and a Cluster. */
import { freePort, until } from "./process.ts";
import { startRedis, type TestRedis } from "./redis.ts";

/** One redis-server with its port. */
export interface Server extends TestRedis {
  port: number;
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

/** Asks a server by redis-cli's own protocol over its unix socket. */
export async function cli(server: { endpoint: string }, ...args: string[]): Promise<string> {
  const { stdout, stderr, success } = await new Deno.Command("redis-cli", {
    args: ["-s", server.endpoint, ...args],
    ...{ stdout: "piped", stderr: "piped" },
  }).output();
  const text = new TextDecoder().decode(stdout).trim();
  if (!success) throw new Error(`redis-cli ${args[0]}: ${text}${new TextDecoder().decode(stderr)}`);
  return text;
}

/** A master with two replicas, and three Sentinels with a quorum of two. */
export async function startSentinels(): Promise<Topology> {
  await using stack = new AsyncDisposableStack();
  const master = await startServer(stack, []);
  const replicaOf = ["--replicaof", "127.0.0.1", String(master.port)];
  const replicas = [await startServer(stack, replicaOf), await startServer(stack, replicaOf)];
  for (const replica of replicas) await untilLinked(replica);
  const dir = await Deno.makeTempDir({ prefix: "quarry-sentinels-" });
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  const sentinels: { port: number; endpoint: string }[] = [];
  for (let i = 0; i < 3; i++) {
    const port = freePort();
    await Deno.writeTextFile(
      `${dir}/${i}.conf`,
      [
        ...[`port ${port}`, "bind 127.0.0.1", `dir ${dir}`, `unixsocket ${dir}/${i}.sock`],
        `sentinel monitor ${MASTER} 127.0.0.1 ${master.port} 2`,
        `sentinel down-after-milliseconds ${MASTER} 1000`,
        `sentinel failover-timeout ${MASTER} 5000`,
      ].join("\n") + "\n",
    );
    const child = new Deno.Command("redis-server", {
      args: [`${dir}/${i}.conf`, "--sentinel"],
      ...{ stdin: "null", stdout: "null", stderr: "null" },
    }).spawn();
    stack.defer(async () => {
      child.kill("SIGKILL");
      await child.status;
    });
    sentinels.push({ port, endpoint: `${dir}/${i}.sock` });
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
    master,
    async revive() {
      await startServer(owned, [], master);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
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
): Promise<Server> {
  const port = again?.port ?? freePort();
  const dir = again?.dir ?? await Deno.makeTempDir({ prefix: "quarry-redis-" });
  if (again === undefined) stack.defer(() => Deno.remove(dir, { recursive: true }));
  const redis = await startRedis({
    ...{ durable: true, dir, port },
    args: ["--repl-diskless-sync-delay", "0", ...args],
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
