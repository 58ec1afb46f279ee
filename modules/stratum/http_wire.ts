/**
 * HTTP/1.1 requests over a wire: getwork for miners that knock at a stratum port.
 *
 * Only what miners send: a head, and a body of a known length. Heads, bodies and silence are
 * bounded; everything else is answered by its status and the connection ends.
 */
import type { Clock } from "../base/mod.ts";
import type { Wire } from "./net/mod.ts";

/** How requests over a wire are served. */
export interface HttpWireOptions {
  /** Bytes of a request line with its headers. */
  headBytesMax: number;
  /** Bytes of a body that the handler gets to see; longer ones are cut one byte later. */
  bodyBytesMax: number;
  /** Silence after which the connection ends (milliseconds). */
  idleMs: number;
}

/** What they are served with. */
export interface HttpWireDeps {
  clock: Clock;
  /** Answers a request; `peer` is the wire's address. */
  handler(request: Request, peer: string): Promise<Response>;
}

interface Head {
  method: string;
  path: string;
  headers: Headers;
  bodyBytes: number;
  keepAlive: boolean;
}

const encoder = new TextEncoder();

/** Serves requests until the peer or a mistake ends it. `first` has been read already. */
export async function serveHttpWire(
  first: Uint8Array,
  wire: Wire,
  options: HttpWireOptions,
  deps: HttpWireDeps,
): Promise<void> {
  const reader = new Reader(first, wire, options.idleMs, deps.clock);
  try {
    while (true) {
      const text = await reader.until("\r\n\r\n", options.headBytesMax);
      if (text === undefined) break;
      if (text === "") {
        send(wire, "431 Request Header Fields Too Large");
        break;
      }
      const head = readHead(text);
      if (typeof head === "string") {
        send(wire, head);
        break;
      }
      if (head.headers.get("expect") === "100-continue") {
        wire.send(encoder.encode("HTTP/1.1 100 Continue\r\n\r\n"));
      }
      const kept = Math.min(head.bodyBytes, options.bodyBytesMax + 1);
      const body = await reader.bytes(kept);
      if (body === undefined) break;
      const response = await deps.handler(requestOf(head, body), wire.remoteAddress);
      const goesOn = head.keepAlive && kept === head.bodyBytes;
      await sendResponse(wire, response, goesOn);
      if (!goesOn) break;
    }
  } finally {
    wire.close({ flush: true });
  }
}

/** Bytes of a wire, taken in the portions that HTTP has. */
class Reader {
  #held: Uint8Array;

  constructor(
    first: Uint8Array,
    readonly wire: Wire,
    readonly idleMs: number,
    readonly clock: Clock,
  ) {
    this.#held = first.slice();
  }

  /** Text up to and with an end; "" when it is longer than allowed, undefined at the wire's end. */
  async until(end: string, mostBytes: number): Promise<string | undefined> {
    while (true) {
      const text = String.fromCharCode(...this.#held.subarray(0, mostBytes + end.length));
      const at = text.indexOf(end);
      if (at !== -1) {
        this.#held = this.#held.slice(at + end.length);
        return text.slice(0, at) + end;
      }
      if (this.#held.length > mostBytes) return "";
      if (!await this.#more()) return undefined;
    }
  }

  /** So many bytes; undefined when the wire ends before. */
  async bytes(count: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    while (this.#held.length < count) {
      if (!await this.#more()) return undefined;
    }
    const taken = this.#held.slice(0, count);
    this.#held = this.#held.slice(count);
    return taken;
  }

  async #more(): Promise<boolean> {
    const end = new AbortController();
    const late = this.clock.sleep(this.idleMs, end.signal).then(() => null, () => null);
    const chunk = await Promise.race([this.wire.read(), late]);
    end.abort(new Error("read"));
    if (chunk === null) return false;
    const all = new Uint8Array(this.#held.length + chunk.length);
    all.set(this.#held);
    all.set(chunk, this.#held.length);
    this.#held = all;
    return true;
  }
}

/** The head of a request, or the status line that refuses it. */
function readHead(text: string): Head | string {
  const [line = "", ...fields] = text.trimEnd().split("\r\n");
  const [, method, path, minor] = /^([A-Z]{3,10}) (\/\S*) HTTP\/1\.([01])$/.exec(line) ?? [];
  if (method === undefined || path === undefined) return "400 Bad Request";
  const headers = new Headers();
  try {
    for (const field of fields) {
      const colon = field.indexOf(":");
      if (colon < 1) return "400 Bad Request";
      headers.append(field.slice(0, colon), field.slice(colon + 1).trim());
    }
  } catch {
    return "400 Bad Request";
  }
  if (headers.has("transfer-encoding")) return "411 Length Required";
  const length = headers.get("content-length") ?? "0";
  if (!/^\d{1,10}$/.test(length)) return "400 Bad Request";
  const connection = headers.get("connection")?.toLowerCase() ?? "";
  const keepAlive = minor === "1" ? connection !== "close" : connection === "keep-alive";
  return { method, path, headers, bodyBytes: Number(length), keepAlive };
}

function requestOf(head: Head, body: Uint8Array<ArrayBuffer>): Request {
  const { method, path, headers } = head;
  const hasBody = method !== "GET" && method !== "HEAD" && body.length > 0;
  return new Request(`http://pool${path}`, { method, headers, ...(hasBody ? { body } : {}) });
}

function send(wire: Wire, status: string): void {
  wire.send(encoder.encode(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`));
}

async function sendResponse(wire: Wire, response: Response, goesOn: boolean): Promise<void> {
  const body = await response.bytes();
  const lines = [`HTTP/1.1 ${response.status} ${response.statusText}`.trimEnd()];
  for (const [name, value] of response.headers) lines.push(`${name}: ${value}`);
  lines.push(`content-length: ${body.length}`, `connection: ${goesOn ? "keep-alive" : "close"}`);
  wire.send(encoder.encode(lines.join("\r\n") + "\r\n\r\n"));
  if (body.length > 0) wire.send(body);
}
