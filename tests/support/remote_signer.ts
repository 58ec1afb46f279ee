/** A small signer over HTTP for tests, which answers as web3signer, a node or clef do. */
import { privateKeyToAccount } from "viem/accounts";
import type { Hex } from "viem";
import { startRpcServer, type TestRpcServer } from "./json_rpc.ts";

type Account = ReturnType<typeof privateKeyToAccount>;
type Unsigned = Parameters<Account["signTransaction"]>[0];

/** How a signer behaves. */
export interface RemoteSignerOptions {
  key: Hex;
  chainId: number;
  /** Which one it is like: what its method is called, and what it gives. */
  like: "web3signer" | "node" | "clef";
  /** Signs something else than what it was asked. */
  change?: (transaction: Unsigned) => Unsigned;
}

/** Starts a signer on loopback; `calls` has the names of the methods asked for. */
export function startRemoteSigner(options: RemoteSignerOptions): TestRpcServer {
  const account = privateKeyToAccount(options.key);
  const method = options.like === "clef" ? "account_signTransaction" : "eth_signTransaction";
  return startRpcServer(async (name, params) => {
    if (name !== method) return { error: { code: -32601, message: `${name} does not exist` } };
    const asked = params[0] as Record<string, Hex>;
    const common = {
      chainId: options.chainId,
      nonce: Number(asked["nonce"]),
      to: asked["to"]!,
      gas: BigInt(asked["gas"]!),
      value: BigInt(asked["value"]!),
    };
    const unsigned: Unsigned = asked["gasPrice"] === undefined
      ? {
        ...{ ...common, type: "eip1559" },
        maxFeePerGas: BigInt(asked["maxFeePerGas"]!),
        maxPriorityFeePerGas: BigInt(asked["maxPriorityFeePerGas"]!),
      }
      : { ...common, type: "legacy", gasPrice: BigInt(asked["gasPrice"]) };
    const raw = await account.signTransaction(options.change?.(unsigned) ?? unsigned);
    return { result: options.like === "web3signer" ? raw : { raw, tx: asked } };
  });
}
