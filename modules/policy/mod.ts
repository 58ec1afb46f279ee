/**
 * Limits and bans: what an address did comes in, whether it may go on goes out.
 * State is bounded and in memory; a firewall may be told of bans, and nothing waits for it.
 * This room never closes a connection itself.
 */
export { policyAddress } from "./address.ts";
export { type Ban, BANS_MAX } from "./bans.ts";
export { type CommandRunner, runCommand } from "./command.ts";
export { type Firewall, type FirewallOptions, openFirewall } from "./firewall.ts";
export { openPolicyHub, type PolicyHub, type PolicyMessage } from "./hub.ts";
export { type OpenPolicy, openPolicy } from "./open.ts";
export { Policy, POLICY_ADDRESSES_MAX, type PolicyDeps, type PolicyOptions } from "./policy.ts";
export { type Proxies, proxiesOf } from "./proxies.ts";
export { countsMemory, SharedCounts } from "./shared_counts.ts";
export { ShareRate } from "./share_rate.ts";
