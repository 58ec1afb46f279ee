/**
 * The connection to Redis: explicit timeouts, no offline queue, scripts by their hash.
 *
 * Every failure is one of three, because money depends on the difference: `away` (the command was
 * never sent), `refused` (Redis answered with an error before any write) or `unknown` (no answer:
 * it may have run). Only `unknown` must be asked again under the same id.
 */
import { ErrorReply } from "redis";
import { errorText, type Logger, PoolError } from "../base/mod.ts";
import { type Client, type Connecting, LoginError, type RedisTls } from "./redis_client.ts";
import { type Link, openLink } from "./redis_link.ts";
import {
  type ClusterOptions,
  clusterPlace,
  fixedPlace,
  type SentinelOptions,
  sentinelPlace,
} from "./redis_place.ts";

/** Where Redis is; the configuration's `redis` section. */
export interface RedisOptions {
  /** "host:port", or the path of a unix socket (starts with "/"). */
  endpoint: string;
  database: number;
  /** Empty for none. */
  password: string;
  username?: string;
  /** Undefined: plain. */
  tls?: RedisTls;
  /** Instead of `endpoint`: the master is the one that these name. */
  sentinel?: SentinelOptions;
  /** Instead of `endpoint`: the master of the pool's slot. */
  cluster?: ClusterOptions;
  /** Longest wait for one reply (milliseconds). @default {5000} */
  timeoutMs?: number;
}

/** What is known of a command that failed. */
export type StoreFate = "away" | "refused" | "unknown";

/** A Redis command that did not succeed; `fate` says whether it may have run. */
export class StoreError extends PoolError {
  override readonly name = "StoreError";
  readonly fate: StoreFate;
  /** What somebody does about it, where that is known; else empty. */
  readonly mend: string;

  constructor(message: string, fate: StoreFate, cause?: unknown, mend = "") {
    super(message, { cause, facts: mend === "" ? { fate } : { fate, mend } });
    this.fate = fate;
    this.mend = mend;
  }
}

/** A Lua script with its SHA-1, which Redis knows it by. */
export interface LedgerScript {
  name: string;
  source: string;
}

/** A raw Redis reply (RESP2). */
export type Reply = string | number | null | Reply[];

/** One connection to Redis. */
export interface Store {
  /** Whether commands can be sent now. */
  readonly ready: boolean;
  /** Grows with every new connection: what WAIT says holds for its own connection alone. */
  readonly connection: number;
  /**
   * Which server answers, and which history it serves. When it is another one (a failover, a
   * restart), what was acknowledged before may be gone; what must be safe has to be looked at again.
   */
  readonly server: string;
  /** Why what is read may be old (a replica is behind); empty or missing: it is not. */
  readonly stale?: string;
  /** Sends one command. @throws {StoreError} */
  command(...args: string[]): Promise<Reply>;
  /** Sends commands in one MULTI/EXEC and gives their replies. @throws {StoreError} */
  multi(commands: string[][]): Promise<Reply[]>;
  /** Runs a script atomically; a script unknown to the server is sent once more in full. */
  script(script: LedgerScript, keys: string[], args: string[]): Promise<Reply>;
  /** Closes the connection after what is under way. */
  close(): Promise<void>;
}

/**
 * Opens a connection and waits until it is ready; later losses reconnect by themselves, after a
 * failover to the new master.
 *
 * @throws {StoreError} when Redis cannot be reached within `timeoutMs` at first, or until `wait`
 *   ends.
 */
