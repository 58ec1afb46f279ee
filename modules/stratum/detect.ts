/**
 * Which dialect a miner speaks, from its first request.
 *
 * Miners try dialects one after the other and take a refusal for the sign to try the next one, so
 * a request that fits none is answered at once.
 */
import { type Dialect, requestOf } from "./dialect.ts";
import { ethProxy } from "./dialects/eth_proxy.ts";
import { ethereumStratum1 } from "./dialects/ethereum_stratum_1.ts";
import { ethereumStratum2 } from "./dialects/ethereum_stratum_2.ts";
import { minerProxy } from "./dialects/miner_proxy.ts";

/** Programs that speak EthereumStratum/1.0.0 whatever they write behind their name. */
const STRATUM_1_AGENTS = /^(NiceHash|GodMiner|innominer)\//i;

/** Programs that apply a new difficulty only one header later (Innosilicon A10 and A11). */
const LATE_AGENTS = /^innominer\//i;

/** NiceHash has a least difficulty of its own. */
const NICEHASH_AGENT = /^NiceHash\//i;

/** The dialect of a first request, or undefined when it fits none. */
export function dialectOf(request: unknown): Dialect | undefined {
  const all = requestOf(request);
  if (all === undefined || typeof all.method !== "string") return undefined;
  const { method } = all;
  if (method.startsWith("eth_")) return ethProxy;
  if (method === "mining.hello") return ethereumStratum2;
  if (method === "mining.subscribe") {
    const [agent, version] = Array.isArray(all.params) ? all.params : [];
    if (typeof version === "string" && /^EthereumStratum\/1/i.test(version)) {
      return ethereumStratum1;
    }
    return STRATUM_1_AGENTS.test(String(agent)) ? ethereumStratum1 : minerProxy;
  }
  if (method === "mining.authorize") return minerProxy;
}

/** What a program's name means for its difficulty. */
export function habitsOf(agent: unknown): { late: boolean; niceHash: boolean } {
  const name = typeof agent === "string" ? agent : "";
  return { late: LATE_AGENTS.test(name), niceHash: NICEHASH_AGENT.test(name) };
}
