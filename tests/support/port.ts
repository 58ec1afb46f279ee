/** An open port with a clock that tests move, its log, and clients that send and read raw bytes. */
import { createLogger, FakeClock, type LogRecord } from "../../modules/base/mod.ts";
import {
  openPort,
  type Port,
  type PortDeps,
  type PortOptions,
  type Wire,
} from "../../modules/stratum/net/mod.ts";

/** A port under test. */
export interface TestPort extends Port {
  clock: FakeClock;
  logs: LogRecord[];
  /** Wires handed over, oldest first. */
  wires: Wire[];
  /** Addresses that were asked about, and that were given back. */
  admitted: string[];
  released: string[];
  connect(): Promise<RawClient>;
  /** The log's first line of an event, waited for. */
  logged(event: string): Promise<LogRecord>;
}

/** Opens a port, runs the test, and closes port and wires. */
export async function withPort(
  test: (port: TestPort) => Promise<void>,
  options: Partial<PortOptions> = {},
  deps: Partial<PortDeps> = {},
): Promise<void> {
  const clock = new FakeClock();
  const logs: LogRecord[] = [];
  const wires: Wire[] = [];
  const admitted: string[] = [];
  const released: string[] = [];
  const clients: RawClient[] = [];
  const opened = await openPort({
    ...{ hostname: "127.0.0.1", port: 0, reusePort: false, proxyProtocol: false },
    ...{ trustedProxies: [], maxConn: 10_000, backlog: 4_096 },
    ...options,
  }, {
    log: createLogger((record) => logs.push(record), "stratum", "debug"),
    clock,
    onWire: (wire) => wires.push(wire),
    admit: (ip) => {
      admitted.push(ip);
      return true;
    },
    release: (ip) => released.push(ip),
    ...deps,
  });
  const port: TestPort = {
    ...{ clock, logs, wires, admitted, released },
    port: opened.port,
    get connections() {
      return opened.connections;
    },
    reloadCertificates: () => opened.reloadCertificates(),
    refuseNew: () => opened.refuseNew(),
    close: () => opened.close(),
    async connect() {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port: opened.port });
      const client = new RawClient(conn);
      clients.push(client);
      return client;
    },
    async logged(event) {
      await until(() => logs.some((record) => record.event === event), `log line ${event}`);
      return logs.find((record) => record.event === event)!;
    },
  };
  try {
    await test(port);
  } finally {
    for (const wire of wires) wire.close();
    for (const client of clients) client.close();
    await within(opened.close(), "the port's end");
  }
}

/** A client that sends and reads bytes as they are. */
export class RawClient {
  #isClosed = false;
  constructor(readonly conn: Deno.Conn) {}

  async send(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    for (let at = 0; at < bytes.length;) at += await this.conn.write(bytes.subarray(at));
  }

  /**
   * The next bytes, at most `max`; null when the port has closed the connection, or reset it.
   *
   * @throws when there is neither within ten seconds
   */
  async read(max = 65_536): Promise<Uint8Array | null> {
    const buffer = new Uint8Array(max);
    const size = await within(this.conn.read(buffer).catch(() => null), "bytes or their end");
    return size === null ? null : buffer.subarray(0, size);
  }

  /** Everything until the port closes the connection, as text. */
  async rest(): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    for (let bytes = await this.read(); bytes !== null; bytes = await this.read()) {
      text += decoder.decode(bytes, { stream: true });
    }
    return text;
  }

  close(): void {
    if (!this.#isClosed) this.conn.close();
    this.#isClosed = true;
  }
}

/** Waits for a promise. @throws after ten seconds, saying what was waited for */
async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited in vain for ${what}`)), 10_000);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for a condition. @throws after ten seconds, saying what was waited for */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const lastMs = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > lastMs) throw new Error(`Waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** The next line of a wire, or null at its end; what was read of the next one stays in `rest`. */
export async function readLine(wire: Wire, rest = { text: "" }): Promise<string | null> {
  const decoder = new TextDecoder();
  while (!rest.text.includes("\n")) {
    const bytes = await within(wire.read(), "a line");
    if (bytes === null) return null;
    rest.text += decoder.decode(bytes);
  }
  const end = rest.text.indexOf("\n");
  const line = rest.text.slice(0, end);
  rest.text = rest.text.slice(end + 1);
  return line;
}
