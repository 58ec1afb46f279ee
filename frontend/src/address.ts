/** Addresses as people type and read them. */
import { keccak256 } from "./keccak.ts";

/** Why a text is no address. */
export type AddressFault =
  | "empty"
  | "prefix"
  | "length"
  | "digits"
  | "checksum";

/** What a typed text is: an address in lower case, or why it is none. */
export function readAddress(
  text: string,
): { address: string } | { fault: AddressFault } {
  const typed = text.trim();
  if (typed === "") return { fault: "empty" };
  if (!/^0x/i.test(typed)) return { fault: "prefix" };
  const digits = typed.slice(2);
  if (!/^[0-9a-fA-F]*$/.test(digits)) return { fault: "digits" };
  if (digits.length !== 40) return { fault: "length" };
  const address = `0x${digits.toLowerCase()}`;
  // Capitals carry a checksum only when there are small letters too.
  const mixed = /[a-f]/.test(digits) && /[A-F]/.test(digits);
  if (mixed && checksummed(address) !== `0x${digits}`) {
    return { fault: "checksum" };
  }
  return { address };
}

/** With the capitals of EIP-55. */
export function checksummed(address: string): string {
  const digits = address.slice(2).toLowerCase();
  const hash = keccak256(digits);
  return "0x" +
    Array.from(
      digits,
      (digit, i) => parseInt(hash[i]!, 16) >= 8 ? digit.toUpperCase() : digit,
    )
      .join("");
}
