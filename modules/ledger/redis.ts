/**
 * The connection to Redis: explicit timeouts, no offline queue, scripts by their hash.
 *
 * Every failure is one of three, because money depends on the difference: `away` (the command was
 * never sent), `refused` (Redis answered with an error before any write) or `unknown` (no answer:
 * it may have run). Only `unknown` must be asked again under the same id.
 */
import { createClient, ErrorReply } from "redis";
import { errorText, type Logger, PoolError } from "../base/mod.ts";

/** Where Redis is; the configuration's `redis` section. */
export interface RedisOptions {
  /** "host:port", or the path of a unix socket (starts with "/"). */
  endpoint: string;
  database: number;
  /** Empty for none. */
  password: string;
  username?: string;
  /** Longest wait for one reply (milliseconds). @default {5000} */
  timeoutMs?: number;
}

/** What is known of a command that failed. */
export type StoreFate = "away" | "refused" | "unknown";

/** A Redis command that did not succeed; `fate` says whether it may have run. */
export class StoreError extends PoolError {
  override readonly name = "StoreError";
  readonly fate: StoreFate;

  constructor(message: string, fate: StoreFate, cause?: unknown) {
    super(message, { cause, facts: { fate } });
    this.fate = fate;
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
 * Opens a connection and waits until it is ready; later losses reconnect by themselves.
 *
 * @throws {StoreError} when Redis cannot be reached within `timeoutMs` at first.
 */
export async function openStore(
  options: RedisOptions,
  deps: {
    log: Logger;
    /** Called after each connection, the first one included. */
    onReady?: (store: Store) => Promise<unknown>;
  },
): Promise<Store> {
  const timeoutMs = options.timeoutMs ?? 5_000;
  const client = makeClient(options, timeoutMs);
  let lastError = "";
  client.on("error", (error: unknown) => {
    const text = errorText(error);
    if (text !== lastError) deps.log.warn("redis.lost", { endpoint: options.endpoint, error });
    lastError = text;
  });
  client.on("ready", () => {
    if (lastError !== "") deps.log.info("redis.back", { endpoint: options.endpoint });
    lastError = "";
  });
  await connectWithin(client, timeoutMs, options.endpoint, () => lastError);
  const store = storeOver(client, timeoutMs);
  await deps.onReady?.(store);
  client.on("ready", () => {
    deps.onReady?.(store).catch((error) => deps.log.warn("redis.onReady", { error }));
  });
  return store;
}

type Client = ReturnType<typeof makeClient>;

function makeClient(options: RedisOptions, timeoutMs: number) {
  return createClient({
    RESP: 2,
    socket: { ...socketOf(options.endpoint), connectTimeout: timeoutMs, reconnectStrategy: delay },
    database: options.database,
    ...(options.username === undefined ? {} : { username: options.username }),
    ...(options.password === "" ? {} : { password: options.password }),
    disableOfflineQueue: true,
    commandOptions: { timeout: timeoutMs },
  });
}

async function connectWithin(
  client: Client,
  timeoutMs: number,
  endpoint: string,
  reason: () => string,
) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(reason() || `no answer within ${timeoutMs} ms`));
    }, timeoutMs);
  });
  try {
    await Promise.race([client.connect(), late]);
  } catch (error) {
    client.destroy();
    throw new StoreError(
      `Cannot reach Redis at ${endpoint} (redis.endpoint): is redis-server running?`,
      "away",
      error,
    );
  } finally {
    clearTimeout(timer);
  }
}

function storeOver(client: Client, timeoutMs: number): Store {
  const digests = new Map<string, string>();
  let closing = false, connection = 0;
  client.on("ready", () => connection++);
  /** The client's own timeout ends when a command is written; this one waits for the reply. */
  async function withinTime<T>(reply: Promise<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`no reply within ${timeoutMs} ms`));
        reconnect();
      }, timeoutMs);
    });
    try {
      return await Promise.race([reply, late]);
    } finally {
      clearTimeout(timer);
    }
  }
  /** A server that is silent is away: nothing more is sent on that connection. */
  function reconnect() {
    if (!client.isReady) return;
    client.destroy();
    // It tries until it succeeds or is closed; what goes wrong comes as an "error" event.
    if (!closing) client.connect().catch(() => {});
  }
  async function send(args: string[]): Promise<Reply> {
    if (!client.isReady) throw new StoreError("Redis is away", "away");
    try {
      return await withinTime(client.sendCommand(args)) as Reply;
    } catch (error) {
      throw storeError(error, args[0]!);
    }
  }
  return {
    get ready() {
      return client.isReady;
    },
    get connection() {
      return connection;
    },
    command: (...args) => send(args),
    async multi(commands) {
      if (!client.isReady) throw new StoreError("Redis is away", "away");
      try {
        const transaction = client.multi();
        for (const command of commands) transaction.addCommand(command);
        return await withinTime(transaction.exec()) as unknown as Reply[];
      } catch (error) {
        throw storeError(error, "MULTI");
      }
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
    async close() {
      closing = true;
      if (client.isReady) await client.close();
      else client.destroy();
    },
  };
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

function socketOf(endpoint: string) {
  if (endpoint.startsWith("/")) return { path: endpoint, tls: false as const };
  const colon = endpoint.lastIndexOf(":");
  const host = colon === -1 ? endpoint : endpoint.slice(0, colon).replace(/^\[|\]$/g, "");
  return {
    host: host || "127.0.0.1",
    port: colon === -1 ? 6379 : Number(endpoint.slice(colon + 1)),
  };
}

function delay(retries: number): number {
  return Math.min(50 * 2 ** Math.min(retries, 6), 2_000);
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
