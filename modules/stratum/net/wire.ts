/** A miner's connection as a session sees it: bytes in order, a bounded queue out, whatever carries them. */

/** What a session needs of a socket, plain or TLS. */
export interface Wire {
  /** The miner's IP address; behind a proxy the one that the proxy's PROXY header names. */
  readonly remoteAddress: string;
  /** Whether the bytes travel inside TLS. */
  readonly secure: boolean;
  /** Bytes sent that the system has not taken yet; 0 while the peer keeps up. */
  readonly queuedBytes: number;
  /** The next bytes; null when the peer has gone or the wire was closed. Valid until the next read. */
  read(): Promise<Uint8Array | null>;
  /** Sends bytes after all that was sent before; over `QUEUED_BYTES_MAX` the wire is closed. */
  send(bytes: Uint8Array): void;
  /**
   * Sends a job that makes earlier ones worthless: it replaces an earlier push that still waits.
   * Whole lines only, and the same bytes object may go to any number of wires.
   */
  sendLatest(bytes: Uint8Array): void;
  /** Closes at once, or after what is queued was written. */
  close(options?: { flush: boolean }): void;
}

/** Bytes that may wait for a slow peer (a job line is about 250). */
export const QUEUED_BYTES_MAX = 64 * 1024;
/** A peer that takes nothing for this long is dropped (milliseconds). */
export const STALL_MS_MAX = 20_000;
