/** The miner's IP address behind a reverse proxy: the last hop, and only from listed proxies. */
import ipaddr from "ipaddr.js";

/** Proxies that are trusted when none are listed: loopback and private ranges. */
export const PRIVATE_RANGES = [
  ...["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"],
];

/** Decides the address of a request. */
export type AddressReader = (peer: string, forwardedFor: string | null) => string;

/**
 * Makes the reader; without trusted proxies X-Forwarded-For is never looked at.
 *
 * Only the last entry counts: it is the one that our own proxy wrote, all before it is a claim.
 */
export function addressReader(trustedProxies: readonly string[]): AddressReader {
  const ranges = trustedProxies.map((range) =>
    ipaddr.parseCIDR(range.includes("/") ? range : `${range}/${range.includes(":") ? 128 : 32}`)
  );
  return (peer, forwardedFor) => {
    if (forwardedFor === null || !isIn(peer, ranges)) return peer;
    const last = forwardedFor.split(",").at(-1)!.trim();
    return ipaddr.isValid(last) ? ipaddr.process(last).toString() : peer;
  };
}

function isIn(peer: string, ranges: ReturnType<typeof ipaddr.parseCIDR>[]): boolean {
  if (!ipaddr.isValid(peer)) return false;
  const address = ipaddr.process(peer);
  return ranges.some(([network, bits]) =>
    address.kind() === network.kind() && address.match([network, bits] as never)
  );
}
