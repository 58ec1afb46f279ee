/** Which addresses receive our block rewards, when the configuration leaves it to the nodes. */
import { errorText, type Logger, PoolError } from "../base/mod.ts";
import type { Node } from "../chain/mod.ts";

/** Gives the addresses known so far, lower case. @throws {PoolError} while there are none */
export type Coinbases = () => Promise<readonly string[]>;

/**
 * The configured addresses, or what eth_coinbase of the mining nodes says.
 *
 * A node that does not answer is asked again at the next call; an address once named stays, because
 * blocks that were found for it may still wait.
 */
export function createCoinbases(
  configured: readonly string[],
  deps: { nodes: readonly Pick<Node, "name" | "coinbase">[]; log: Logger },
): Coinbases {
  const known = new Set(configured.map((address) => address.toLowerCase()));
  const silent = new Set(configured.length > 0 ? [] : deps.nodes);
  return async () => {
    let reason: unknown;
    for (const node of silent) {
      try {
        known.add((await node.coinbase()).toLowerCase());
        silent.delete(node);
      } catch (error) {
        reason = error;
        deps.log.warn("coinbase.unknown", { node: node.name, error: errorText(error) });
      }
    }
    if (known.size > 0) return [...known];
    throw new PoolError("Cannot tell which addresses receive the rewards: set coinbases", {
      cause: reason,
    });
  };
}
