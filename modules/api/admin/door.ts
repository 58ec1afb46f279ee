/**
 * The operator's door: a unix socket that only the pool's own user can open.
 *
 * Who may open it may already read the configuration and end the process; it asks for no password.
 * Deno does not tell the user at the other end, so that the name in the audit log is what the
 * command says, for people of good faith.
 */
import { type Clock, errorText, type Logger, PoolError } from "../../base/mod.ts";
import { createKeys, type RedisOptions } from "../../ledger/mod.ts";
import { connectingStore } from "../connecting_store.ts";
import { type CommandDeps, runCommand } from "./commands.ts";
import { readLine, writeLine } from "./lines.ts";
import type { AdminParts } from "./parts.ts";
import { type AdminAnswer, type AdminRequest, requestSchema } from "./protocol.ts";
import { listenPrivately } from "./socket.ts";

/** Where it listens, and whose ledger it writes. */
export interface AdminOptions {
  /** Path of the socket. */
  path: string;
  /** Prefix of every Redis key. */
  prefix: string;
  redis: RedisOptions & { waitReplicas: number };
}

/** The open door. */
export interface AdminDoor {
  /** Carries out what somebody asks who does not come by the socket, with its audit row. */
  run(request: AdminRequest, user: string): Promise<unknown>;
  close(): Promise<void>;
}

/** Connections held at once. */
const CONNECTIONS_MAX = 16;
/** A request has this long to come, and its answer to be taken (milliseconds). */
const LINE_MS = 10_000;
/** Longest name of an operator. */
const USER_MAX = 64;

/** Opens the door. @throws {PoolError} when others could reach it, or a pool answers there already */
export async function serveAdmin(
  { path, prefix, redis }: AdminOptions,
  deps: { log: Logger; clock: Clock; pool: AdminParts },
): Promise<AdminDoor> {
  const { log, clock } = deps;
  const listener = await listenPrivately(path);
  const store = connectingStore(redis, deps);
  const ledger = { store, keys: createKeys(prefix), waitReplicas: redis.waitReplicas };
  const held = new Set<Deno.Conn>();
  const underWay = new Set<Promise<void>>();
  log.info("admin.listening", { path });

  const accepting = (async () => {
    for await (const conn of listener) {
      if (held.size >= CONNECTIONS_MAX) {
        conn.close();
        continue;
      }
      held.add(conn);
      const done = serve(conn).finally(() => {
        held.delete(conn);
        underWay.delete(done);
      });
      underWay.add(done);
    }
  })();

  async function serve(conn: Deno.Conn): Promise<void> {
    const late = new AbortController();
    const cut = () => clock.sleep(LINE_MS, late.signal).then(() => conn.close(), () => {});
    void cut();
    try {
      const line = await readLine(conn);
      late.abort(new Error("read"));
      await writeLine(conn, await answerLine(line, { ...deps, ...ledger }));
    } catch (error) {
      log.debug("admin.cut", { error });
    } finally {
      late.abort(new Error("ended"));
      try {
        conn.close();
      } catch { /* it was cut */ }
    }
  }

  return {
    run: (request, user) => runCommand(request, user, { ...deps, ...ledger }),
    async close() {
      listener.close();
      await accepting.catch(() => {});
      await Promise.race([Promise.all(underWay), clock.sleep(1_000)]);
      await store.close();
    },
  };
}

/** The answer to one line. */
export async function answerLine(line: string, deps: CommandDeps): Promise<AdminAnswer> {
  try {
    const { user, request } = JSON.parse(line) as { user?: unknown; request?: unknown };
    const read = requestSchema.safeParse(request);
    if (!read.success) {
      const { path, message } = read.error.issues[0]!;
      throw new PoolError(`${path.join(".") || "request"}: ${message}`);
    }
    return { ok: true, data: await runCommand(read.data, nameOf(user), deps) };
  } catch (error) {
    return { ok: false, error: errorText(error) };
  }
}

function nameOf(user: unknown): string {
  const name = typeof user === "string" ? user.replaceAll(/[^\w.@+-]/g, "").slice(0, USER_MAX) : "";
  return name === "" ? "operator" : name;
}
