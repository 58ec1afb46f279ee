/** Coinbases: configured ones count alone, otherwise every node is asked until it has answered. */
import assert from "node:assert/strict";
import { silentLogger } from "../base/mod.ts";
import { createCoinbases } from "./coinbases.ts";

const A = "0x" + "aA".repeat(20), B = "0x" + "bb".repeat(20);

Deno.test("createCoinbases() asks no node when addresses are configured", async () => {
  const node = { name: "n", coinbase: () => Promise.reject(new Error("asked")) };
  const coinbases = createCoinbases([A], { nodes: [node], log: silentLogger });
  assert.deepEqual(await coinbases(), [A.toLowerCase()]);
});

Deno.test("createCoinbases() keeps what nodes said and asks the silent ones again", async () => {
  let up = false, asked = 0;
  const first = {
    name: "first",
    coinbase: () => up ? Promise.resolve(A) : Promise.reject(new Error("down")),
  };
  const second = { name: "second", coinbase: () => (asked++, Promise.resolve(B)) };
  const coinbases = createCoinbases([], { nodes: [first, second], log: silentLogger });
  assert.deepEqual(await coinbases(), [B]);
  up = true;
  assert.deepEqual(new Set(await coinbases()), new Set([A.toLowerCase(), B]));
  await coinbases();
  assert.equal(asked, 1);
});

Deno.test("createCoinbases() names the setting when no node answers", async () => {
  const node = { name: "n", coinbase: () => Promise.reject(new Error("down")) };
  const coinbases = createCoinbases([], { nodes: [node], log: silentLogger });
  await assert.rejects(coinbases(), /set coinbases/);
});
