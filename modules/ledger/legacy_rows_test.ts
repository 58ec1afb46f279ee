/** Rows of both old pools by their field count. */
import assert from "node:assert/strict";
import {
  parseMinerPayment,
  parseMinerShare,
  parseNodes,
  parsePoolPayment,
  parsePoolShare,
} from "./legacy_rows.ts";

const LOGIN = "0x" + "11".repeat(20);
const TX = "0x" + "ab".repeat(32);
const BIG = 2n ** 60n + 1n;

Deno.test("parsePoolShare() reads four fields, and six of open-etc-pool-friends", () => {
  const share = { login: LOGIN, worker: "rig1", difficulty: BIG, atSeconds: 1_700_000_000 };
  for (const rest of ["", ":2000000000:host"]) {
    const member = `${BIG}:${LOGIN}:rig1:1700000000123${rest}`;
    assert.deepEqual(parsePoolShare(member, "1700000000"), share);
  }
});

Deno.test("parseMinerShare() reads three fields, and five of open-etc-pool-friends", () => {
  const share = { login: LOGIN, worker: "rig1", difficulty: 50_000n, atSeconds: 1_700_000_000 };
  for (const rest of ["", ":2000000000:host"]) {
    const member = `50000:rig1:1700000000123${rest}`;
    assert.deepEqual(parseMinerShare(LOGIN, member, "1700000000"), share);
  }
});

Deno.test("parsePoolPayment() and parseMinerPayment() read rows with and without costs", () => {
  const payment = { txHash: TX, login: LOGIN, amountShannon: BIG, atSeconds: 5 };
  for (const rest of ["", ":21000"]) {
    assert.deepEqual(parsePoolPayment(`${TX}:${LOGIN}:${BIG}${rest}`, "5"), payment);
    assert.deepEqual(parseMinerPayment(`${TX}:${BIG}${rest}`, "5"), { ...payment, login: "" });
  }
});

Deno.test("The parsers take nothing that no layout fits", () => {
  for (const member of ["", "1:2", `x:${LOGIN}:rig1:1`, `-5:${LOGIN}:rig1:1`, "1:2:3:4:5"]) {
    assert.equal(parsePoolShare(member, "5"), undefined, member);
  }
  assert.equal(parsePoolShare(`1:${LOGIN}:rig1:1`, "inf"), undefined);
  for (const member of ["1:2", "1.5:rig1:1", "1:2:3:4"]) {
    assert.equal(parseMinerShare(LOGIN, member, "5"), undefined, member);
  }
  for (const member of [`${TX}:${LOGIN}`, `${TX}:${LOGIN}:1e9`, `${TX}:${LOGIN}:1:2:3`]) {
    assert.equal(parsePoolPayment(member, "5"), undefined, member);
  }
  assert.equal(parseMinerPayment(TX, "5"), undefined);
});

Deno.test("parseNodes() gathers fields by node, sorted by name", () => {
  const fields = { "b:height": "2", "a:name": "a", "a:height": "1", "a:lastBeat": "9", stray: "x" };
  assert.deepEqual(parseNodes(fields), [{ name: "a", height: "1", lastBeat: "9" }, {
    height: "2",
  }]);
});
