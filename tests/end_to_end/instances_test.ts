/**
 * Two instances over one Redis: no share is counted twice, however it is sent again, and under load
 * every `true` is stored once.
 */
import assert from "node:assert/strict";
import { bytesToHex, hexToBytes, silentLogger } from "../../modules/base/mod.ts";
import { openVerifier } from "../../modules/ethash/mod.ts";
import { createKeys, listOf, openStore, recordOf } from "../../modules/ledger/mod.ts";
import { buildLoad, startLoad } from "../../scripts/bench_stratum/parts.ts";
import { startDevChain } from "../../scripts/dev_chain/start.ts";
import { LineClient } from "../support/line_client.ts";
import { freePorts, type PoolPorts, startPool } from "../support/pool.ts";
import { startRedis } from "../support/redis.ts";

const LOGIN = "0x" + "11".repeat(20);
const keys = createKeys("t");

function config(name: string, dir: string, node: string, redis: string, ports: PoolPorts) {
  return {
    ...{ threads: 2, coin: "t", name, dataDir: `${dir}/${name}`, extranonce: "leased" },
    network: { chainId: 1337, algorithm: "ethash", rewards: [{ fromHeight: 0, reward: "2" }] },
    proxy: {
      // Difficulty 1: every nonce is a share.
      ...{ enabled: true, listen: `127.0.0.1:${ports.getwork}`, difficulty: 1 },
      stratum: { enabled: true, listen: `127.0.0.1:${ports.stratum}` },
    },
    api: { enabled: true, listen: `127.0.0.1:${ports.api}` },
    upstream: [{ name: "dev", url: node }],
    redis: { endpoint: redis },
  };
}

Deno.test("two instances over one Redis", async (t) => {
  const dir = await Deno.makeTempDir({ prefix: "quarry-instances-" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  const redis = stack.use(await startRedis({ durable: true }));
  const verifier = openVerifier({ rule: { algorithm: "ethash" }, log: silentLogger });
  stack.defer(() => verifier.close());
  await verifier.prepare(1);
  const chain = stack.use(
    await startDevChain({
      ...{ coinbase: "0x" + "ab".repeat(20), difficulty: 10n ** 15n, pow: verifier },
    }),
  );
  const [a, b] = [freePorts(), freePorts()];
  const start = (name: string, ports: PoolPorts) =>
    startPool(`${dir}/${name}.json`, config(name, dir, chain.url, redis.endpoint, ports), ports);
  const [one, other] = await Promise.all([start("one", a), start("other", b)]);
  stack.use(one);
  stack.use(other);
  const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  stack.defer(() => store.close());
  const stored = async () => listOf(await store.command("ZRANGE", keys.pow(), "0", "-1"));

  await t.step("a share counts once, whoever sends it again and however it is spelt", async () => {
    const first = await LineClient.stratum1(a.stratum, LOGIN);
    assert.equal(first.extranonce.length, 6, "three bytes with several instances");
    const nonce = first.extranonce + "00000000c1";
    assert.equal(await first.submitPart("00000000c1"), "true");
    const header = first.headerHash;
    const { mix } = await verifier.hash(1, hexToBytes(header), BigInt("0x" + nonce));
    const again = async (client: LineClient, text: (hex: string) => string = (hex) => hex) =>
      await client.submitWhole(text("0x" + nonce), text(header), text(bytesToHex(mix)));
    const upper = (hex: string) => "0x" + hex.slice(2).toUpperCase();
    assert.equal(await first.submitPart("00000000c1"), "Duplicate share");
    assert.equal(await first.submitPart("00000000C1"), "Duplicate share");
    assert.match(await first.submitPart("000000c1"), /expected 10 hex digits/);
    assert.match(await first.submitPart("0000000000c1"), /expected 10 hex digits/);
    const ports = [a.stratum, b.stratum];
    for (const port of ports) {
      const proxy = await LineClient.ethProxy(port, LOGIN);
      assert.equal(await again(proxy), "Duplicate share");
      assert.equal(await again(proxy, upper), "Duplicate share");
      proxy.close();
    }
    // Another session has another extranonce, on either instance.
    const second = await LineClient.stratum1(b.stratum, LOGIN);
    assert.notEqual(second.extranonce, first.extranonce);
    assert.notEqual(second.extranonce.slice(0, 2), first.extranonce.slice(0, 2));
    assert.equal(await second.submitPart("00000000c1"), "true");
    first.close();
    second.close();
    // A restart forgets the process's own memory, not the ledger's.
    await one.killAndRestart();
    const back = await LineClient.ethProxy(a.stratum, LOGIN);
    assert.equal(await again(back), "Duplicate share");
    back.close();
    assert.equal((await stored()).length, 2);
    const round = recordOf(await store.command("HGETALL", keys.roundCurrent()));
    assert.equal(round[LOGIN], "2");
  });

  await t.step("under load every true is stored once, and nothing else is", async () => {
    await buildLoad();
    const before = (await stored()).length;
    const files = ["one", "other"].map((name) => `${dir}/${name}.nonces`);
    const loads = [a, b].map(({ stratum: port }, i) =>
      startLoad({ port, sessions: 64, active: 64, seconds: 3, rate: 0, nonces: files[i]! })
    );
    const done = await Promise.all(loads.map((load) => load.next("done")));
    for (const load of loads) await load[Symbol.asyncDispose]();
    for (const { accepted, rejected, unanswered, lost } of done) {
      assert.ok(Number(accepted) > 100, `${accepted} accepted`);
      assert.deepEqual([rejected, unanswered, lost], [0, 0, 0]);
    }
    const members = await stored();
    const nonces = new Set(members.map((member) => member.slice(2, 18)));
    const told = (await Promise.all(files.map((file) => Deno.readTextFile(file)))).join("")
      .split("\n").filter((nonce) => nonce !== "");
    assert.equal(new Set(told).size, told.length, "no nonce was told true twice");
    for (const nonce of told) assert.ok(nonces.has(nonce), `${nonce} was told true`);
    assert.equal(members.length, before + told.length);
    const round = recordOf(await store.command("HGETALL", keys.roundCurrent()));
    const sum = Object.values(round).reduce((total, value) => total + BigInt(value), 0n);
    assert.equal(sum, BigInt(members.length));
  });
});
