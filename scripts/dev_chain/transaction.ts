/** Signed transactions of the development chain: decoded, their sender recovered, their price told. */
import { type Hex, keccak256, parseTransaction, recoverTransactionAddress } from "viem";
import { RpcFault } from "./fault.ts";

/** A transaction as the chain keeps it; all hex is lower case. */
export interface PoolTransaction {
  hash: Hex;
  raw: Hex;
  type: 0 | 2;
  from: Hex;
  /** Undefined when it creates a contract. */
  to?: Hex;
  nonce: number;
  valueWei: bigint;
  gas: bigint;
  data: Hex;
  /** The most it pays (wei per gas): gasPrice or maxFeePerGas. */
  maxFeePerGas: bigint;
  /** The most its miner gets (wei per gas); the same as the above on legacy transactions. */
  maxPriorityFeePerGas: bigint;
}

/** Decodes and checks signed bytes. @throws {RpcFault} with geth's words */
export async function decodeTransaction(raw: unknown, chainId: number): Promise<PoolTransaction> {
  if (typeof raw !== "string" || !/^0x([0-9a-f]{2})+$/i.test(raw)) {
    throw new RpcFault(-32602, "invalid argument 0: hex string expected");
  }
  const bytes = raw.toLowerCase() as Hex;
  const { tx, from } = await parse(bytes);
  if (tx.type !== "legacy" && tx.type !== "eip1559") {
    throw new RpcFault(-32000, "transaction type not supported");
  }
  if (tx.chainId === undefined) {
    throw new RpcFault(
      -32000,
      "only replay-protected (EIP-155) transactions allowed over RPC",
    );
  }
  if (tx.chainId !== chainId) throw new RpcFault(-32000, "invalid sender");
  const maxFeePerGas = (tx.type === "legacy" ? tx.gasPrice : tx.maxFeePerGas) ?? 0n;
  const priority = tx.type === "legacy" ? maxFeePerGas : tx.maxPriorityFeePerGas ?? 0n;
  if (priority > maxFeePerGas) {
    throw new RpcFault(-32000, "max priority fee per gas higher than max fee per gas");
  }
  return {
    hash: keccak256(bytes),
    raw: bytes,
    type: tx.type === "legacy" ? 0 : 2,
    from,
    ...(tx.to ? { to: tx.to.toLowerCase() as Hex } : {}),
    nonce: tx.nonce ?? 0,
    valueWei: tx.value ?? 0n,
    gas: tx.gas ?? 0n,
    data: tx.data ?? "0x",
    maxFeePerGas,
    maxPriorityFeePerGas: priority,
  };
}

/** Gas of the bytes alone (EIP-2028): there is no virtual machine here. */
export function intrinsicGas(data: Hex, createsContract: boolean): bigint {
  let gas = createsContract ? 53_000n : 21_000n;
  for (let i = 2; i < data.length; i += 2) gas += data.slice(i, i + 2) === "00" ? 4n : 16n;
  return gas;
}

/** What the transaction pays (wei per gas) in a block with that base fee. */
export function effectivePrice(tx: PoolTransaction, baseFeePerGas: bigint): bigint {
  const wanted = baseFeePerGas + tx.maxPriorityFeePerGas;
  return wanted < tx.maxFeePerGas ? wanted : tx.maxFeePerGas;
}

async function parse(raw: Hex) {
  try {
    const tx = parseTransaction(raw);
    const from = await recoverTransactionAddress({
      serializedTransaction: raw as Parameters<
        typeof recoverTransactionAddress
      >[0]["serializedTransaction"],
    });
    return { tx, from: from.toLowerCase() as Hex };
  } catch (cause) {
    throw new RpcFault(-32000, "rlp: cannot decode the transaction", { cause });
  }
}
