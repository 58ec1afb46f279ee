/** Fees: legacy and EIP-1559, the ceiling, and gas that a payee may not cost. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type FeeFacts, gasCostWei, quoteFee, raisedFee } from "./fees.ts";

const GWEI = 1_000_000_000n;
const AUTO = {
  ...{ autoGas: true, gas: 21_000n, gasLimit: 200_000n },
  ...{ gasPriceWei: 50n * GWEI, maxFeeWei: 100n * GWEI },
};
const MANUAL = { ...AUTO, autoGas: false };

function facts(more: Partial<FeeFacts> = {}): FeeFacts {
  const common = { baseFeeWei: undefined, gasPriceWei: 3n * GWEI, tipWei: undefined };
  return { ...common, estimatedGas: 21_000n, ...more };
}

Deno.test("quoteFee() follows the node on a chain without a base fee", () => {
  assert.deepEqual(quoteFee(facts(), AUTO), {
    fee: { type: "legacy", gas: 21_000n, gasPrice: 3n * GWEI },
  });
});

Deno.test("quoteFee() offers twice the base fee and the tip, under the ceiling", () => {
  assert.deepEqual(quoteFee(facts({ baseFeeWei: 10n * GWEI, tipWei: GWEI }), AUTO), {
    fee: {
      type: "eip1559",
      gas: 21_000n,
      maxFeePerGas: 21n * GWEI,
      maxPriorityFeePerGas: GWEI,
    },
  });
  const dear = quoteFee(facts({ baseFeeWei: 80n * GWEI, tipWei: GWEI }), AUTO);
  assert.ok("fee" in dear && dear.fee.type === "eip1559");
  assert.equal(dear.fee.maxFeePerGas, 100n * GWEI);
  const old = quoteFee(facts({ baseFeeWei: 2n * GWEI }), AUTO);
  assert.ok("fee" in old && old.fee.type === "eip1559");
  assert.equal(old.fee.maxPriorityFeePerGas, GWEI);
});

Deno.test("quoteFee() waits while the chain asks more than the ceiling", () => {
  for (const fees of [{ baseFeeWei: 100n * GWEI, tipWei: 1n }, { gasPriceWei: 101n * GWEI }]) {
    const quote = quoteFee(facts(fees), AUTO);
    assert.ok("refused" in quote && quote.refused === "dear");
    assert.match(quote.reason, /payouts.maxFee/);
  }
  const manual = quoteFee(facts({ baseFeeWei: 51n * GWEI }), MANUAL);
  assert.ok("refused" in manual && manual.refused === "dear");
});

Deno.test("quoteFee() takes the operator's gas and price without autoGas", () => {
  assert.deepEqual(quoteFee(facts({ baseFeeWei: 7n }), MANUAL), {
    fee: { type: "legacy", gas: 21_000n, gasPrice: 50n * GWEI },
  });
  const contract = quoteFee(facts({ estimatedGas: 30_000n }), MANUAL);
  assert.ok("refused" in contract && contract.refused === "gas");
});

Deno.test("quoteFee() gives contracts a little room and refuses greedy ones", () => {
  const wallet = quoteFee(facts({ estimatedGas: 30_000n }), AUTO);
  assert.ok("fee" in wallet && wallet.fee.gas === 36_000n);
  const greedy = quoteFee(facts({ estimatedGas: 1_000_000n }), AUTO);
  assert.ok("refused" in greedy && greedy.refused === "gas");
});

Deno.test("quoteFee() never offers more than the ceiling", () => {
  const wei = fc.bigInt({ min: 0n, max: 1_000n * GWEI });
  fc.assert(fc.property(fc.option(wei), wei, fc.option(wei), (base, gasPriceWei, tip) => {
    const quote = quoteFee(
      facts({ baseFeeWei: base ?? undefined, gasPriceWei, tipWei: tip ?? undefined }),
      AUTO,
    );
    if (!("fee" in quote)) return;
    assert.ok(gasCostWei(quote.fee) <= quote.fee.gas * AUTO.maxFeeWei);
    if (quote.fee.type === "eip1559") {
      assert.ok(quote.fee.maxFeePerGas >= base! + quote.fee.maxPriorityFeePerGas);
    }
  }));
});

Deno.test("raisedFee() offers a tenth more and what the market asks, and only when it asks more", () => {
  const legacy = { type: "legacy" as const, gas: 21_000n, gasPrice: 10n * GWEI };
  const market = (gasPriceWei: bigint) => ({
    ...{ baseFeeWei: undefined, tipWei: undefined, gasPriceWei },
  });
  assert.equal(raisedFee(legacy, market(10n * GWEI), 100n * GWEI), "enough");
  assert.deepEqual(raisedFee(legacy, market(10n * GWEI + 1n), 100n * GWEI), {
    ...legacy,
    gasPrice: 11n * GWEI,
  });
  assert.deepEqual(raisedFee(legacy, market(30n * GWEI), 100n * GWEI), {
    ...legacy,
    gasPrice: 30n * GWEI,
  });
  assert.equal(raisedFee(legacy, market(30n * GWEI), 29n * GWEI), "ceiling");
  assert.equal(raisedFee(legacy, market(10n * GWEI + 1n), 11n * GWEI - 1n), "ceiling");
});

Deno.test("raisedFee() raises tip and cap, whatever the market, as geth's pool asks", () => {
  const wei = fc.bigInt({ min: 0n, max: 1_000n * GWEI });
  fc.assert(fc.property(wei, wei, wei, wei, wei, (cap, tip, base, marketTip, maxFeeWei) => {
    const own = {
      ...{ type: "eip1559" as const, gas: 21_000n },
      ...{ maxFeePerGas: cap, maxPriorityFeePerGas: tip < cap ? tip : cap },
    };
    const market = { baseFeeWei: base, tipWei: marketTip, gasPriceWei: base + marketTip };
    const raised = raisedFee(own, market, maxFeeWei);
    if (typeof raised === "string") return;
    assert.ok(raised.type === "eip1559");
    const { maxFeePerGas, maxPriorityFeePerGas } = raised;
    assert.ok(maxFeePerGas <= maxFeeWei && maxPriorityFeePerGas <= maxFeePerGas);
    assert.ok(maxFeePerGas >= base + marketTip);
    for (
      const [now, before] of [
        [maxFeePerGas, own.maxFeePerGas],
        [maxPriorityFeePerGas, own.maxPriorityFeePerGas],
      ] as const
    ) {
      assert.ok(now > before && now * 10n >= before * 11n);
    }
  }));
});
