/** Listens for miners, applies policy, pushes jobs, and owns every socket until it is closed. */
import type { Clock, Logger } from "../base/mod.ts";
import type { Job } from "../work/mod.ts";
import { ethProxy } from "./dialects/eth_proxy.ts";
import type { MiningService } from "./service.ts";
import { type PushCache, Session } from "./session.ts";
import { DenoWire } from "./wire.ts";

/** Settings of a stratum port. */
export interface StratumOptions {
  hostname: string;
  port: number;
  /** Connections held at once by this listener; further ones are refused at once. */
  maxConn: number;
  /** Silence after which a connection is closed (milliseconds). */
  timeoutMs: number;
  /** Time a connection has to log in (milliseconds). */
  loginTimeoutMs: number;
  /** Whether other Deno workers listen on the same port (SO_REUSEPORT). */
  reusePort: boolean;
}

/** A listening stratum port. */
export interface StratumServer {
  /** The port in use, which the system chose when 0 was asked for. */
  readonly port: number;
  /** Sessions held now. */
  readonly sessions: number;
  /** Sends a job to every miner. */
  broadcast(job: Job): void;
  /** Stops listening, lets sessions finish what is under way and closes them. */
  close(): Promise<void>;
}

/** A miner that saw no new job for this long gets the current one again (milliseconds). */
const REPEAT_JOB_MS = 60_000;
const SWEEP_MS = 1_000;

/** Opens a stratum port. @throws when the address is taken */
export function serveStratum(
  options: StratumOptions,
  deps: { service: MiningService; clock: Clock; log: Logger },
): StratumServer {
  const { clock, log, service } = deps;
  const listener = Deno.listen({
    hostname: options.hostname,
    port: options.port,
    tcpBacklog: 4_096,
    ...(options.reusePort ? { reusePort: true } : {}),
  });
  const sessions = new Set<Session>();
  const running = new Set<Promise<void>>();
  let offset = 0;
  let lastPushMs = clock.now();
  let refused = 0;
  const sweeper = setInterval(sweep, SWEEP_MS);

  async function accept() {
    while (true) {
      let conn: Deno.TcpConn;
      try {
        conn = await listener.accept();
      } catch (error) {
        if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) {
          return;
        }
        // Out of file handles, or the peer has gone again: neither ends the port.
        log.warn("stratum.acceptFailed", { error });
        await clock.sleep(100);
        continue;
      }
      take(conn);
    }
  }

  function take(conn: Deno.TcpConn) {
    const ip = conn.remoteAddr.hostname;
    if (sessions.size >= options.maxConn || !service.policy.admit(ip)) {
      refused++;
      conn.close();
      return;
    }
    let session: Session;
    try {
      session = new Session(new DenoWire(conn), { service, dialect: ethProxy, clock, log });
    } catch (error) {
      log.debug("stratum.lostAtOnce", { ip, error });
      conn.close();
      return;
    }
    sessions.add(session);
    const run = session.run().catch((error) => log.error("session.crashed", { ip, error }))
      .finally(() => {
        sessions.delete(session);
        running.delete(run);
      });
    running.add(run);
  }

  function sweep() {
    const nowMs = clock.now();
    for (const session of sessions) {
      const silent = nowMs - session.lastActiveMs > options.timeoutMs;
      const late = !session.subscribed && nowMs - session.connectedAtMs > options.loginTimeoutMs;
      if (silent || late) {
        log.debug("session.timeout", { ip: session.wire.remoteAddress, late });
        session.wire.close();
      }
    }
    if (refused > 0) log.warn("stratum.refused", { connections: refused, held: sessions.size });
    refused = 0;
    const job = service.currentJob();
    if (job !== undefined && nowMs - lastPushMs > REPEAT_JOB_MS) broadcast(job);
  }

  function broadcast(job: Job) {
    lastPushMs = clock.now();
    const cache: PushCache = new Map();
    // A rotating start, so that nobody is always last.
    const all = [...sessions];
    offset = all.length === 0 ? 0 : (offset + 1) % all.length;
    for (let i = 0; i < all.length; i++) all[(i + offset) % all.length]!.push(job, cache);
  }

  const accepting = accept();
  const port = (listener.addr as Deno.NetAddr).port;
  log.info("stratum.listening", { hostname: options.hostname, port });
  return {
    port,
    get sessions() {
      return sessions.size;
    },
    broadcast,
    async close() {
      listener.close();
      clearInterval(sweeper);
      await accepting;
      await Promise.all([...sessions].map((session) => session.drain()));
      await Promise.allSettled([...running]);
    },
  };
}
