/** Which chain this is: the configuration's word and the node's must agree. */
import { type Clock, type Logger, PoolError, retry } from "../base/mod.ts";
import { type Network, networkByChainId, networkOf, type PrivateNetwork } from "./networks.ts";
import { createNode } from "./node.ts";
import type { NodeOptions } from "./rpc.ts";

/** What is asked. */
export interface ResolveOptions {
  /** The configuration's `network`; undefined: by the node's chain id. */
  network: string | PrivateNetwork | undefined;
  /** Nodes to ask; the first that answers counts. */
  nodes: NodeOptions[];
}

/**
 * The network, or undefined when nobody knows the node's chain id.
 *
 * Without a configured network it waits for a node; with one, a node that is away is no reason to.
 *
 * @throws {PoolError} when the node's chain id contradicts the configuration.
 */
export async function resolveNetwork(
  options: ResolveOptions,
  deps: { log: Logger; clock: Clock; signal: AbortSignal },
): Promise<Network | undefined> {
  const given = options.network === undefined ? undefined : networkOf(options.network);
  const nodes = options.nodes.map((node) => createNode(node));
  const chainId = await retry(() => Promise.any(nodes.map((node) => node.chainId())), {
    ...{ attempts: given === undefined ? Infinity : 1, clock: deps.clock, signal: deps.signal },
    maxMs: 5_000,
    retryable(error) {
      const reason = error instanceof AggregateError ? error.errors[0] : error;
      deps.log.warn("node.away", { error: reason });
      return true;
    },
  }).catch((error) => {
    if (given === undefined) throw error;
    return given.chainId;
  });
  if (given !== undefined && chainId !== given.chainId) {
    throw new PoolError(
      `The node's chain id is ${chainId}, but network says ${given.name} (${given.chainId}): ` +
        "correct upstream or network",
    );
  }
  const network = given ?? networkByChainId(chainId);
  deps.log.info("network", { chainId, network: network?.name ?? "unknown" });
  return network;
}
