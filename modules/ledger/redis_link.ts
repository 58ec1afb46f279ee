/**
 * A connection to Redis that is kept: lost, it is made anew, to wherever the master is by then.
 *
 * Nothing is ever sent a second time in here.
 */
import { errorText, type Logger } from "../base/mod.ts";
import {
  type Client,
  type Connecting,
  connectOnce,
  LoginError,
  loginError,
} from "./redis_client.ts";
import type { Place } from "./redis_place.ts";

/** How often those who elect the master are asked who it is (milliseconds). */
const WATCH_MS = 2_000;

/** Different problems that are logged until there is a connection again. */
const TOLD_MAX = 10;

/** A kept connection. */
export interface Link {
  /** The client while it can be used. */
  readonly client: Client | undefined;
  /** Grows with every new connection. */
  readonly connection: number;
  /** Who answers: another text when what was acknowledged before may be lost (see `Store`). */
  readonly server: string;
  /** Whether the master may be another server the next time. */
  readonly moves: boolean;
  /** Gives the present connection up: it is silent, or no longer the master's. */
  drop(reason: string): void;
  close(): Promise<void>;
}

/**
 * Opens a link and waits until it is there.
 *
 * @param placed how the server is found, with what ends a search
 * @param onReady called after each connection but the first
 * @param wait waits until this ends, however long that is; undefined: `timeoutMs`
 * @throws {Error} when there is none by then
 */
export async function openLink(
  placed: (connecting: Omit<Connecting, "address">) => Place,
  options: Omit<Connecting, "address">,
  deps: { log: Logger; onReady(): Promise<unknown>; wait?: AbortSignal | undefined },
): Promise<Link> {
  const { log } = deps;
  const end = new AbortController();
  const { signal } = end;
  const connecting = { ...options, signal };
  const place = placed(connecting);
  let client: Client | undefined;
  let connection = 0, server = "", lastProblem = "", address = "";
  /** What was logged since there was a connection. */
  const told = new Set<string>();
  /** Why the server that was found let us do nothing. */
  let refused: LoginError | undefined;
  /** Ends the wait for the present connection's loss. */
  let lose: (reason: string) => void = () => {};
  let first: (outcome?: Error) => void = () => {};
  const opened = new Promise<Error | undefined>((resolve) => first = resolve);

  function note(problem: string) {
    if (problem !== "" && !told.has(problem) && told.size < TOLD_MAX) {
      told.add(problem);
      const facts = { place: place.name, address, error: problem };
      if (connection === 0) log.warn("redis.waiting", facts);
      else log.warn("redis.lost", facts);
    }
    lastProblem = problem || lastProblem;
  }

  async function keep() {
    for (let failures = 0; !signal.aborted;) {
      try {
        const { lost } = await connect();
        failures = 0;
        first();
        note(await lost);
      } catch (error) {
        failures++;
        refused = error instanceof LoginError ? error : undefined;
        note(errorText(error));
      }
      client?.destroy();
      client = undefined;
      // The first look for a new master is at once.
      if (failures > 0) await pause(Math.min(50 * 2 ** Math.min(failures, 6), 2_000), signal);
    }
  }

  /** Gives what resolves with the reason of its loss. */
  async function connect(): Promise<{ lost: Promise<string> }> {
    address = await place.find();
    let ended: (reason: string) => void = () => {};
    const lost = new Promise<string>((resolve) => ended = resolve);
    const next = await connectOnce({ ...connecting, address }, (reason) => ended(reason));
    try {
      if (place.moves) await checkMaster(next, address);
      server = await identityOf(next, { ...connecting, address }) ?? `connection ${connection + 1}`;
      if (signal.aborted) throw new Error("closed");
    } catch (error) {
      next.destroy();
      throw error;
    }
    lose = ended;
    client = next;
    connection++;
    if (lastProblem !== "") log.info("redis.back", { place: place.name, address });
    lastProblem = "";
    told.clear();
    if (connection > 1) void deps.onReady().catch((error) => log.warn("redis.onReady", { error }));
    return { lost };
  }

  /** Sentinel may have promoted another server while this one still answers, cut off from all. */
  async function watch() {
    while (place.watch !== undefined && !signal.aborted) {
      await pause(WATCH_MS, signal);
      if (client === undefined || signal.aborted) continue;
      const held = address;
      const elected = await place.watch().catch(() => held);
      if (elected !== held && held === address) link.drop(`the master is ${elected} now`);
    }
  }

  const link: Link = {
    get client() {
      return client?.isReady && !signal.aborted ? client : undefined;
    },
    moves: place.moves,
    get connection() {
      return connection;
    },
    get server() {
      return server;
    },
    drop(reason) {
      const gone = client;
      client = undefined;
      lose(reason);
      gone?.destroy();
    },
    async close() {
      end.abort(new Error("closed"));
      // What is under way is waited for; a server that is silent is dropped meanwhile.
      if (client?.isReady) await client.close();
      lose("");
      await loops;
    },
  };
  const loops = Promise.all([keep(), watch()]);
  const { wait } = deps;
  const late = wait === undefined ? pause(connecting.timeoutMs, signal) : aborted(wait, signal);
  const failed = await Promise.race([opened, late.then(() => refused ?? new Error(lastProblem))]);
  if (failed !== undefined) {
    await link.close();
    throw failed;
  }
  return link;
}

/** @throws {Error} when the server takes no writes: whoever named it was behind */
async function checkMaster(client: Client, address: string): Promise<void> {
  const reply = await client.sendCommand(["ROLE"]) as unknown;
  const role = Array.isArray(reply) ? String(reply[0]) : "unknown";
  if (role !== "master") throw new Error(`${address} is a ${role} still`);
}

/**
 * The process and the history it serves; undefined where the user may not ask.
 *
 * @throws {LoginError} when nothing may be asked before a password
 */
async function identityOf(client: Client, connecting: Connecting): Promise<string | undefined> {
  try {
    const [process, history] = await Promise.all(
      ["server", "replication"].map(async (part) =>
        String(await client.sendCommand(["INFO", part]))
      ),
    );
    const run = /^run_id:(\w+)/m.exec(process!)?.[1];
    const replid = /^master_replid:(\w+)/m.exec(history!)?.[1];
    return run === undefined || replid === undefined ? undefined : `${run}:${replid}`;
  } catch (error) {
    const refused = loginError(error, connecting);
    if (refused !== undefined) throw refused;
    return undefined;
  }
}

/** Resolves when `wait` ends; once `signal` has ended, it never may. */
async function aborted(wait: AbortSignal, signal: AbortSignal): Promise<void> {
  if (wait.aborted) return;
  await new Promise((resolve) => wait.addEventListener("abort", resolve, { signal }));
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
