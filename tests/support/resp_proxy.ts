/** A proxy in front of Redis that knows each command, so that a fuse can cut at any of them. */
import { checkedScript } from "../../modules/ledger/checked_script.ts";
import { moneyScript } from "../../modules/ledger/leases.ts";
import type { Fuse } from "./kill_fuse.ts";

/** A listening proxy. */
export interface RespProxy {
  /** "host:port", as the configuration takes it. */
  readonly endpoint: string;
  close(): Promise<void>;
}

/** What a client says before its first command, and what opens a transaction: no effects. */
const SILENT = new Set([
  ...["HELLO", "CLIENT", "SELECT", "AUTH", "PING", "MULTI", "QUIT", "INFO"],
]);

const SCRIPTS = new URL("../../modules/ledger/scripts/", import.meta.url);

/** Listens on loopback; one command of a connection is answered before the next one goes on. */
export async function startRespProxy(socket: string, fuse: Fuse): Promise<RespProxy> {
  const names = await scriptNames();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  const serving = new Set<Promise<void>>();
  async function serve(client: Deno.Conn): Promise<void> {
    let server: Deno.Conn | undefined;
    try {
      server = await Deno.connect({ transport: "unix", path: socket });
      open.add(server);
      await pass(client, server, fuse, names);
    } catch {
      /* cut, or either side is gone: so is the other */
    } finally {
      for (const conn of [client, server]) {
        if (conn === undefined || !open.delete(conn)) continue;
        conn.close();
      }
    }
  }
  const accepting = (async () => {
    for await (const client of listener) {
      open.add(client);
      const done: Promise<void> = serve(client).finally(() => serving.delete(done));
      serving.add(done);
    }
  })();
  return {
    endpoint: `127.0.0.1:${(listener.addr as Deno.NetAddr).port}`,
    async close() {
      listener.close();
      for (const conn of open) if (open.delete(conn)) conn.close();
      await Promise.all([accepting, ...serving]);
    },
  };
}

async function pass(
  client: Deno.Conn,
  server: Deno.Conn,
  fuse: Fuse,
  names: ReadonlyMap<string, string>,
): Promise<void> {
  const asked = new Bytes(client), answered = new Bytes(server);
  let inTransaction = false;
  for (;;) {
    const command = await readCommand(asked);
    const word = command.parts[0]!.toUpperCase();
    const run = async () => {
      await writeAll(server, command.raw);
      const reply: Uint8Array[] = [];
      await readReply(answered, reply);
      return reply;
    };
    // Commands of a transaction are queued only; EXEC is the effect.
    const silent = SILENT.has(word) || (inTransaction && word !== "EXEC");
    if (word === "MULTI") inTransaction = true;
    if (word === "EXEC") inTransaction = false;
    const reply = silent ? await run() : await fuse.around(nameOf(command.parts, names), run);
    await writeAll(client, reply);
  }
}

/** "EVALSHA reserve_payment", "HSET status", "GET". */
function nameOf(parts: string[], names: ReadonlyMap<string, string>): string {
  const [word = "", first = ""] = parts;
  const upper = word.toUpperCase();
  if (upper === "EVALSHA") return `EVALSHA ${names.get(first) ?? first}`;
  if (upper === "EVAL") return `EVAL ${names.get(first) ?? ""}`;
  return upper;
}

/** Every script of the ledger by its SHA-1 and by its text, as rooms put them together. */
async function scriptNames(): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  for await (const { name: file } of Deno.readDir(SCRIPTS)) {
    const source = await Deno.readTextFile(new URL(file, SCRIPTS));
    const name = file.replace(/\.lua$/, "");
    const whole = [source, checkedScript(name, source).source, moneyScript(name, source).source];
    for (const text of whole) {
      const digest = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(text));
      names.set(new Uint8Array(digest).toHex(), name).set(text, name);
    }
  }
  return names;
}

async function readCommand(from: Bytes): Promise<{ parts: string[]; raw: Uint8Array[] }> {
  const head = await from.line();
  const raw = [head], parts: string[] = [];
  for (let left = numberOf(head, "*"); left > 0; left--) {
    const size = await from.line();
    const body = await from.take(numberOf(size, "$") + 2);
    raw.push(size, body);
    parts.push(new TextDecoder().decode(body.subarray(0, -2)));
  }
  return { parts, raw };
}

/** One reply of RESP2, whatever it holds. */
async function readReply(from: Bytes, raw: Uint8Array[]): Promise<void> {
  for (let left = 1; left > 0; left--) {
    const line = await from.line();
    raw.push(line);
    const kind = String.fromCharCode(line[0]!);
    if (kind === "$" && numberOf(line, "$") >= 0) {
      raw.push(await from.take(numberOf(line, "$") + 2));
    }
    if (kind === "*") left += Math.max(0, numberOf(line, "*"));
  }
}

function numberOf(line: Uint8Array, kind: string): number {
  const text = new TextDecoder().decode(line);
  const number = Number(text.slice(1, -2));
  if (!text.startsWith(kind) || !Number.isInteger(number)) {
    throw new Error(`Cannot read RESP: expected ${kind}, got ${JSON.stringify(text)}`);
  }
  return number;
}

/** Pieces in one write: a reply of thousands of lines is one packet, not thousands. */
async function writeAll(to: Deno.Conn, pieces: Uint8Array[]): Promise<void> {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  for (let sent = 0; sent < bytes.length;) sent += await to.write(bytes.subarray(sent));
}

/** Bytes of a connection by line and by number. @throws at its end */
class Bytes {
  #held = new Uint8Array(0);
  readonly #conn: Deno.Conn;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  async line(): Promise<Uint8Array> {
    let from = 0;
    for (;;) {
      const end = this.#held.indexOf(10, from);
      if (end !== -1) return this.#cut(end + 1);
      from = this.#held.length;
      await this.#more();
    }
  }

  async take(size: number): Promise<Uint8Array> {
    while (this.#held.length < size) await this.#more();
    return this.#cut(size);
  }

  #cut(size: number): Uint8Array {
    const piece = this.#held.subarray(0, size);
    this.#held = this.#held.subarray(size);
    return piece;
  }

  async #more(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    const size = await this.#conn.read(buffer);
    if (size === null) throw new Error("The connection has ended");
    const joined = new Uint8Array(this.#held.length + size);
    joined.set(this.#held);
    joined.set(buffer.subarray(0, size), this.#held.length);
    this.#held = joined;
  }
}
