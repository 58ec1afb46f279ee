/** A private redis-server on a unix socket for tests: real scripts on a real server. */

/** A running server. */
export interface TestRedis {
  /** Path of its unix socket: give it as `endpoint`. */
  endpoint: string;
  /** Its data folder. */
  dir: string;
  /** Process id, for tests that stop or kill it. */
  pid: number;
  /** Ends it with a signal and keeps its data. */
  kill(signal?: Deno.Signal): Promise<void>;
  /** Ends it and removes its data. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Options of {@linkcode startRedis}. */
export interface TestRedisOptions {
  /** Append-only file with fsync on each write. @default {false} */
  durable?: boolean;
  /** An RDB file to start from. */
  dump?: string;
  /** Folder to use (kept on dispose) instead of a new temporary one. */
  dir?: string;
  /** A loopback TCP port beside the socket. @default {0} none */
  port?: number;
  /** Further redis-server arguments. */
  args?: string[];
}

/** Starts redis-server and waits until it answers. */
export async function startRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  const dir = options.dir ?? await Deno.makeTempDir({ prefix: "quarry-redis-" });
  await Deno.mkdir(dir, { recursive: true });
  if (options.dump !== undefined) await Deno.copyFile(options.dump, `${dir}/dump.rdb`);
  const endpoint = `${dir}/redis.sock`;
  const durable = options.durable ? ["yes", "always"] : ["no", "everysec"];
  const child = new Deno.Command("redis-server", {
    args: [
      ...["--port", String(options.port ?? 0), "--bind", "127.0.0.1"],
      ...["--unixsocket", endpoint, "--dir", dir, "--save", "", "--loglevel", "warning"],
      ...["--appendonly", durable[0]!, "--appendfsync", durable[1]!],
      ...["--auto-aof-rewrite-percentage", "0", "--logfile", `${dir}/redis.log`],
      ...(options.args ?? []),
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await untilAnswers(endpoint);
  let ended = false;
  async function kill(signal: Deno.Signal = "SIGKILL") {
    if (!ended) child.kill(signal);
    ended = true;
    await child.status;
  }
  return {
    endpoint,
    dir,
    pid: child.pid,
    kill,
    async [Symbol.asyncDispose]() {
      await kill();
      if (options.dir === undefined) await Deno.remove(dir, { recursive: true });
    },
  };
}

async function untilAnswers(path: string): Promise<void> {
  const ping = new TextEncoder().encode("PING\r\n");
  for (let attempt = 0; attempt < 400; attempt++) {
    try {
      using conn = await Deno.connect({ transport: "unix", path });
      await conn.write(ping);
      const reply = new Uint8Array(64);
      const size = await conn.read(reply);
      const text = size === null ? "" : new TextDecoder().decode(reply.subarray(0, size));
      // One that asks for a user is there too.
      if (text.startsWith("+PONG") || text.startsWith("-NOAUTH")) return;
    } catch { /* not there yet */ }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`redis-server did not answer on ${path}`);
}
