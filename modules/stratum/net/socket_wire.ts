/**
 * A wire over node:net or node:tls: writes straight to the system while the peer keeps up.
 *
 * Only when the system takes no more does a wire queue, and only then has it a deadline, in the sweep
 * that all wires share. A slow peer gets its answers in order and of all pushes the newest.
 */
import type { Socket } from "node:net";
import { assert, type Clock } from "../../base/mod.ts";
import type { Deadlines, Timed } from "./deadlines.ts";
import { own, type SocketOwner } from "./owned_socket.ts";
import { QUEUED_BYTES_MAX, type Wire } from "./wire.ts";

/** What all wires of a port share. */
export interface WireShared {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** How long a peer may take nothing (milliseconds). */
  readonly stallMs: number;
  /** The port closes: a peer's farewell is not waited for. */
  closing: boolean;
  /** Told when a peer is dropped because it does not read. */
  onDropped(remoteAddress: string, reason: "overflow" | "stall"): void;
}

/** Bytes read and not asked for, above which the socket is paused. */
const UNREAD_BYTES_MAX = 16 * 1024;
/**
 * How long after our last byte the peer may go on sending (milliseconds). A socket closed over
 * unread bytes is reset, and the reset would take our last answer with it.
 */
const LINGER_MS = 2_000;
const NOTHING = new Uint8Array(0);

/** One connection that has been told apart. */
export class SocketWire implements Wire, SocketOwner, Timed {
  dueMs = 0;
  readonly #socket: Socket;
  readonly #shared: WireShared;
  #state: "open" | "ending" | "lingering" | "closed" = "open";
  #unread: Uint8Array[] = [];
  #unreadBytes = 0;
  #paused = false;
  #peerEnded = false;
  #reader: ((bytes: Uint8Array | null) => void) | undefined;
  /** Whether a write is with the socket that the system has not taken. */
  #busy = false;
  #queue: Uint8Array[] = [];
  #queueBytes = 0;
  #waitingPush: Uint8Array | undefined;
  #onTaken: (() => void) | undefined;

  /**
   * @param first bytes that were read while the connection was told apart
   * @param onClosed called when the socket is closed
   */
  constructor(
    socket: Socket,
    shared: WireShared,
    readonly remoteAddress: string,
    readonly secure: boolean,
    first: Uint8Array,
    readonly host: { onWireClosed(): void },
  ) {
    this.#socket = socket;
    this.#shared = shared;
    if (first.length > 0) this.onData(first);
    own(socket, this);
  }

  get queuedBytes(): number {
    return this.#busy ? this.#queueBytes + this.#socket.writableLength : 0;
  }

  read(): Promise<Uint8Array | null> {
    const bytes = this.#unread.shift();
    if (bytes !== undefined) {
      this.#unreadBytes -= bytes.length;
      if (this.#paused && this.#unread.length === 0) {
        this.#paused = false;
        this.#socket.resume();
      }
      return Promise.resolve(bytes);
    }
    if (this.#peerEnded || this.#state !== "open") return Promise.resolve(null);
    assert(this.#reader === undefined, "A wire has one reader");
    return new Promise((resolve) => this.#reader = resolve);
  }

  send(bytes: Uint8Array): void {
    if (this.#state !== "open") return;
    if (this.#busy) this.#enqueue(bytes);
    else this.#write(bytes);
  }

  sendLatest(bytes: Uint8Array): void {
    if (this.#state !== "open") return;
    if (!this.#busy) return this.#write(bytes);
    if (this.#waitingPush !== undefined) {
      this.#queue.splice(this.#queue.lastIndexOf(this.#waitingPush), 1);
      this.#queueBytes -= this.#waitingPush.length;
    }
    // Its place is the end: answers that were given before it stay before it.
    this.#waitingPush = bytes;
    this.#enqueue(bytes);
  }

  close(options?: { flush: boolean }): void {
    if (!options?.flush) return this.#destroy();
    if (this.#state !== "open") return;
    this.#state = "ending";
    this.#forgetUnread();
    if (!this.#busy) this.#end();
  }

  /** Does not wait for the peer's farewell any longer, if that is all that is waited for. */
  stopLingering(): void {
    if (this.#state === "lingering") this.#socket.destroySoon();
  }

  onData(bytes: Uint8Array): void {
    if (this.#state !== "open") return;
    if (this.#reader !== undefined) return this.#giveReader(bytes);
    this.#unread.push(bytes);
    this.#unreadBytes += bytes.length;
    if (this.#unreadBytes < UNREAD_BYTES_MAX || this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
  }

  onEnd(): void {
    this.#peerEnded = true;
    if (this.#state === "lingering") this.#destroy();
    else this.#giveReader(null);
  }

  onClosed(): void {
    this.#destroy();
    this.host.onWireClosed();
  }

  onDue(): void {
    if (this.#state !== "lingering") this.#shared.onDropped(this.remoteAddress, "stall");
    this.#destroy();
  }

  #enqueue(bytes: Uint8Array): void {
    if (this.queuedBytes + bytes.length > QUEUED_BYTES_MAX) {
      this.#shared.onDropped(this.remoteAddress, "overflow");
      return this.#destroy();
    }
    this.#queue.push(bytes);
    this.#queueBytes += bytes.length;
  }

  #write(bytes: Uint8Array): void {
    const socket = this.#socket;
    if (this.secure) {
      // TLS never takes bytes at once; its callback says when the system has them.
      socket.write(bytes, this.#onTaken ??= () => this.#taken());
    } else {
      socket.write(bytes);
      if (socket.writableLength === 0) return;
      // The callback of an empty write that queues behind tells when the system took the rest.
      socket.write(NOTHING, this.#onTaken ??= () => this.#taken());
    }
    this.#busy = true;
    this.#shared.deadlines.set(this, this.#shared.clock.now() + this.#shared.stallMs);
  }

  #taken(): void {
    if (this.#state === "closed") return;
    this.#busy = false;
    this.#shared.deadlines.clear(this);
    if (this.#queue.length > 0) {
      const bytes = joined(this.#queue, this.#queueBytes);
      this.#queue = [];
      this.#queueBytes = 0;
      this.#waitingPush = undefined;
      this.#write(bytes);
    }
    if (this.#state === "ending" && !this.#busy) this.#end();
  }

  /** Sends the end, and waits a little for the peer's. */
  #end(): void {
    this.#state = "lingering";
    const { clock, deadlines, closing } = this.#shared;
    deadlines.set(this, clock.now() + LINGER_MS);
    if (closing || this.#peerEnded) return void this.#socket.destroySoon();
    this.#socket.end();
    if (this.#paused) this.#socket.resume();
  }

  #destroy(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#shared.deadlines.clear(this);
    this.#queue = [];
    this.#queueBytes = 0;
    this.#forgetUnread();
    this.#socket.destroy();
  }

  #forgetUnread(): void {
    this.#unread = [];
    this.#unreadBytes = 0;
    this.#giveReader(null);
  }

  #giveReader(bytes: Uint8Array | null): void {
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.(bytes);
  }
}

function joined(chunks: Uint8Array[], length: number): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  const all = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.length;
  }
  return all;
}
