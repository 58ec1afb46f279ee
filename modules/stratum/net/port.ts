/**
 * Opens a port for miners: accepts, tells connections apart, and hands each over as a wire.
 *
 * On node:net, which can turn a connection into TLS after its first byte, shares ports between Deno
 * workers, and costs less for each connection and message than Deno.listen.
 */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { PoolError } from "../../base/mod.ts";
import { areHandlesLeft, wakeListener } from "../../http/mod.ts";
import { normalAddress, rangeTest } from "./addresses.ts";
import { Arrival, type PortShared } from "./arrival.ts";
import { CertificateStore } from "./certificates.ts";
import { Deadlines } from "./deadlines.ts";
import { type Port, PORT_TIMES, type PortDeps, type PortOptions } from "./options.ts";
import { Tally } from "./tally.ts";

/** How often deadlines are looked at, and the listener is woken (milliseconds). */
const SWEEP_MS = 1_000;

/**
 * Opens a port.
 *
 * @throws {PoolError} that names the setting and the mend: an address that is taken or forbidden, a
 * certificate that does not work, a range that is none
 */
export async function openPort(options: PortOptions, deps: PortDeps): Promise<Port> {
  const { clock, log } = deps;
  const times = { ...PORT_TIMES, ...options.times };
  const isProxy = rangeTest(options.trustedProxies, "trustedProxies");
  const certificates = options.tls && await CertificateStore.open(options.tls, { log, clock });
  const tally = new Tally(log);
  const deadlines = new Deadlines();
  const held = new Set<Arrival>();
  const shared: PortShared = {
    ...{ options, times, deps, tally, deadlines, held, certificates, isProxy, clock },
    stallMs: times.stallMs,
    closing: false,
    onDropped: (ip, reason) => tally.note("info", "port.peerDropped", { ip, reason }),
  };
  const server = createServer({ allowHalfOpen: true }, accept);
  await listen(server, options);
  server.on("error", (error) => tally.note("warn", "port.acceptFailed", { error }));
  const end = new AbortController();
  const loops = [every(SWEEP_MS, sweep)];
  if (certificates !== undefined) {
    loops.push(every(times.certificatePollMs, () => certificates.poll()));
  }

  function accept(socket: Socket) {
    const peer = normalAddress(socket.remoteAddress);
    if (peer === undefined || shared.closing) {
      socket.destroy();
    } else if (held.size >= options.maxConn) {
      tally.note("warn", "port.full", { ip: peer, held: held.size });
      socket.destroy();
    } else {
      new Arrival(socket, peer, shared);
    }
  }

  let closed: Promise<void> | undefined;
  function refuseNew(): Promise<void> {
    return closed ??= new Promise<void>((resolve) => server.close(() => resolve()));
  }

  function sweep() {
    deadlines.sweep(clock.now());
    tally.sweep();
    if (closed !== undefined) return;
    if (!areHandlesLeft()) {
      tally.note("warn", "port.noFileHandles", {
        held: held.size,
        note: "no connection can be accepted: raise LimitNOFILE (ulimit -n) or lower maxConn",
      });
    }
    wakeListener(server, options.backlog);
  }

  async function every(ms: number, work: () => unknown): Promise<void> {
    while (!end.signal.aborted) {
      await clock.sleep(ms, end.signal).catch(() => {});
      if (end.signal.aborted) return;
      try {
        await work();
      } catch (error) {
        log.error("port.sweepFailed", { error });
      }
    }
  }

  async function close() {
    shared.closing = true;
    const closed = refuseNew();
    for (const arrival of held) arrival.shutDown();
    const grace = new AbortController();
    const late = clock.sleep(times.closeMs, grace.signal).catch(() => {});
    await Promise.race([closed, late]);
    grace.abort(new Error("closed"));
    for (const arrival of held) arrival.destroy();
    await closed;
    end.abort(new Error("closed"));
    await Promise.all(loops);
    tally.sweep();
  }

  let closing: Promise<void> | undefined;
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return held.size;
    },
    reloadCertificates: () => certificates?.reload() ?? Promise.resolve(false),
    refuseNew: () => void refuseNew(),
    close: () => closing ??= close(),
  };
}

async function listen(server: Server, options: PortOptions): Promise<void> {
  const { hostname: host, port, reusePort, backlog } = options;
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port, reusePort, backlog }, () => {
        server.off("error", reject);
        resolve();
      });
    });
  } catch (cause) {
    const code = (cause as { code?: string }).code;
    const mend = code === "EADDRINUSE"
      ? "another program listens there: stop it or choose another port"
      : code === "EACCES"
      ? "ports below 1024 need CAP_NET_BIND_SERVICE: choose a higher one"
      : "check that the address is one of this machine";
    throw new PoolError(`Cannot listen on ${host}:${port}: ${mend}`, { cause });
  }
}
