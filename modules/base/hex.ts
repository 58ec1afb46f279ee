/** Fixed-length hex: strict parsing of 0x strings to bytes and integers, and back. */

const HEX32 = /^0x[0-9a-fA-F]{64}$/;
const HEX8 = /^0x[0-9a-fA-F]{16}$/;
const QUANTITY = /^0x[0-9a-fA-F]{1,64}$/;
const ADDRESS = /^0x[0-9a-fA-F]{40}$/;

/** Whether the text is 0x and exactly 64 hex digits (a hash, header hash or mix digest). */
export function isHash(text: unknown): text is string {
  return typeof text === "string" && HEX32.test(text);
}

/** Whether the text is 0x and exactly 16 hex digits (a 64-bit nonce). */
export function isNonce(text: unknown): text is string {
  return typeof text === "string" && HEX8.test(text);
}

/** Whether the text is 0x and exactly 40 hex digits; checksums (EIP-55) are not judged. */
export function isAddress(text: unknown): text is string {
  return typeof text === "string" && ADDRESS.test(text);
}

/** Whether the text is a JSON-RPC quantity: 0x and 1 to 64 hex digits (leading zeros tolerated). */
export function isQuantity(text: unknown): text is string {
  return typeof text === "string" && QUANTITY.test(text);
}

/**
 * Reads a JSON-RPC quantity.
 *
 * @throws {TypeError} when it is not one: a failed read is never a zero.
 */
export function parseQuantity(value: unknown, name: string): bigint {
  if (!isQuantity(value)) {
    throw new TypeError(
      `Cannot read ${name}: expected a 0x quantity, current value is ${JSON.stringify(value)}`,
    );
  }
  return BigInt(value);
}

/** Bytes of an even-length 0x string. @throws {TypeError} when it is not one. */
export function hexToBytes(text: string): Uint8Array<ArrayBuffer> {
  if (!/^0x([0-9a-fA-F]{2})*$/.test(text)) {
    throw new TypeError(`Cannot decode hex: current value is "${text.slice(0, 80)}"`);
  }
  const bytes = new Uint8Array((text.length - 2) / 2);
  bytes.setFromHex(text.slice(2));
  return bytes;
}

/** 0x and the lower-case hex of the bytes. */
export function bytesToHex(bytes: Uint8Array): string {
  return "0x" + bytes.toHex();
}

/** The 64-bit nonce as the wire writes it: 0x and 16 lower-case digits, big-endian. */
export function nonceToHex(nonce: bigint): string {
  return "0x" + nonce.toString(16).padStart(16, "0");
}

/** A value below 2^256 as 0x and 64 lower-case digits. */
export function toHash(value: bigint): string {
  return "0x" + value.toString(16).padStart(64, "0");
}

/** A JSON-RPC quantity: 0x and minimal lower-case hex digits. */
export function toQuantity(value: bigint | number): string {
  return "0x" + value.toString(16);
}

/** The bytes as one big-endian unsigned integer. */
export function bytesToBigInt(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt("0x" + bytes.toHex());
}