export async function openStore(
  options: RedisOptions,
  deps: {
    log: Logger;
    /** Called after each connection, the first one included. */
    onReady?: (store: Store) => Promise<unknown>;
    /** Waits for Redis until this ends, and says once why; missing: for `timeoutMs`. */
    wait?: AbortSignal;
  },
): Promise<Store> {
  const timeoutMs = options.timeoutMs ?? 5_000;
  const { database, username, password, tls } = options;
  const connecting = { database, username, password, tls, timeoutMs };
  const place = (asking: Omit<Connecting, "address">) =>
    options.sentinel !== undefined
      ? sentinelPlace(options.sentinel, asking)
      : options.cluster !== undefined
      ? clusterPlace(options.cluster, asking)
      : fixedPlace(options.endpoint);
  let store: Store | undefined;
  const ready = async () => void (store && await deps.onReady?.(store));
  try {
    const link = await openLink(place, connecting, { ...deps, onReady: ready });
    store = storeOver(link, timeoutMs);
  } catch (error) {
    const { name, moves } = place(connecting);
    throw new StoreError(
      moves
        ? `Cannot find a master of Redis (${name}): ${errorText(error)}`
        : error instanceof LoginError
        ? `Cannot use Redis at ${options.endpoint} (redis.endpoint)`
        : `Cannot reach Redis at ${options.endpoint} (redis.endpoint): is redis-server running?`,
      "away",
      error,
    );
  }
  try {
    await ready();
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

function storeOver(link: Link, timeoutMs: number): Store {
  const digests = new Map<string, string>();
  /** The client's own timeout ends when a command is written; this one waits for the reply. */
  async function withinTime<T>(reply: Promise<T>, connection: number): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const reason = `no reply within ${timeoutMs} ms`;
        reject(new Error(reason));
        // A server that is silent is away: nothing more is sent on that connection.
        if (link.connection === connection) link.drop(reason);
      }, timeoutMs);
    });
    try {
      return await Promise.race([reply, late]);
    } finally {
      clearTimeout(timer);
    }
  }
  async function ask<T>(name: string, work: (client: Client) => Promise<T>): Promise<T> {
    const { client, connection } = link;
    if (client === undefined) throw new StoreError("Redis is away", "away");
    try {
      return await withinTime(work(client), connection);
    } catch (error) {
      if (link.moves && isElsewhere(error) && link.connection === connection) {
        link.drop(errorText(error));
      }
      throw storeError(error, name);
    }
  }
  async function send(args: string[]): Promise<Reply> {
    return await ask(args[0]!, (client) => client.sendCommand(args)) as Reply;
  }
  return {
    get ready() {
      return link.client !== undefined;
    },
    get connection() {
      return link.connection;
    },
    get server() {
      return link.server;
    },
    command: (...args) => send(args),
    async multi(commands) {
      return await ask("MULTI", (client) => {
        const transaction = client.multi();
        for (const command of commands) transaction.addCommand(command);
        return transaction.exec();
      }) as unknown as Reply[];
    },
    async script(script, keys, args) {
      const digest = digests.get(script.name) ?? await sha1(script.source);
      digests.set(script.name, digest);
      const rest = [String(keys.length), ...keys, ...args];
      try {
        return await send(["EVALSHA", digest, ...rest]);
      } catch (error) {
        const cause = error instanceof StoreError ? error.cause : undefined;
        if (!(cause instanceof ErrorReply && cause.message.startsWith("NOSCRIPT"))) throw error;
        return await send(["EVAL", script.source, ...rest]);
      }
    },
    close: () => link.close(),
  };
}

/** Whether a refusal says that the master is another server by now; nothing was written. */
function isElsewhere(error: unknown): boolean {
  return error instanceof ErrorReply &&
    /^(READONLY|MOVED|CLUSTERDOWN|MASTERDOWN|EXECABORT)\b|-(READONLY|MOVED)\b/.test(error.message);
}

function storeError(error: unknown, command: string): StoreError {
  if (error instanceof ErrorReply) {
    return new StoreError(`Redis refused ${command}`, "refused", error);
  }
  const offline = error instanceof Error && /offline|closed before/i.test(error.message) &&
    error.constructor.name === "ClientOfflineError";
  return offline
    ? new StoreError("Redis is away", "away", error)
    : new StoreError(`Redis gave no answer to ${command}`, "unknown", error);
}

async function sha1(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(text));
  return new Uint8Array(digest).toHex();
}

/** A flat HGETALL reply as a record. @throws {StoreError} when it is no such reply */
export function recordOf(reply: Reply): Record<string, string> {
  if (!Array.isArray(reply) || reply.length % 2 !== 0) {
    throw new StoreError("Cannot read a hash: unexpected reply", "refused");
  }
  const record: Record<string, string> = {};
  for (let i = 0; i < reply.length; i += 2) record[String(reply[i])] = String(reply[i + 1]);
  return record;
}

/** A list reply as strings. @throws {StoreError} when it is no such reply */
export function listOf(reply: Reply): string[] {
  if (!Array.isArray(reply)) {
    throw new StoreError("Cannot read a list: unexpected reply", "refused");
  }
  return reply.map(String);
}

/**
 * A stored integer; a missing field is `missing`, unreadable text is an error.
 *
 * @throws {StoreError} when the text is no integer: a failed read is never a zero.
 */
export function integerOf(reply: Reply | undefined, name: string, missing = 0n): bigint {
  if (reply === null || reply === undefined) return missing;
  if (typeof reply === "number") return BigInt(reply);
  if (typeof reply !== "string" || !/^-?\d+$/.test(reply)) {
    throw new StoreError(
      `Cannot read ${name}: current value is ${JSON.stringify(reply)}`,
      "refused",
    );
  }
  return BigInt(reply);
}
