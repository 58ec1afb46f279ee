/** Our own proxies: everybody comes from their addresses, so these are never banned or limited. */
import ipaddr from "ipaddr.js";
import { policyAddress } from "./address.ts";

/** A test for addresses of proxies. */
export interface Proxies {
  has(ip: string): boolean;
  /** Whether an address as policy counts it (IPv4 or IPv6 /64) holds one of them. */
  touches(key: string): boolean;
}

/** @param ranges CIDR ranges or single addresses, as the configuration has checked them */
export function proxiesOf(ranges: readonly string[]): Proxies {
  const parsed = ranges.map((range) => {
    const [address = "", bits] = range.split("/");
    const network = ipaddr.process(address);
    const width = network.kind() === "ipv4" ? 32 : 128;
    return { network, bits: bits === undefined ? width : Number(bits) };
  });
  const isIn = (ip: string) => {
    if (!ipaddr.isValid(ip)) return false;
    const address = ipaddr.process(ip);
    return parsed.some(({ network, bits }) =>
      address.kind() === network.kind() && address.match(network as never, bits)
    );
  };
  return {
    has: isIn,
    touches(key) {
      if (isIn(key.replace(/\/64$/, ""))) return true;
      return parsed.some(({ network }) => policyAddress(network.toString()) === key);
    },
  };
}
