/**
 * A signer elsewhere, over JSON-RPC: web3signer and clef hold the key, the pool checks the answer.
 *
 * web3signer answers eth_signTransaction with the raw bytes, nodes with {raw, tx}; clef has the
 * same call as account_signTransaction. What comes back is decoded, and is used only when it is,
 * field by field, what was asked, signed by the paying address.
 */
import { type Hex, keccak256, recoverTransactionAddress } from "viem";
import { toQuantity } from "../base/mod.ts";
import { createRpc, NodeError } from "../chain/mod.ts";
import { HaltError } from "./halt.ts";
import type { Signer, UnsignedPayment } from "./signer.ts";
import { readTransactionFields, type TransactionFields } from "./transactions.ts";

const METHOD_NOT_FOUND = -32601;
const METHODS = ["eth_signTransaction", "account_signTransaction"] as const;

/** A signer at a URL. Nothing is asked before the first payment. */
export function openRemoteSigner(
  url: string,
  address: string,
  deps: { timeoutMs: number; fetch?: typeof fetch },
): Signer {
  const rpc = createRpc(
    { name: "payouts.signer", url, timeoutMs: deps.timeoutMs },
    deps.fetch === undefined ? {} : { fetch: deps.fetch },
  );
  let method: typeof METHODS[number] = METHODS[0];

  async function ask(request: Record<string, string>): Promise<unknown> {
    try {
      return await rpc.call(method, [request]);
    } catch (error) {
      const other = METHODS.find((name) => name !== method)!;
      if (!(error instanceof NodeError) || error.code !== METHOD_NOT_FOUND) throw error;
      const result = await rpc.call(other, [request]);
      method = other;
      return result;
    }
  }
  return {
    address,
    async sign(payment) {
      const raw = rawOf(await ask({ from: address, ...requestOf(payment) }));
      const fields = fieldsOf(raw);
      const wrong = differences(payment, fields);
      const signedBy = await senderOf(raw);
      if (signedBy !== address) wrong.push(`sender ${signedBy}, not ${address}`);
      if (wrong.length > 0) throw notAsked(wrong.join("; "));
      return { raw, hash: keccak256(raw) };
    },
  };
}

/** A payment as the fields of eth_signTransaction and eth_sendTransaction. */
export function requestOf(
  { nonce, to, valueWei, data, fee }: UnsignedPayment,
): Record<string, string> {
  return {
    ...{ to, gas: toQuantity(fee.gas), value: toQuantity(valueWei) },
    ...{ nonce: toQuantity(nonce), data: data ?? "0x" },
    ...(fee.type === "legacy" ? { gasPrice: toQuantity(fee.gasPrice) } : {
      maxFeePerGas: toQuantity(fee.maxFeePerGas),
      maxPriorityFeePerGas: toQuantity(fee.maxPriorityFeePerGas),
    }),
  };
}

/** What differs between what was asked and what was signed, in words. */
function differences(payment: UnsignedPayment, fields: TransactionFields): string[] {
  const { fee, ...asked } = payment;
  const { fee: given, ...signed } = fields;
  const rows: [string, unknown, unknown][] = [
    ["chain id", asked.chainId, signed.chainId],
    ["nonce", asked.nonce, signed.nonce],
    ["payee", asked.to.toLowerCase(), signed.to],
    ["value", asked.valueWei, signed.valueWei],
    ["data", asked.data ?? "0x", signed.data],
    ["type", fee.type, given.type],
    ["gas", fee.gas, given.gas],
  ];
  if (fee.type === "legacy" && given.type === "legacy") {
    rows.push(["gas price", fee.gasPrice, given.gasPrice]);
  }
  if (fee.type === "eip1559" && given.type === "eip1559") {
    rows.push(["max fee", fee.maxFeePerGas, given.maxFeePerGas]);
    rows.push(["tip", fee.maxPriorityFeePerGas, given.maxPriorityFeePerGas]);
  }
  return rows.filter(([, want, has]) => want !== has)
    .map(([name, want, has]) => `${name} ${has}, not ${want}`);
}

function rawOf(result: unknown): Hex {
  const raw = typeof result === "object" && result !== null && "raw" in result
    ? result.raw
    : result;
  if (typeof raw !== "string" || !/^0x([0-9a-f]{2})+$/i.test(raw)) {
    throw notAsked("no transaction bytes");
  }
  return raw.toLowerCase() as Hex;
}

function fieldsOf(raw: Hex): TransactionFields {
  try {
    return readTransactionFields(raw);
  } catch {
    throw notAsked("bytes that are no transaction");
  }
}

async function senderOf(raw: Hex): Promise<string> {
  try {
    return (await recoverTransactionAddress({
      serializedTransaction: raw as Parameters<
        typeof recoverTransactionAddress
      >[0]["serializedTransaction"],
    })).toLowerCase();
  } catch {
    throw notAsked("bytes without a readable signature");
  }
}

function notAsked(what: string): HaltError {
  return new HaltError(
    `The signer of payouts.signer.remote did not sign what it was asked to: it gave ${what}`,
    "check the signer's chain id, its key and who can reach it; what it gave was not stored or sent",
  );
}
