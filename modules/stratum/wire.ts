/**
 * The wire's interface, and a wire over `Deno.listen`.
 *
 * One writer per connection with a byte cap and a stall timer: `Deno.Conn.write` may write a part,
 * has no limit of its own and never times out, so a stuck peer would eat memory.
 */
import { QUEUED_BYTES_MAX, STALL_MS_MAX, type Wire } from "./net/mod.ts";

export { QUEUED_BYTES_MAX, STALL_MS_MAX, type Wire } from "./net/mod.ts";

const READ_BYTES = 2_048;

/** A wire over `Deno.listen`. */
export class DenoWire implements Wire {
  readonly remoteAddress: string;
  readonly secure = false;
  readonly #conn: Deno.TcpConn;
  readonly #buffer = new Uint8Array(READ_BYTES);
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #writing = false;
  #closed = false;
  #closing = false;

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    this.remoteAddress = conn.remoteAddr.hostname;
    conn.setNoDelay(true);
    conn.setKeepAlive(true);
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  async read(): Promise<Uint8Array | null> {
    try {
      const size = await this.#conn.read(this.#buffer);
      return size === null ? null : this.#buffer.subarray(0, size);
    } catch {
      return null;
    }
  }

  send(bytes: Uint8Array): void {
    if (this.#closed || this.#closing) return;
    if (this.#queuedBytes + bytes.length > QUEUED_BYTES_MAX) return this.close();
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    if (!this.#writing) void this.#write();
  }

  /** Like `send`: this engine keeps every push. */
  sendLatest(bytes: Uint8Array): void {
    this.send(bytes);
  }

  close(options?: { flush: boolean }): void {
    if (options?.flush && this.#writing) {
      this.#closing = true;
      return;
    }
    if (this.#closed) return;
    this.#closed = true;
    this.#queue = [];
    this.#conn.close();
  }

  async #write(): Promise<void> {
    this.#writing = true;
    const stall = setTimeout(() => this.close(), STALL_MS_MAX);
    try {
      while (this.#queue.length > 0 && !this.#closed) {
        const bytes = joined(this.#queue);
        this.#queue = [];
        for (let offset = 0; offset < bytes.length && !this.#closed;) {
          const written = await this.#conn.write(bytes.subarray(offset));
          offset += written;
          this.#queuedBytes -= written;
        }
      }
    } catch {
      this.close();
    } finally {
      clearTimeout(stall);
      this.#writing = false;
      if (this.#closing) this.close();
    }
  }
}

function joined(chunks: Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.length;
  }
  return all;
}
