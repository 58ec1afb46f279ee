/** The address under which policy counts: IPv4 alone, IPv6 by /64, IPv4-mapped IPv6 as IPv4. */
import ipaddr from "ipaddr.js";

/** Longer than any address; what is none is cut, so that nobody fills memory with it. */
const TEXT_MAX = 45;

/**
 * The key of an address: who has one IPv6 address has its whole /64.
 *
 * @param ip IPv4 or IPv6 text, with or without a zone; a key is its own key
 */
export function policyAddress(ip: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip);
  if (mapped !== null) return mapped[1]!;
  if (!ip.includes(":")) return ip.slice(0, TEXT_MAX);
  const address = parseIpv6(ip.replace(/\/64$/, ""));
  if (address === undefined) return ip.slice(0, TEXT_MAX);
  if (address.isIPv4MappedAddress()) return address.toIPv4Address().toString();
  return `${new ipaddr.IPv6([...address.parts.slice(0, 4), 0, 0, 0, 0])}/64`;
}

/** One spelling for each single address or IPv6 /64, as lists name them. */
export function plainAddress(ip: string): string {
  if (/:.*\/64\s*$/.test(ip)) return policyAddress(ip.trim());
  if (!ip.includes(":")) return ip.trim();
  const address = parseIpv6(ip.trim());
  if (address === undefined) return ip.trim();
  return address.isIPv4MappedAddress() ? address.toIPv4Address().toString() : address.toString();
}

function parseIpv6(text: string): ipaddr.IPv6 | undefined {
  const bare = text.replace(/%.*$/, "");
  return ipaddr.IPv6.isValid(bare) ? ipaddr.IPv6.parse(bare) : undefined;
}
