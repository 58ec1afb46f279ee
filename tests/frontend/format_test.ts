/** The page's numbers: exact money, plain hashrates, ages in words. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { coins, grouped, hashrate, parseExact, shortened, since } from "../../frontend/format.js";

Deno.test("hashrate() names the unit that fits", () => {
  const table: [number | bigint, string][] = [
    ...([[0, "0 H/s"], [7, "7 H/s"], [999, "999 H/s"], [1_000, "1 kH/s"]] as [number, string][]),
    ...([[12_000, "12 kH/s"], [12_340, "12.34 kH/s"]] as [number, string][]),
    ...([[999_940, "999.9 kH/s"], [999_960, "1 MH/s"]] as [number, string][]),
    ...([[185_000_000, "185 MH/s"], [10n ** 21n, "1000 EH/s"]] as [number | bigint, string][]),
  ];
  for (const [value, shown] of table) assert.equal(hashrate(value), shown);
});

Deno.test("coins() is exact in both units", () => {
  assert.equal(coins(79_200_021_044, 9), "79.200021044");
  assert.equal(coins("5000000000000000000", 18), "5.00");
  assert.equal(coins(-1, 9), "−0.000000001");
  assert.equal(coins(2n ** 63n, 9), "9\u202f223\u202f372\u202f036.854775808");
  fc.assert(fc.property(fc.bigInt({ min: 0n, max: 2n ** 90n }), (amount) => {
    const [whole, fraction] = coins(amount, 18).replaceAll("\u202f", "").split(".");
    assert.equal(BigInt(whole! + fraction!.padEnd(18, "0")), amount);
  }));
});

Deno.test("parseExact() keeps integers beyond 2^53", () => {
  assert.deepEqual(parseExact(`{"a":${2n ** 60n + 1n},"b":1,"c":1.5,"d":"1"}`), {
    ...{ a: 2n ** 60n + 1n, b: 1, c: 1.5, d: "1" },
  });
});

Deno.test("since() speaks in words and never of the future", () => {
  const nowMs = 1_700_000_000_000;
  const ages: [number, string][] = [[-5, "0 s ago"], [89, "89 s ago"], [90, "2 min ago"]];
  ages.push([5_400, "2 h ago"], [200_000, "2 days ago"]);
  for (const [age, words] of ages) assert.equal(since(1_700_000_000 - age, nowMs), words);
});

Deno.test("grouped() and shortened() leave the digits as they are", () => {
  assert.equal(grouped("1234567").replaceAll("\u202f", ""), "1234567");
  assert.equal(grouped(123), "123");
  assert.equal(shortened("0x" + "ab".repeat(20)), "0xabababab…ababab");
  assert.equal(shortened("–"), "–");
});
