/**
 * One connection from its acceptance until it is known what it speaks and for whom.
 *
 * PROXY header (from listed proxies) → address admitted → first bytes → TLS handshake, HTTP or
 * stratum. Each step has a deadline; nothing that fails here is an offence of the address.
 */
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { CertificateStore } from "./certificates.ts";
import type { Timed } from "./deadlines.ts";
import { httpAnswer, PLAIN_ANSWER, tellApart, TLS_ANSWER } from "./first_bytes.ts";
import type { PortDeps, PortOptions, PortTimes } from "./options.ts";
import { handBack, own, type SocketOwner } from "./owned_socket.ts";
import { readProxyHeader } from "./proxy_header.ts";
import { SocketWire, type WireShared } from "./socket_wire.ts";
import type { Tally } from "./tally.ts";

/** What all connections of a port share. */
export interface PortShared extends WireShared {
  readonly options: PortOptions;
  readonly times: PortTimes;
  readonly deps: PortDeps;
  readonly tally: Tally;
  readonly certificates: CertificateStore | undefined;
  /** Connections held now; each takes itself out when it is closed. */
  readonly held: Set<Arrival>;
  isProxy(address: string): boolean;
}

const NOTHING = new Uint8Array(0);

/** A connection, in whatever state. */
export class Arrival implements SocketOwner, Timed {
  dueMs = 0;
  readonly #shared: PortShared;
  readonly #peer: string;
  readonly #raw: Socket;
  #address: string;
  #admitted = false;
  #stage: "header" | "speech" | "handshake" | "done" = "speech";
  /** The socket that is read from: the raw one, or TLS over it. */
  #socket: Socket;
  #bytes: Uint8Array = NOTHING;
  #wire: SocketWire | undefined;

  /** Takes a socket that was just accepted; it may be refused, and closed, at once. */
  constructor(socket: Socket, peer: string, shared: PortShared) {
    this.#raw = this.#socket = socket;
    this.#peer = this.#address = peer;
    this.#shared = shared;
    shared.held.add(this);
    own(socket, this);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, shared.times.keepAliveMs);
    const isProxied = shared.options.proxyProtocol && shared.isProxy(peer);
    if (isProxied) this.#enter("header", shared.times.headerMs);
    else if (this.#admit()) this.#enter("speech", shared.times.silenceMs);
  }

