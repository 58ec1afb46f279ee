/** The checksum in an address's capitals (EIP-55); loaded when it is needed. */
import { type AddressFault, readAddress } from "./address.ts";
import { keccak256 } from "./keccak.ts";

/** Like `readAddress`, and whether the capitals fit. */
export function checkAddress(
  text: string,
): { address: string } | { fault: AddressFault } {
  const read = readAddress(text);
  if ("fault" in read) return read;
  const digits = text.trim().slice(2);
  // Capitals carry a checksum only when there are small letters too.
  const mixed = /[a-f]/.test(digits) && /[A-F]/.test(digits);
  return mixed && checksummed(read.address).slice(2) !== digits ? { fault: "checksum" } : read;
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
