/**
 * A socket behind four methods: read, send, close and the peer's address.
 *
 * One writer per connection with a byte cap and a stall timer: `Deno.Conn.write` may write a part,
 * has no limit of its own and never times out, so a stuck peer would eat memory.
 */

/** What a session needs of a socket, whatever engine it is on. */
export interface Wire {
  /** The peer's IP address. */
  readonly remoteAddress: string;
  /** The next bytes; null when the peer has gone or the wire was closed. Valid until the next read. */
  read(): Promise<Uint8Array | null>;
  /** Queues bytes; over the cap the wire is closed. */
  send(bytes: Uint8Array): void;
  /** Closes at once, or after what is queued was written. */
  close(options?: { flush: boolean }): void;
}

/** Bytes that may wait for a slow peer (a job line is about 250). */
export const QUEUED_BYTES_MAX = 64 * 1024;
/** A peer that takes nothing for this long is dropped (milliseconds). */
export const STALL_MS_MAX = 20_000;
const READ_BYTES = 2_048;

/** A wire over `Deno.listen`. */
export class DenoWire implements Wire {
  readonly remoteAddress: string;
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
