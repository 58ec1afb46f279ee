/** Addresses as people type them. */

/** Why a text is no address. */
export type AddressFault =
  | "empty"
  | "prefix"
  | "length"
  | "digits"
  | "checksum";

/** What a typed text is: an address in lower case, or why it is none; its checksum is not looked at. */
export function readAddress(
  text: string,
): { address: string } | { fault: AddressFault } {
  const typed = text.trim();
  if (typed === "") return { fault: "empty" };
  if (!/^0x/i.test(typed)) return { fault: "prefix" };
  const digits = typed.slice(2);
  if (!/^[0-9a-fA-F]*$/.test(digits)) return { fault: "digits" };
  return digits.length === 40 ? { address: `0x${digits.toLowerCase()}` } : { fault: "length" };
}
