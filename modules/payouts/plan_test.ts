/** The plan: thresholds, order, who is left out, and how far the wallet goes. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { shannonToWei } from "../base/mod.ts";
import { type PlanFacts, planPayments } from "./plan.ts";

const login = (n: number) => "0x" + n.toString(16).padStart(40, "a");
const FROM = login(99);

function facts(balances: bigint[], more: Partial<PlanFacts> = {}): PlanFacts {
  return {
    balances: balances.map((balanceShannon, i) => ({ login: login(i), balanceShannon })),
    thresholdShannon: 100n,
    minThresholdShannon: 100n,
    settings: new Map(),
    capLeftShannon: undefined,
    minerPaysGas: false,
    held: new Set(),
    open: new Set(),
    from: FROM,
    walletWei: shannonToWei(1_000_000n),
    reserveShannon: 0n,
    gasCostWei: 21_000n,
    ...more,
  };
}

Deno.test("planPayments() pays a balance that is at the threshold, and not one below", () => {
  const { payments } = planPayments(facts([99n, 100n, 101n, 0n, -5n]));
  assert.deepEqual(payments, [
    { login: login(2), amountShannon: 101n },
    { login: login(1), amountShannon: 100n },
  ]);
});

Deno.test("planPayments() pays nothing for nothing, even without a threshold", () => {
  assert.deepEqual(planPayments(facts([0n, 1n], { thresholdShannon: 0n })).payments.length, 1);
});

Deno.test("planPayments() leaves out held and open miners, its own address and zero", () => {
  const plan = planPayments(facts([], {
    balances: [login(0), login(1), FROM, "0x" + "0".repeat(40)]
      .map((login) => ({ login, balanceShannon: 500n })),
    held: new Set([login(0)]),
    open: new Set([login(1)]),
  }));
  assert.deepEqual(plan.payments, []);
  assert.deepEqual(plan.skipped.map(({ reason }) => reason).sort(), [
    "held",
    "open",
    "self",
    "zero address",
  ]);
  assert.equal(plan.shortWei, 0n);
});

Deno.test("planPayments() keeps the reserve and says what the wallet lacks", () => {
  const walletWei = shannonToWei(500n);
  const plan = planPayments(facts([300n, 250n], { walletWei, reserveShannon: 100n }));
  assert.deepEqual(plan.payments, [{ login: login(0), amountShannon: 300n }]);
  assert.deepEqual(plan.skipped, [{ login: login(1), reason: "wallet" }]);
  // 100 of 400 left: 250 and twice the gas are missing but for that.
  assert.equal(plan.shortWei, shannonToWei(250n) + 21_000n - (shannonToWei(100n) - 21_000n));
});

Deno.test("planPayments() never spends more than the wallet has beyond the reserve", () => {
  const amounts = fc.array(fc.bigInt({ min: 0n, max: 10n ** 15n }), { maxLength: 30 });
  const amount = fc.bigInt({ min: 0n, max: 10n ** 16n });
  fc.assert(fc.property(amounts, amount, amount, (balances, walletWei, reserveShannon) => {
    const given = facts(balances, { walletWei, reserveShannon });
    const plan = planPayments(given);
    const spentWei = plan.payments.reduce(
      (sum, { amountShannon }) => sum + shannonToWei(amountShannon) + given.gasCostWei,
      0n,
    );
    assert.ok(plan.payments.length === 0 || spentWei <= walletWei - shannonToWei(reserveShannon));
    const due = balances.filter((balance) => balance >= given.thresholdShannon).length;
    assert.equal(plan.payments.length + plan.skipped.length, due);
  }));
});

Deno.test("planPayments() goes by a miner's own threshold, within the operator's bounds", () => {
  const settings = new Map([
    [login(0), { thresholdShannon: 500n }],
    [login(1), { thresholdShannon: 60n }],
    [login(2), { thresholdShannon: 10n }],
  ]);
  const more = { settings, minThresholdShannon: 50n };
  const paid = (balances: bigint[]) =>
    planPayments(facts(balances, more)).payments.map((one) => one.login).sort();
  assert.deepEqual(paid([499n, 59n, 49n, 99n]), []);
  assert.deepEqual(paid([500n, 60n, 50n, 100n]), [0, 1, 2, 3].map(login));
});

Deno.test("planPayments() stops at the day's cap and pays what still fits", () => {
  const plan = planPayments(facts([700n, 300n, 200n, 150n], { capLeftShannon: 900n }));
  assert.deepEqual(plan.payments.map(({ amountShannon }) => amountShannon), [700n, 200n]);
  assert.deepEqual(plan.skipped.map(({ reason }) => reason), ["cap", "cap"]);
  assert.equal(plan.shortWei, 0n);
});

Deno.test("planPayments() takes gas from the amount, within the miner's ceiling", () => {
  const gasCostWei = shannonToWei(200n);
  const settings = new Map([[login(1), { feeCeilingWei: gasCostWei - 1n }], [login(2), {
    feeCeilingWei: gasCostWei,
  }]]);
  const more = { gasCostWei, settings, minerPaysGas: true, walletWei: shannonToWei(700n) };
  const plan = planPayments(facts([200n, 400n, 300n, 400n], more));
  assert.deepEqual(plan.payments.map((one) => one.login), [login(3), login(2)]);
  assert.deepEqual(plan.skipped, [{ login: login(1), reason: "fee ceiling" }, {
    login: login(0),
    reason: "fee",
  }]);
});
