/** Event listeners of sockets without a closure for each: functions shared by all, and one owner. */
import type { Socket } from "node:net";

/** Who is told what happens to a socket. */
export interface SocketOwner {
  /** Bytes came. */
  onData(bytes: Uint8Array): void;
  /** The peer has sent its last byte. */
  onEnd(): void;
  /** The socket is closed, for whatever reason. Called once. */
  onClosed(): void;
}

const OWNER = Symbol("owner");
type OwnedSocket = Socket & { [OWNER]?: SocketOwner };

/** Gives a socket its (next) owner and lets its data flow. */
export function own(socket: Socket, owner: SocketOwner): void {
  const owned = socket as OwnedSocket;
  const isFirst = owned[OWNER] === undefined;
  owned[OWNER] = owner;
  if (!isFirst) return;
  // What went wrong with a socket is nothing to act on: "close" follows.
  socket.on("error", ignore).on("close", tellClosed).on("end", tellEnd).on("data", tellData);
}

/** Stops a socket's data and puts bytes back, for who reads it next (TLS); its owner stays. */
export function handBack(socket: Socket, bytes: Uint8Array): void {
  socket.off("data", tellData).off("end", tellEnd);
  socket.pause();
  if (bytes.length > 0) socket.unshift(bytes);
}

function ignore(): void {}

function tellClosed(this: Socket): void {
  (this as OwnedSocket)[OWNER]!.onClosed();
}

function tellEnd(this: Socket): void {
  (this as OwnedSocket)[OWNER]!.onEnd();
}

function tellData(this: Socket, bytes: Uint8Array): void {
  (this as OwnedSocket)[OWNER]!.onData(bytes);
}
