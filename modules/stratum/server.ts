/** Listens for miners, applies policy, pushes jobs, and owns every session until it is closed. */
import type { Clock, Logger } from "../base/mod.ts";
import { policyAddress } from "../policy/mod.ts";
import type { PortTerms } from "./assignments.ts";
import { Broadcast, onNextTurn } from "./broadcast.ts";
import { answer } from "./getwork.ts";
import { serveHttpWire } from "./http_wire.ts";
import { LiveTerms } from "./live_terms.ts";
import { openPort, type Port, type Wire } from "./net/mod.ts";
import type { Adjustment, SessionFacts, SessionFilter } from "./questions.ts";
import type { MiningService } from "./service.ts";
import { Session } from "./session.ts";

/** One stratum port: where it listens and what holds for its sessions. */
export interface PortOptions extends PortTerms {
  listen: { hostname: string; port: number };
  tls?: { cert: string; key: string; only: boolean };
  /** Whether PROXY headers from the trusted proxies are read. */
  proxyProtocol: boolean;
}

/** Settings of the stratum ports. */
export interface StratumOptions {
  ports: PortOptions[];
  /** CIDR ranges whose PROXY headers are believed. */
  trustedProxies: string[];
  /** Connections held at once by all these ports; further ones are refused at once. */
  maxConn: number;
  /** Silence after which a connection is closed (milliseconds). */
  timeoutMs: number;
  /** Time a connection has to log in (milliseconds). */
  loginTimeoutMs: number;
  /** Whether other Deno workers listen on the same ports (SO_REUSEPORT). */
  reusePort: boolean;
  /** Number of this worker, the first part of its sessions' ids. @default {0} */
  index?: number;
  /** Bounds of HTTP getwork over these ports; undefined: it has a port of its own alone. */
  getwork?: { limitHeadersBytes: number; limitBodyBytes: number };
}

/** Listening stratum ports. */
export interface StratumServer {
  /** The ports in use, which the system chose where 0 was asked for. */
  readonly ports: number[];
  /** Sessions held now. */
  readonly sessions: number;
  /** Sends the current job to every miner. */
  broadcast(): void;
  /** A job came: what holds for its header from now on is what holds now. */
  note(headerHash: string): void;
  /** Sessions as an operator sees them, the newest first. */
  facts(filter: SessionFilter): SessionFacts[];
  /** Says goodbye to sessions; gives how many. */
  drop(filter: SessionFilter): number;
  /** Takes other terms for headers to come, and other deadlines. */
  adjust(to: Pick<Adjustment, "ports" | "timeoutMs" | "loginTimeoutMs">): void;
  /** Reads the certificates again; gives the ports whose pair does not work. */
  reloadCertificates(): Promise<number[]>;
  /** Has every session go over to extranonces of the present range; who cannot is sent away. */
  renewExtranonces(): Promise<void>;
  /** Takes no new connections; sessions that are there stay, with jobs and answers as before. */
  drain(): void;
  /** Stops listening, lets sessions finish what is under way and closes them. */
  close(): Promise<void>;
}

/** A miner that saw no new job for this long gets the current one again (milliseconds). */
const REPEAT_JOB_MS = 60_000;
const SWEEP_MS = 1_000;
const BACKLOG = 4_096;

