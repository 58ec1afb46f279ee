/** Each mistake, made on purpose on a real Ethereum Classic block, is found by its name. */
import assert from "node:assert/strict";
import vectors from "../../tests/vectors/ethash.json" with { type: "json" };
import { Computer } from "./compute.ts";
import { fieldsOfLine, readShare, type ShareFields } from "./share.ts";
import { type Verdict, verdictOf } from "./verdict.ts";

const block = vectors.blocks[0]!;
const GOOD: ShareFields = {
  ...{ algorithm: "etchash", header: block.header, nonce: block.nonce, mix: block.mix },
  ...{ height: String(block.number), difficulty: block.difficulty },
};

async function verdicts(...asked: ShareFields[]): Promise<Verdict[]> {
  const computer = new Computer();
  try {
    const found = [];
    for (const fields of asked) found.push(await verdictOf(readShare(fields), computer));
    return found;
  } finally {
    await computer.close();
  }
}

const without = (fields: ShareFields, ...names: (keyof ShareFields)[]): ShareFields =>
  Object.fromEntries(
    Object.entries(fields).filter(([name]) => !names.includes(name as keyof ShareFields)),
  );

function reversed(hex: string): string {
  return "0x" + hex.slice(2).match(/../g)!.reverse().join("");
}

Deno.test("verdictOf() names reversed nonces and headers, with and without a claimed mix", async () => {
  const found = await verdicts(
    GOOD,
    { ...GOOD, nonce: reversed(block.nonce) },
    { ...without(GOOD, "mix"), nonce: reversed(block.nonce) },
    { ...GOOD, header: reversed(block.header) },
  );
  assert.deepEqual(found.map(({ valid, cause }) => [valid, cause]), [
    [true, undefined],
    ...[[false, "nonceReversed"], [false, "nonceReversed"], [false, "headerReversed"]],
  ]);
  assert.match(found[1]!.reason, /^The share is invalid: .*\. The nonce's bytes are reversed$/);
});

Deno.test("verdictOf() names neighbour epochs and the other algorithm", async () => {
  const later = vectors.blocks[1]!;
  const atLater = { ...GOOD, header: later.header, nonce: later.nonce, mix: later.mix };
  const found = await verdicts(
    { ...GOOD, height: String(block.number + 30_000) },
    { ...GOOD, height: String(block.number - 30_000) },
    { ...atLater, algorithm: "ethash", height: String(later.number), difficulty: "1" },
  );
  assert.deepEqual(found.map(({ cause }) => cause), [
    ...["neighbourEpoch", "neighbourEpoch", "otherAlgorithm"],
  ]);
  assert.match(found[0]!.reason, /on epoch 333, the one before the job's/);
});

Deno.test("verdictOf() names a missing, an ignored and a doubled extranonce", async () => {
  const digits = block.nonce.slice(2);
  const extranonce = digits.slice(0, 4);
  const found = await verdicts(
    { ...GOOD, extranonce, nonce: "0x" + digits.slice(4) },
    { ...GOOD, extranonce, nonce: "0x0000" + digits.slice(4) },
    { ...without(GOOD, "mix"), extranonce, nonce: "0x" + extranonce + digits.slice(0, 12) },
  );
  assert.deepEqual(found.map(({ valid, cause }) => [valid, cause]), [
    ...[[true, undefined], [false, "extranonceMissing"], [false, "extranonceDoubled"]],
  ]);
});

Deno.test("verdictOf() names the mix digest of another nonce", async () => {
  const other = "0x" + (BigInt(block.nonce) + 3n).toString(16);
  const [found] = await verdicts({ ...GOOD, nonce: other });
  assert.equal(found!.cause, "mixOfOtherNonce");
  assert.match(found!.reason, new RegExp(`belongs to the nonce ${block.nonce}`));
});

Deno.test("verdictOf() names a difficulty taken in another unit", async () => {
  const vector = vectors.hashes[0]!;
  const fields = { algorithm: "ethash", header: vector.header, nonce: vector.nonce };
  const reached = (1n << 256n) / BigInt(vector.result);
  const [unit, rounding, plain] = await verdicts(
    { ...fields, height: String(vector.height), difficulty: String(reached * (1n << 31n)) },
    { ...fields, height: String(vector.height), difficulty: String(reached * 1_000_000n) },
    { ...fields, height: String(vector.height), difficulty: String(reached) },
  );
  assert.equal(unit!.cause, "difficultyUnit");
  assert.equal(rounding!.cause, undefined);
  assert.equal(plain!.valid, true);
});

Deno.test("verdictOf() says block or no block, and what the pool's log knew", async () => {
  const [found] = await verdicts({
    ...{ ...GOOD, difficulty: "1000", blockDifficulty: block.difficulty, rejection: "stale" },
  });
  assert.deepEqual([found!.valid, found!.block, found!.cause], [true, true, "stale"]);
});

Deno.test("fieldsOfLine() reads every form of a submission and a pushed job", () => {
  const [nonce, header, mix] = [block.nonce, block.header, block.mix];
  const push = `{"id":0,"jsonrpc":"2.0","result":["${header}","0x00","0x${"0".repeat(15)}1${
    "0".repeat(48)
  }"]}`;
  const proxy = fieldsOfLine(
    `{"id":41,"method":"eth_submitWork","params":["${nonce}","${header}","${mix}"]}`,
    push,
  );
  assert.deepEqual([proxy.nonce, proxy.header, proxy.mix], [nonce, header, mix]);
  assert.equal(proxy.difficulty, String(1n << 64n));
  const five = fieldsOfLine(
    `{"method":"mining.submit","params":["u","j","${nonce}","${header}","${mix}"]}`,
    undefined,
  );
  assert.deepEqual([five.nonce, five.header, five.mix], [nonce, header, mix]);
  const job = `{"header":"${header.slice(2)}","extranonce":"${
    nonce.slice(2, 6)
  }","height":${block.number}}`;
  const three = fieldsOfLine(
    `{"method":"mining.submit","params":["u","j","${nonce.slice(6)}"]}`,
    job,
  );
  assert.equal(readShare({ ...three, algorithm: "etchash" }).nonce, BigInt(nonce));
  assert.throws(() => fieldsOfLine(`{"params":[1]}`, undefined), /--line: expected params of text/);
  assert.throws(() => fieldsOfLine(`{"params":["a"]}`, undefined), /expected 3 or 5 params/);
  assert.throws(() => fieldsOfLine(`{`, undefined), /--line: expected JSON/);
});
