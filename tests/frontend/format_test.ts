/** The page's numbers: exact money, hashrates in their unit, times and parts in words. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { parseCoins, partOf, typedCoins } from "../../frontend/src/amounts.ts";
import {
  coins,
  difficulty,
  duration,
  effortWord,
  exactCoins,
  hashrate,
  percent,
  relative,
  roughly,
  SHANNON,
  shortAddress,
  shortHash,
  WEI,
} from "../../frontend/src/format.ts";
import { lang } from "../../frontend/src/i18n/lang.ts";

const GAP = "\u202f";
const amount = fc.bigInt({ min: 0n, max: 2n ** 90n });

Deno.test("hashrate() has three significant digits and the unit that fits", () => {
  const table: [string | bigint, string][] = [
    ["0", "0 H/s"],
    ["7", "7 H/s"],
    ["999", "999 H/s"],
    ["1000", "1.00 kH/s"],
    ["999499", "999 kH/s"],
    ["999500", "1.00 MH/s"],
    ["182345678", "182 MH/s"],
    ["1234567890123", "1.23 TH/s"],
    [10n ** 18n, "1.00 EH/s"],
    [10n ** 24n * 12n, "12.0 YH/s"],
  ];
  for (const [hps, shown] of table) {
    assert.equal(hashrate(hps), shown.replace(" ", GAP));
  }
  assert.equal(hashrate(null), "—");
  assert.equal(difficulty("4000000000"), `4.00${GAP}G`);
});

Deno.test("hashrate() never shows 1000 of a unit, grows with its value, is off by half a per cent", () => {
  const value = (text: string) => {
    const [number, unit = ""] = text.replace("H/s", "").split(GAP);
    return Number(number) *
      1000 ** ["", "k", "M", "G", "T", "P", "E", "Z", "Y"].indexOf(unit);
  };
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 26n }), amount, (a, more) => {
      const shown = hashrate(a);
      assert.ok(parseFloat(shown) < 1000, shown);
      assert.ok(
        Math.abs(value(shown) - Number(a)) <= Number(a) * 0.005 + 1e-9,
        shown,
      );
      const b = a + more % 10n ** 25n;
      assert.ok(value(hashrate(b)) >= value(shown) * (1 - 1e-12), `${a} ${b}`);
    }),
  );
});

Deno.test("exactCoins() loses nothing, coins() never shows more than there is", () => {
  const digits = (text: string) => text.replaceAll(/[,\s]/g, "");
  for (const decimals of [SHANNON, WEI]) {
    fc.assert(fc.property(amount, (value) => {
      const exact = digits(exactCoins(value, decimals));
      assert.equal(BigInt(exact.replace(".", "")), value);
      assert.equal(
        parseCoins(exact, decimals),
        value >= 10n ** BigInt(15 + decimals) ? undefined : value,
      );
      const shown = coins(value, decimals);
      if (shown === "0") return assert.equal(value, 0n);
      if (shown.startsWith("<")) {
        return assert.ok(value < 10n ** BigInt(decimals - 5) && value > 0n);
      }
      const back = parseCoins(digits(shown).padEnd(1, "0"), decimals);
      if (back !== undefined) {
        assert.ok(back <= value && value - back < 10n ** BigInt(decimals - 5));
      }
    }));
  }
  assert.equal(coins("39109999", SHANNON), "0.03910");
  assert.equal(coins("9999", SHANNON), `<${GAP}0.00001`);
  assert.equal(coins(-(10n ** 9n), SHANNON), "−1.00000");
  assert.equal(coins("2013370000000000001", WEI), "2.01337");
  assert.equal(exactCoins("1234500000001", SHANNON), "1,234.500000001");
});

Deno.test("what is typed as coins comes back as it was typed", () => {
  fc.assert(fc.property(fc.bigInt({ min: 0n, max: 10n ** 23n }), (value) => {
    assert.equal(parseCoins(typedCoins(value, SHANNON), SHANNON), value);
  }));
  assert.equal(parseCoins("0,5", SHANNON), 500_000_000n);
  for (
    const wrong of ["", "1e9", "-1", "0.1234567891", "1.", ".5", "0x5", "1 000"]
  ) {
    assert.equal(parseCoins(wrong, SHANNON), undefined, wrong);
  }
});

Deno.test("percent(), partOf() and effortWord() do not call a little nothing", () => {
  assert.equal(percent(0), `0${GAP}%`);
  assert.equal(percent(0.04), `<${GAP}0.1${GAP}%`);
  assert.equal(percent(63.24), `63.2${GAP}%`);
  assert.equal(percent(63.5, 0), `64${GAP}%`);
  assert.equal(percent(null), "—");
  assert.equal(partOf("391000000", "500000000"), 78.2);
  assert.equal(partOf("600", "500"), 100);
  assert.equal(partOf("600", "0"), 0);
  const words = [75, 76, 125, 126, 300, 301].map(effortWord);
  assert.deepEqual(words, [
    "early",
    "expected",
    "expected",
    "late",
    "late",
    "veryLate",
  ]);
});

Deno.test("times have two units when they last, one when they passed, and round up when they wait", () => {
  assert.equal(duration(0), "0 sec");
  assert.equal(duration(11_520_000), "3 hr 12 min");
  assert.equal(duration(3_600_000), "1 hr");
  assert.equal(duration(200_000_000), "2 days 7 hr");
  assert.equal(duration(-1), "—");
  assert.equal(roughly(5.4 * 3_600_000), "6 hours");
  assert.equal(relative(1_000_000, 1_005_000), undefined);
  assert.match(relative(1_000_000, 1_059_000)!, /^59 sec\.? ago$/);
  assert.match(relative(10_000_000, 1_000_000)!, /^in 2 hr\.?$/);
});

Deno.test("addresses and hashes are cut in the middle", () => {
  assert.equal(
    shortAddress("0xbf08a1c5d2e34f60718293a4b5c6d7e8f9013795"),
    "0xbf08…3795",
  );
  assert.equal(shortHash("0x" + "12".repeat(32)), "0x12121212…121212");
  assert.equal(shortHash("0x12"), "0x12");
});

Deno.test("German has its own marks", () => {
  lang.value = "de";
  try {
    assert.equal(coins("1234500000001", SHANNON), "1.234,50000");
    assert.equal(hashrate("1234567"), `1,23${GAP}MH/s`);
    assert.equal(percent(63.24), `63,2${GAP}%`);
  } finally {
    lang.value = "en";
  }
});
