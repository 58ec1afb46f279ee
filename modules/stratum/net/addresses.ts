/** IP addresses in one spelling each, so that bans and limits agree, and lists of address ranges. */
import ipaddr from "ipaddr.js";
import { PoolError } from "../../base/mod.ts";

/** An address in its one spelling (IPv4 inside IPv6 is IPv4), or undefined when it is none. */
export function normalAddress(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return text;
  return ipaddr.IPv6.isValid(text) ? ipaddr.process(text).toString() : undefined;
}

/**
 * A test for "is in one of these ranges"; a range is a CIDR or a single address.
 *
 * @throws {PoolError} that names the entry of `field` which is neither
 */
export function rangeTest(ranges: readonly string[], field: string): (address: string) => boolean {
  const parsed = ranges.map((range, index) => {
    const single = normalAddress(range);
    const cidr = single === undefined ? range : `${single}/${single.includes(":") ? 128 : 32}`;
    if (!ipaddr.isValidCIDR(cidr)) {
      throw new PoolError(
        `${field}[${index}]: "${range}" is no address range; write one such as 10.0.0.0/8`,
      );
    }
    return ipaddr.parseCIDR(cidr);
  });
  return (text) => {
    if (!ipaddr.isValid(text)) return false;
    const address = ipaddr.process(text);
    return parsed.some(([network, bits]) =>
      address.kind() === network.kind() && address.match([network, bits] as never)
    );
  };
}
