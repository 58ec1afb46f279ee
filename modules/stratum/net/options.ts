/** What a port is opened with: settings, deadlines, and what it calls. */
import type { Clock, Logger } from "../../base/mod.ts";
import type { CertificateFiles } from "./certificates.ts";
import { STALL_MS_MAX, type Wire } from "./wire.ts";

/** Settings of a port. */
export interface PortOptions {
  hostname: string;
  /** 0: the system chooses. */
  port: number;
  /** Whether other Deno workers or processes listen on the same port (SO_REUSEPORT). */
  reusePort: boolean;
  /** Certificate and key (PEM files); connections that begin with a TLS handshake get TLS. */
  tls?: CertificateFiles & {
    /** Whether plain connections are turned away. */
    only: boolean;
  };
  /** Whether the `trustedProxies` must, and alone may, begin with a PROXY header. */
  proxyProtocol: boolean;
  /** Addresses or CIDR ranges of our proxies. */
  trustedProxies: readonly string[];
  /** Connections held at once; further ones are closed at once. */
  maxConn: number;
  /** Connections that the system holds until they are accepted (it may take fewer: somaxconn). */
  backlog: number;
  /** The port for HTTP getwork, named to miners that speak HTTP here. */
  getworkPort?: number;
  /** Deadlines that differ from `PORT_TIMES`. */
  times?: Partial<PortTimes>;
}

/** Deadlines (milliseconds); each is kept to within one second. */
export interface PortTimes {
  /** For the PROXY header to be complete. */
  headerMs: number;
  /** For the TLS handshake to be over. */
  handshakeMs: number;
  /** For the first bytes that say what a connection speaks. */
  silenceMs: number;
  /** For a peer to take what waits for it. */
  stallMs: number;
  /** Silence after which the system asks whether the peer still exists. */
  keepAliveMs: number;
  /** Between two looks at the certificate's files. */
  certificatePollMs: number;
  /** For the owners of wires to close them, and for queued bytes to leave, when the port closes. */
  closeMs: number;
}

/** The usual deadlines. */
export const PORT_TIMES: PortTimes = {
  headerMs: 10_000,
  handshakeMs: 10_000,
  silenceMs: 30_000,
  stallMs: STALL_MS_MAX,
  keepAliveMs: 60_000,
  certificatePollMs: 10_000,
  closeMs: 10_000,
};

/** What a port needs and calls. */
export interface PortDeps {
  log: Logger;
  clock: Clock;
  /** Takes over a connection that speaks stratum; its first bytes are the first to be read. */
  onWire(wire: Wire): void;
  /**
   * Takes over a connection that speaks HTTP: `first` has been read already, the rest is read from
   * the wire. Without it such connections get status 400 and the number of the getwork port.
   */
  onHttp?(first: Uint8Array, wire: Wire): void;
  /** Whether an address may connect; counts it. Asked once for each connection. */
  admit(ip: string): boolean;
  /** An admitted connection is closed. */
  release(ip: string): void;
}

/** An open port. */
export interface Port {
  /** The port in use, which the system chose when 0 was asked for. */
  readonly port: number;
  /** Connections held now, those included that are still told apart. */
  readonly connections: number;
  /**
   * Reads certificate and key again now; connections that run go on. Gives false, with a log line,
   * when the files do not work (the pair read before stays in use) or the port has none.
   */
  reloadCertificates(): Promise<boolean>;
  /** Stops listening; connections that are there stay. */
  refuseNew(): void;
  /**
   * Stops listening, drops what is still told apart, and waits until every wire was closed by its
   * owner; after `closeMs` it closes them itself.
   */
  close(): Promise<void>;
}
