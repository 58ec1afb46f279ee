/** Login text to the address that is credited and the worker's name. */
import { isAddress } from "../base/mod.ts";

/** Who mines. */
export interface Login {
  /** 0x and 40 lower-case hex digits. */
  login: string;
  /** Undefined when the text names none. */
  worker?: string;
}

/** Worker of a miner that names none, as in open-ethereum-pool. */
export const DEFAULT_WORKER = "0";

const WORKER = /^[0-9a-zA-Z_.@-]{1,32}$/;

/** A usable worker name (1 to 32 letters, digits, `_ . @ -`), or undefined. */
export function readWorker(text: unknown): string | undefined {
  return typeof text === "string" && WORKER.test(text) ? text : undefined;
}

/** Reads `0xADDRESS` or `0xADDRESS.worker`; undefined when the address is no payable one. */
export function readLogin(text: unknown): Login | undefined {
  if (typeof text !== "string" || text.length > 128) return undefined;
  const dot = text.indexOf(".");
  const address = (dot === -1 ? text : text.slice(0, dot)).trim();
  if (!isAddress(address) || /^0x0{40}$/.test(address)) return undefined;
  const worker = dot === -1 ? undefined : readWorker(text.slice(dot + 1).trim());
  return { login: address.toLowerCase(), ...(worker === undefined ? {} : { worker }) };
}
