/**
 * The PROXY header, versions 1 and 2: whom a load balancer speaks for.
 *
 * Source: haproxy's doc/proxy-protocol.txt, sections 2.1 and 2.2. Valid combinations that a TCP port
 * has no use for (UDP, UNIX, UNSPEC) fall back to the socket's own address, as section 2.2 asks;
 * TLVs are skipped. Who may send a header at all is the caller's to know.
 */
import ipaddr from "ipaddr.js";
import { normalAddress } from "./addresses.ts";

/** What the first bytes of a connection are. */
export type ProxyHeader =
  /** The beginning of a header (or nothing yet): more bytes are needed. */
  | { kind: "partial" }
  /** No header, and no more bytes can make it one. */
  | { kind: "absent" }
  /** Begins as a header and is none. */
  | { kind: "broken"; reason: string }
  /** A header of `length` bytes; without a source the socket's own address holds. */
  | { kind: "header"; length: number; source: string | undefined };

/** Longest version 1 line with its CRLF (bytes; section 2.1). */
export const V1_BYTES_MAX = 107;
/** Longest version 2 header taken, TLVs included (bytes; the format allows 65,551). */
export const V2_BYTES_MAX = 4_096;

const V1_START = new TextEncoder().encode("PROXY ");
const V2_START = Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10);
const V2_FIXED_BYTES = 16;
const PARTIAL: ProxyHeader = { kind: "partial" };
const decoder = new TextDecoder("latin1");

/** Reads the header at the start of a connection, of which `bytes` has come so far. */
export function readProxyHeader(bytes: Uint8Array): ProxyHeader {
  if (startsAs(bytes, V1_START)) return bytes.length < V1_START.length ? PARTIAL : readV1(bytes);
  if (startsAs(bytes, V2_START)) return readV2(bytes);
  return { kind: "absent" };
}

/** Whether two byte strings agree as far as both go. */
function startsAs(bytes: Uint8Array, start: Uint8Array): boolean {
  const length = Math.min(bytes.length, start.length);
  for (let i = 0; i < length; i++) if (bytes[i] !== start[i]) return false;
  return true;
}

function broken(reason: string): ProxyHeader {
  return { kind: "broken", reason };
}

function readV1(bytes: Uint8Array): ProxyHeader {
  const head = bytes.subarray(0, V1_BYTES_MAX);
  const end = head.findIndex((byte) => byte === 13 || byte === 10);
  if (end === -1 || end === head.length - 1 && head[end] === 13) {
    return head.length < V1_BYTES_MAX ? PARTIAL : broken("no CRLF within 107 bytes");
  }
  if (head[end] !== 13 || head[end + 1] !== 10) return broken("the line does not end in CRLF");
  const length = end + 2;
  const line = decoder.decode(head.subarray(V1_START.length, end));
  if (/^UNKNOWN(?: |$)/.test(line)) return { kind: "header", length, source: undefined };
  const [family, source = "", destination = "", ...ports] = line.split(" ");
  const isAddress = family === "TCP4" ? isIPv4 : family === "TCP6" ? isIPv6 : undefined;
  if (isAddress === undefined) return broken("the protocol is none of TCP4, TCP6 and UNKNOWN");
  if (!isAddress(source) || !isAddress(destination)) return broken(`no ${family} addresses`);
  if (ports.length !== 2 || !ports.every(isPort)) return broken("no source and destination port");
  return { kind: "header", length, source: normalAddress(source) };
}

function isIPv4(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text);
}

function isIPv6(text: string): boolean {
  return /^[\da-f:.]+$/i.test(text) && ipaddr.IPv6.isValid(text);
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

function readV2(bytes: Uint8Array): ProxyHeader {
  const [command, family] = bytes.subarray(V2_START.length);
  if (command === undefined) return PARTIAL;
  if (command >> 4 !== 2) return broken(`version ${command >> 4}, not 2`);
  if ((command & 15) > 1) return broken(`command ${command & 15}, neither LOCAL nor PROXY`);
  if (family === undefined) return PARTIAL;
  if (family >> 4 > 3 || (family & 15) > 2) return broken(`protocol byte ${family} is unassigned`);
  if (bytes.length < V2_FIXED_BYTES) return PARTIAL;
  const length = V2_FIXED_BYTES + (bytes[14]! << 8 | bytes[15]!);
  if (length > V2_BYTES_MAX) return broken(`${length} bytes, at most ${V2_BYTES_MAX}`);
  const isLocal = (command & 15) === 0;
  const width = isLocal ? 0 : family === 0x11 ? 4 : family === 0x21 ? 16 : 0;
  // Both addresses and both ports must be there, whatever TLVs follow.
  if (width > 0 && length < V2_FIXED_BYTES + 2 * width + 4) {
    return broken(`${length} bytes are too few for its addresses`);
  }
  if (bytes.length < length) return PARTIAL;
  const address = bytes.subarray(V2_FIXED_BYTES, V2_FIXED_BYTES + width);
  const source = width === 0
    ? undefined
    : normalAddress(ipaddr.fromByteArray([...address]).toString());
  return { kind: "header", length, source };
}
