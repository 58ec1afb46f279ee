/** Pure: what a payment offers for gas, legacy or EIP-1559 by the head, under a fixed ceiling. */
import type { Wei } from "../base/mod.ts";

/** Gas of a plain transfer. */
export const TRANSFER_GAS = 21_000n;

/** What the node says about fees. */
export interface FeeFacts {
  /** Base fee of the head (wei per gas); undefined on a chain without one. */
  baseFeeWei: Wei | undefined;
  /** eth_gasPrice (wei per gas). */
  gasPriceWei: Wei;
  /** The node's priority fee (wei per gas), where it has an opinion. */
  tipWei: Wei | undefined;
  /** eth_estimateGas of this payment. */
  estimatedGas: bigint;
}

/** The operator's settings. */
export interface FeeOptions {
  autoGas: boolean;
  gas: bigint;
  /** More gas is not spent on one payment: a contract that asks more is refused. */
  gasLimit: bigint;
  gasPriceWei: Wei;
  /** Wei per gas that is never exceeded. */
  maxFeeWei: Wei;
}

/** What a transaction offers. */
export type Fee =
  | { type: "legacy"; gas: bigint; gasPrice: Wei }
  | { type: "eip1559"; gas: bigint; maxFeePerGas: Wei; maxPriorityFeePerGas: Wei };

/** A fee, or why there is none: `dear` passes by itself, `gas` is the payee's doing. */
export type Quote = { fee: Fee } | { refused: "dear" | "gas"; reason: string };

/** The offer for one payment. */
export function quoteFee(facts: FeeFacts, options: FeeOptions): Quote {
  const gas = options.autoGas ? roomyGas(facts.estimatedGas) : options.gas;
  if (gas > options.gasLimit) {
    const reason = `needs ${gas} gas, payouts.gasLimit is ${options.gasLimit}`;
    return { refused: "gas", reason };
  }
  if (!options.autoGas) {
    if (facts.estimatedGas > gas) {
      return { refused: "gas", reason: `needs ${facts.estimatedGas} gas, payouts.gas is ${gas}` };
    }
    if (options.gasPriceWei < (facts.baseFeeWei ?? 0n)) {
      return tooDear(facts.baseFeeWei!, "gasPrice");
    }
    return { fee: { type: "legacy", gas, gasPrice: options.gasPriceWei } };
  }
  if (facts.baseFeeWei === undefined) {
    if (facts.gasPriceWei > options.maxFeeWei) return tooDear(facts.gasPriceWei, "maxFee");
    return { fee: { type: "legacy", gas, gasPrice: facts.gasPriceWei } };
  }
  const { baseFeeWei } = facts;
  const tip = facts.tipWei ?? max(facts.gasPriceWei - baseFeeWei, 0n);
  if (baseFeeWei + tip > options.maxFeeWei) return tooDear(baseFeeWei + tip, "maxFee");
  // Twice the base fee lasts for six full blocks in a row (EIP-1559 raises it by an eighth each).
  const maxFeePerGas = min(2n * baseFeeWei + tip, options.maxFeeWei);
  return { fee: { type: "eip1559", gas, maxFeePerGas, maxPriorityFeePerGas: tip } };
}

/**
 * What a replacement at the same nonce offers: at least a tenth more, tip and cap both, which is
 * what geth's pool asks (txpool PriceBump), and at least what the market asks.
 *
 * `enough`: the market asks no more than it offers; `ceiling`: a tenth more would be above maxFee.
 */
export function raisedFee(
  own: Fee,
  { baseFeeWei, gasPriceWei, tipWei }: Omit<FeeFacts, "estimatedGas">,
  maxFeeWei: Wei,
): Fee | "enough" | "ceiling" {
  const base = baseFeeWei ?? 0n;
  const marketTip = tipWei ?? max(gasPriceWei - base, 0n);
  const asked = baseFeeWei === undefined ? gasPriceWei : base + marketTip;
  const cap = own.type === "legacy" ? own.gasPrice : own.maxFeePerGas;
  const offered = own.type === "legacy" ? cap : min(cap, base + own.maxPriorityFeePerGas);
  if (asked <= offered) return "enough";
  const least = tenthMore(cap);
  if (least > maxFeeWei || asked > maxFeeWei) return "ceiling";
  if (own.type === "legacy") return { ...own, gasPrice: max(least, asked) };
  const tip = max(tenthMore(own.maxPriorityFeePerGas), marketTip);
  const wanted = max(least, min(2n * base + tip, maxFeeWei));
  if (tip > wanted) return "ceiling";
  return { ...own, maxFeePerGas: wanted, maxPriorityFeePerGas: tip };
}

/** A tenth more, rounded up, and never the same. */
function tenthMore(wei: Wei): Wei {
  return max((wei * 11n + 9n) / 10n, wei + 1n);
}

/** Most that the gas of a transaction can cost (wei). */
export function gasCostWei(fee: Fee): Wei {
  return fee.gas * (fee.type === "legacy" ? fee.gasPrice : fee.maxFeePerGas);
}

/** A contract may take a little more than it was estimated to; a plain transfer never does. */
function roomyGas(estimated: bigint): bigint {
  return estimated <= TRANSFER_GAS ? TRANSFER_GAS : estimated * 12n / 10n;
}

function tooDear(asked: Wei, key: string): Quote {
  return {
    refused: "dear",
    reason: `the chain asks ${asked} wei per gas, more than payouts.${key} allows`,
  };
}

const max = (a: bigint, b: bigint) => a > b ? a : b;
const min = (a: bigint, b: bigint) => a < b ? a : b;
