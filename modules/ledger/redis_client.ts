/** One connection of the Redis client: how it is made, and what is asked of the server first. */
import { createClient } from "redis";
import { errorText } from "../base/mod.ts";
import { watched } from "./redis_sockets.ts";

/** TLS towards Redis; texts in PEM. */
export interface RedisTls {
  /** Certificates that the server's must descend from; undefined: those of the system. */
  ca?: string;
  /** The client's own certificate and key, where the server asks for one. */
  cert?: string;
  key?: string;
  /** Name that the server's certificate must have; undefined: the host of its address. */
  serverName?: string;
}

/** Where to connect, and as whom. */
export interface Connecting {
  /** "host:port", or the path of a unix socket (starts with "/"). */
  address: string;
  database: number;
  username?: string | undefined;
  /** Empty for none. */
  password: string;
  tls?: RedisTls | undefined;
  /** The configuration's keys of user and password, for messages. @default {redis's own} */
  loginKeys?: { username: string; password: string };
  timeoutMs: number;
  /** Ends an attempt that is under way. */
  signal?: AbortSignal;
}

/** The server is there and lets us do nothing: password or user are not what it expects. */
export class LoginError extends Error {
  override readonly name = "LoginError";
}

/**
 * What an error says of the login, with the mend; undefined when it speaks of something else.
 *
 * The prefixes are those of Redis's `AUTH` and of its commands before it (redis.io/commands/auth).
 */
export function loginError(error: unknown, options: Connecting): LoginError | undefined {
  const { username: user, password } = options.loginKeys ?? OWN_KEYS;
  const text = errorText(error);
  const message = text.startsWith("WRONGPASS")
    ? options.username === undefined
      ? `it does not take ${password}: write the one of its requirepass there`
      : `it does not take ${user} and ${password}: write those of an ACL user there`
    : text.startsWith("NOAUTH")
    ? `it asks for a password: write it into ${password}`
    : text.includes("without any password configured")
    ? `it has no password: set requirepass there, or leave ${password} out`
    : undefined;
  return message === undefined ? undefined : new LoginError(message, { cause: error });
}

const OWN_KEYS = { username: "redis.username", password: "redis.password" };

/** A connected client of node-redis. */
export type Client = ReturnType<typeof makeClient>;

/**
 * Connects once. What fails later closes the client for good: where the next connection goes is for
 * the caller to find out, because after a failover it is another server.
 *
 * @param onLost called once when the connection is gone, whoever ended it
 * @throws {Error} when it is not ready within `timeoutMs`
 */
export async function connectOnce(
  options: Connecting,
  onLost: (reason: string) => void = () => {},
): Promise<Client> {
  const client = makeClient(options);
  let last = "", lost = false;
  const lose = () => {
    if (lost) return;
    lost = true;
    onLost(last);
  };
  client.on("error", (error: unknown) => {
    last = errorText(error);
    if (!client.isOpen) lose();
  });
  client.on("end", lose);
  const { timeoutMs, signal } = options;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stop = () => {};
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(last || `no answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    stop = () => reject(new Error("closed"));
    signal?.addEventListener("abort", stop);
  });
  try {
    if (signal?.aborted) throw new Error("closed");
    await Promise.race([client.connect(), late]);
    return client;
  } catch (error) {
    client.destroy();
    throw loginError(error, options) ?? error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}

/** Connects, asks, and closes again. */
export async function askOnce<T>(
  options: Connecting,
  ask: (client: Client) => Promise<T>,
): Promise<T> {
  const client = await connectOnce(options);
  try {
    return await ask(client);
  } catch (error) {
    throw loginError(error, options) ?? error;
  } finally {
    client.destroy();
  }
}

function makeClient({ address, database, username, password, tls, timeoutMs }: Connecting) {
  const { path, host, port } = partsOf(address);
  const common = { connectTimeout: timeoutMs, reconnectStrategy: false as const };
  return createClient({
    RESP: 2,
    socket: path !== undefined
      ? watched({ ...common, path, tls: false as const })
      : tls === undefined
      ? watched({ ...common, host: host!, port: port! })
      : watched({ ...common, host: host!, port: port!, tls: true as const, ...tlsOf(tls, host!) }),
    database,
    ...(username === undefined ? {} : { username }),
    ...(password === "" ? {} : { password }),
    disableOfflineQueue: true,
    commandOptions: { timeout: timeoutMs },
  });
}

function tlsOf({ ca, cert, key, serverName }: RedisTls, host: string) {
  // A server name is a host's name (RFC 6066, section 3): an address is none.
  const name = serverName ?? (/^[\d.]+$|:/.test(host) ? undefined : host);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(name === undefined ? {} : { servername: name }),
  };
}

/** Host and port of an address, or the path of a socket. */
export function partsOf(address: string): { path?: string; host?: string; port?: number } {
  if (address.startsWith("/")) return { path: address };
  const colon = address.lastIndexOf(":");
  const host = colon === -1 ? address : address.slice(0, colon).replace(/^\[|\]$/g, "");
  return {
    host: host || "127.0.0.1",
    port: colon === -1 ? 6379 : Number(address.slice(colon + 1)),
  };
}
