/**
 * Reads from a replica, writes to the master: for an API whose page views the master must not feel.
 *
 * How far the replica is behind is measured in the replication stream's own offsets. While it is too
 * far behind, or follows another server, the master is read; while that is away too, the replica is
 * read on, and `stale` says so.
 */
import { type Clock, errorText, type Logger } from "../base/mod.ts";
import { type Reply, type Store, StoreError } from "./redis.ts";

/** Commands that only read; every other one goes to the master. */
const READS = new Set([
  ...["PING", "GET", "EXISTS", "TYPE", "PTTL", "SCAN", "STRLEN"],
  ...["HGET", "HMGET", "HGETALL", "HKEYS", "HVALS", "HLEN", "HEXISTS", "HSCAN"],
  ...["ZRANGE", "ZREVRANGE", "ZRANGEBYSCORE", "ZREVRANGEBYSCORE", "ZCARD", "ZCOUNT", "ZSCORE"],
  ...["SMEMBERS", "SISMEMBER", "SCARD", "LRANGE", "LLEN"],
]);

/** How often the offsets are compared (milliseconds). */
const COMPARE_MS = 1_000;

/** Where one server is in the replication stream. */
interface Position {
  /** Names the stream. */
  history: string;
  offset: number;
  /** Of a replica: whether it hears its master. */
  linked: boolean;
  isReplica: boolean;
}

/**
 * One store over two; it closes both.
 *
 * @param maxLagMs how old what is read may be (milliseconds)
 */
export function readFromReplica(
  master: Store,
  replica: Store,
  maxLagMs: number,
  deps: { clock: Clock; log: Logger },
): Store {
  const { clock, log } = deps;
  const end = new AbortController();
  /** What the master had reached, and when, oldest first. */
  const reached: { atMs: number; offset: number }[] = [];
  /** Why the replica must not be read; empty when it may. */
  let unfit = "not compared with the master yet", told = "";
  /** Something was written here that the replica may not have. */
  let wrote = false;

  async function compare(): Promise<string> {
    const theirs = await positionOf(replica).catch((error) => errorText(error));
    if (typeof theirs === "string") return `the replica is away: ${theirs}`;
    if (!theirs.isReplica) return "redis.replica is a master itself";
    if (!theirs.linked) return "the replica has lost its master";
    const wroteBefore = wrote;
    const own = await positionOf(master).catch((error) => errorText(error));
    if (typeof own === "string") return `the master is away: ${own}`;
    if (own.history !== theirs.history) return "the replica follows another server";
    const nowMs = clock.now();
    reached.push({ atMs: nowMs, offset: own.offset });
    while (reached.length > 1 && nowMs - reached[0]!.atMs > maxLagMs + 10 * COMPARE_MS) {
      reached.shift();
    }
    // Its answer came first: what it had then, the master had at the latest a comparison ago.
    const known = reached.findLast(({ offset }) => offset <= theirs.offset);
    const behindMs = theirs.offset >= own.offset
      ? 0
      : known === undefined
      ? Infinity
      : nowMs - known.atMs;
    if (wroteBefore && behindMs === 0) wrote = false;
    if (behindMs <= maxLagMs) return "";
    const far = Number.isFinite(behindMs) ? `${Math.round(behindMs / 1000)} s` : "too far";
    return `the replica is ${far} behind`;
  }

  const comparing = (async () => {
    while (!end.signal.aborted) {
      unfit = await compare();
      if (unfit !== told) {
        if (unfit === "") log.info("replica.read", {});
        else {log.warn("replica.notRead", {
            reason: unfit,
            reading: isStale() ? "it all the same" : "the master",
          });}
        told = unfit;
      }
      await clock.sleep(COMPARE_MS, end.signal).catch(() => {});
    }
  })();

  function isStale(): boolean {
    return unfit !== "" && !master.ready && replica.ready;
  }

  /** A read is asked of the other one when the first is away: it changes nothing. */
  async function read<T>(work: (store: Store) => Promise<T>): Promise<T> {
    const [first, second] = (unfit === "" && !wrote) || isStale()
      ? [replica, master]
      : [master, replica];
    try {
      return await work(first);
    } catch (error) {
      const passed = error instanceof StoreError && error.fate !== "refused" && second.ready;
      if (!passed) throw error;
      return await work(second);
    }
  }

  async function write<T>(work: (store: Store) => Promise<T>): Promise<T> {
    wrote = true;
    return await work(master);
  }

  const isRead = (command: readonly string[]) => READS.has(command[0]!.toUpperCase());
  return {
    get ready() {
      return replica.ready || master.ready;
    },
    get connection() {
      return master.connection;
    },
    get server() {
      return master.server;
    },
    get stale() {
      return isStale() ? unfit : "";
    },
    command: (...args) => (isRead(args) ? read : write)((store) => store.command(...args)),
    multi: (commands) =>
      (commands.every(isRead) ? read<Reply[]> : write<Reply[]>)((store) => store.multi(commands)),
    script: (...args) => write((store) => store.script(...args)),
    async close() {
      end.abort(new Error("closed"));
      await comparing;
      await Promise.all([master.close(), replica.close()]);
    },
  };
}

async function positionOf(store: Store): Promise<Position> {
  const text = String(await store.command("INFO", "replication"));
  const field = (name: string) => new RegExp(`^${name}:(.*?)\r?$`, "m").exec(text)?.[1] ?? "";
  const isReplica = field("role") === "slave";
  return {
    history: field("master_replid"),
    // A replica's own count goes on in its own sub-replicas; this is what it has applied.
    offset: Number(isReplica ? field("slave_repl_offset") : field("master_repl_offset")),
    linked: field("master_link_status") === "up",
    isReplica,
  };
}