/** Opens stratum ports. @throws when an address is taken */
export async function serveStratum(
  options: StratumOptions,
  deps: { service: MiningService; clock: Clock; log: Logger },
): Promise<StratumServer> {
  const { clock, log, service } = deps;
  const sessions = new Set<Session>();
  const running = new Set<Promise<void>>();
  /** Connections that speak HTTP. */
  const wires = new Set<Wire>();
  const ports: Port[] = [];
  /** Beside each port what holds there. */
  const doors: { listen: PortOptions["listen"]; terms: LiveTerms; tls: boolean }[] = [];
  let lastSession = 0;
  const broadcast = new Broadcast({
    ...{ receivers: sessions, onNextTurn },
    isCurrent: (set) => service.deps.jobs.current === set.job,
  });
  let lastPushMs = clock.now();
  const { policy } = service;
  try {
    for (const { listen, tls, proxyProtocol, ...given } of options.ports) {
      const terms = new LiveTerms(given);
      const door = doors.push({ listen, terms, tls: tls !== undefined }) - 1;
      const { maxConn, reusePort, trustedProxies } = options;
      const port = await openPort({
        ...{ ...listen, reusePort, proxyProtocol, trustedProxies, backlog: BACKLOG, maxConn },
        ...(tls === undefined ? {} : { tls }),
        times: { silenceMs: options.loginTimeoutMs },
      }, {
        ...{ clock, log },
        admit: (ip) => sessions.size < maxConn && policy.admit(ip),
        release: (ip) => policy.release(ip),
        onWire: (wire) => take(wire, terms, ports[door]?.port ?? listen.port),
        ...(options.getwork === undefined
          ? {}
          : { onHttp: (first, wire) => takeHttp(first, wire, options.getwork!, terms) }),
      });
      ports.push(port);
      log.info("stratum.listening", { hostname: listen.hostname, port: port.port });
    }
  } catch (error) {
    await Promise.all(ports.map((port) => port.close()));
    throw error;
  }
  const sweeper = setInterval(sweep, SWEEP_MS);

  function take(wire: Wire, terms: PortTerms, port: number) {
    const id = `${options.index ?? 0}-${++lastSession}`;
    const session = new Session(wire, { service, terms, clock, log }, { id, port });
    sessions.add(session);
    const run = session.run()
      .catch((error) => log.error("session.crashed", { ip: wire.remoteAddress, error }))
      .finally(() => {
        sessions.delete(session);
        running.delete(run);
      });
    running.add(run);
  }

  function takeHttp(
    first: Uint8Array,
    wire: Wire,
    limits: NonNullable<StratumOptions["getwork"]>,
    terms: PortTerms,
  ) {
    const door = { service, clock, log, terms, addressOf: (peer: string) => peer };
    const run = serveHttpWire(first, wire, {
      ...{ headBytesMax: limits.limitHeadersBytes, bodyBytesMax: limits.limitBodyBytes },
      idleMs: options.timeoutMs,
    }, { clock, handler: (request, peer) => answer(request, peer, limits, door) })
      .catch((error) => log.error("getwork.crashed", { ip: wire.remoteAddress, error }))
      .finally(() => {
        running.delete(run);
        wires.delete(wire);
      });
    wires.add(wire);
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
    if (nowMs - lastPushMs > REPEAT_JOB_MS) push();
  }

  function* chosen({ id, login, ip }: SessionFilter): Generator<[Session, SessionFacts]> {
    for (const session of sessions) {
      const { facts } = session;
      if (id !== undefined && facts.id !== id) continue;
      if (login !== undefined && facts.login !== login) continue;
      if (ip === undefined || policyAddress(facts.ip) === ip) yield [session, facts];
    }
  }

  function push() {
    lastPushMs = clock.now();
    const set = service.renewedOffers();
    if (set !== undefined) broadcast.send(set);
  }

  return {
    ports: ports.map((port) => port.port),
    get sessions() {
      return sessions.size;
    },
    broadcast: push,
    note: (headerHash) => doors.forEach(({ terms }) => terms.note(headerHash)),
    facts: (filter) => [...chosen(filter)].map(([, facts]) => facts).reverse(),
    drop(filter) {
      const leaving = [...chosen(filter)];
      for (const [session] of leaving) void session.drain();
      return leaving.length;
    },
    adjust({ ports: wanted, timeoutMs, loginTimeoutMs }) {
      Object.assign(options, { timeoutMs, loginTimeoutMs });
      for (const { listen: { hostname, port }, terms } of doors) {
        const to = wanted.find(({ listen }) =>
          listen.hostname === hostname && listen.port === port
        );
        if (to !== undefined) terms.change(to);
      }
    },
    async reloadCertificates() {
      const done = await Promise.all(
        ports.map((port, i) => doors[i]!.tls ? port.reloadCertificates() : true),
      );
      return ports.filter((_, i) => !done[i]).map(({ port }) => port);
    },
    async renewExtranonces() {
      const done = await Promise.all([...sessions].map((session) => session.renewExtranonce()));
      const count = (wanted: boolean) => done.filter((one) => one === wanted).length;
      const note = "sent away are who never asked for mining.set_extranonce: they come back";
      log.warn("extranonce.renewed", { told: count(true), sentAway: count(false), note });
    },
    drain: () => ports.forEach((port) => port.refuseNew()),
    async close() {
      clearInterval(sweeper);
      broadcast.stop();
      const closing = ports.map((port) => port.close());
      await Promise.all([...sessions].map((session) => session.drain()));
      for (const wire of wires) wire.close({ flush: true });
      await Promise.allSettled([...running]);
      await Promise.all(closing);
    },
  };
}