  /** The port closes: what is no session is dropped, a session's end is its own. */
  shutDown(): void {
    if (this.#wire === undefined) this.#drop();
    else this.#wire.stopLingering();
  }

  /** Ends it at once. */
  destroy(): void {
    if (this.#wire === undefined) this.#drop();
    else this.#wire.close();
  }

  onData(bytes: Uint8Array): void {
    if (this.#stage === "done") return;
    this.#bytes = this.#bytes.length === 0 ? bytes : concat(this.#bytes, bytes);
    if (this.#stage === "header") this.#readHeader();
    if (this.#stage === "speech") this.#readSpeech();
  }

  onEnd(): void {
    if (this.#stage === "done") return;
    if (this.#stage === "header" && this.#bytes.length > 0) this.#refuseHeader("it is cut off");
    this.#drop();
  }

  onDue(): void {
    const { log } = this.#shared.deps;
    if (this.#stage === "header") this.#refuseHeader("it did not come in time");
    else log.debug("port.silent", { ip: this.#address, stage: this.#stage });
    this.#drop();
  }

  onClosed(): void {
    const { deps, deadlines, held } = this.#shared;
    if (!held.delete(this)) return;
    this.#stage = "done";
    deadlines.clear(this);
    if (this.#socket !== this.#raw) {
      this.#socket.destroy();
      this.#raw.destroy();
    }
    if (this.#admitted) deps.release(this.#address);
  }

  /** The wire's socket is closed. */
  onWireClosed(): void {
    this.onClosed();
  }

  #enter(stage: "header" | "speech" | "handshake", withinMs: number): void {
    const { clock, deadlines } = this.#shared;
    this.#stage = stage;
    deadlines.set(this, clock.now() + withinMs);
  }

  #drop(): void {
    this.#stage = "done";
    this.#shared.deadlines.clear(this);
    this.#bytes = NOTHING;
    this.#socket.destroy();
    this.#raw.destroy();
  }

  /** Asks the policy, once; a refused connection is closed. */
  #admit(): boolean {
    if (this.#admitted) return true;
    const { deps, tally } = this.#shared;
    this.#admitted = deps.admit(this.#address);
    if (!this.#admitted) {
      tally.note("info", "port.notAdmitted", { ip: this.#address });
      this.#drop();
    }
    return this.#admitted;
  }

  #readHeader(): void {
    const { times, isProxy } = this.#shared;
    const header = readProxyHeader(this.#bytes);
    if (header.kind === "partial") return;
    if (header.kind !== "header") {
      this.#refuseHeader(header.kind === "broken" ? header.reason : "there is none");
      return this.#drop();
    }
    this.#bytes = this.#bytes.subarray(header.length);
    this.#address = header.source ?? this.#peer;
    // A proxy's own connections are health checks: they count once they ask for something.
    if (isProxy(this.#address) || this.#admit()) this.#enter("speech", times.silenceMs);
  }

  #refuseHeader(reason: string): void {
    this.#shared.tally.note("warn", "port.proxyHeaderRefused", {
      ...{ proxy: this.#peer, reason },
      note: "listed in trustedProxies: it must send a PROXY header first (send-proxy)",
    });
  }

  #readSpeech(): void {
    const speech = tellApart(this.#bytes);
    if (speech === "more" || !this.#admit()) return;
    const { options, certificates, times } = this.#shared;
    const isSecure = this.#socket !== this.#raw;
    if (speech === "proxy") return this.#refuseStranger();
    if (speech === "tls" && !isSecure) {
      if (certificates === undefined) return this.#answer(TLS_ANSWER, "port.tlsRefused");
      this.#enter("handshake", times.handshakeMs);
      return this.#shake(certificates);
    }
    if (options.tls?.only && !isSecure) {
      const answer = speech === "http" ? httpAnswer(options.getworkPort) : PLAIN_ANSWER;
      return this.#answer(answer, "port.plainRefused");
    }
    if (speech === "http") return this.#serveHttp();
    this.#hand((wire) => this.#shared.deps.onWire(wire));
  }

  /** Somebody who is no listed proxy claims another address. */
  #refuseStranger(): void {
    const { options, tally } = this.#shared;
    tally.note("warn", "port.proxyHeaderRefused", {
      ...{ ip: this.#address, reason: "it is from no listed proxy" },
      note: options.proxyProtocol
        ? "if it is a proxy of yours, list it in trustedProxies"
        : "if it is a proxy of yours, set proxyProtocol and list it in trustedProxies",
    });
    this.#drop();
  }

  #shake(certificates: CertificateStore): void {
    const bytes = this.#bytes;
    this.#bytes = NOTHING;
    handBack(this.#raw, bytes);
    const secure = new TLSSocket(this.#raw, {
      isServer: true,
      secureContext: certificates.context,
    });
    this.#socket = secure;
    secure.once("error", (error) => {
      if (this.#stage !== "handshake") return;
      this.#shared.deps.log.debug("port.handshakeFailed", { ip: this.#address, error });
    });
    secure.once("secure", () => {
      this.#enter("speech", this.#shared.times.silenceMs);
      this.#readSpeech();
    });
    own(secure, this);
  }

  #serveHttp(): void {
    const { deps, options } = this.#shared;
    if (deps.onHttp === undefined) {
      return this.#answer(httpAnswer(options.getworkPort), "port.httpRefused");
    }
    const first = this.#bytes;
    this.#bytes = NOTHING;
    this.#hand((wire) => deps.onHttp!(first, wire));
  }

  /** Says why this is the wrong door, and closes it. */
  #answer(bytes: Uint8Array, event: string): void {
    this.#shared.tally.note("info", event, { ip: this.#address, port: this.#shared.options.port });
    this.#bytes = NOTHING;
    this.#hand((wire) => {
      wire.send(bytes);
      wire.close({ flush: true });
    });
  }

  #hand(take: (wire: SocketWire) => void): void {
    const { deadlines, deps } = this.#shared;
    const first = this.#bytes;
    this.#stage = "done";
    this.#bytes = NOTHING;
    deadlines.clear(this);
    const isSecure = this.#socket !== this.#raw;
    const wire = new SocketWire(this.#socket, this.#shared, this.#address, isSecure, first, this);
    this.#wire = wire;
    try {
      take(wire);
    } catch (error) {
      deps.log.error("port.handlerFailed", { ip: this.#address, error });
      wire.close();
    }
  }
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
