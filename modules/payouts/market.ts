/** What the chain asks for gas, as the payer's node tells it. */
import type { FeeFacts } from "./fees.ts";
import type { PayerNode } from "./payer.ts";

/** What the node says that the chain asks now. */
export async function marketFees(
  { node }: { node: PayerNode },
): Promise<Omit<FeeFacts, "estimatedGas">> {
  const baseFeeWei = await node.baseFee();
  const gasPriceWei = await node.gasPrice();
  const tipWei = baseFeeWei === undefined ? undefined : await node.maxPriorityFeePerGas();
  return { baseFeeWei, gasPriceWei, tipWei };
}
