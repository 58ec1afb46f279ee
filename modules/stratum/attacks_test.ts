/**
 * What brought other pools down, tried on this one over TCP. Numbers are those of weaknesses found
 * by reading and running their code: OEP open-ethereum-pool, CORE core-pool, FRI
 * open-etc-pool-friends, MC miningcore. Not at this door: work of three elements (CORE 17), see
 * modules/chain/node_test.ts; settings of somebody else's account (FRI 23), see
 * modules/api/settings_door_test.ts.
 */
import assert from "node:assert/strict";
import { doorDeps } from "../../tests/support/door.ts";
import { LineClient } from "../../tests/support/line_client.ts";
import { until } from "../../tests/support/process.ts";
import { openWholeDoor, type WholeDoor } from "../../tests/support/whole_door.ts";
import type { Job } from "../work/mod.ts";
import { serveNotify } from "./notify_door.ts";

const LOGIN = "0x" + "11".repeat(20);
const MIX = "0x" + "cd".repeat(32);
const AGENT = ["t/1", "EthereumStratum/1.0.0"];

/** The words of an answer that is no success. */
function refusal({ error }: Record<string, unknown>): string {
  return String(Array.isArray(error) ? error[1] : (error as { message: string }).message);
}

/** Submits an honest share of a job over eth-proxy. */
async function submitHonest(door: WholeDoor, client: LineClient, job: Job, nonce: string) {
  return await client.submitWhole(nonce, job.headerHash, await door.mix(job, nonce));
}

async function logIn(door: WholeDoor): Promise<LineClient> {
  const client = await LineClient.connect(door.port);
  assert.equal((await client.ask("eth_submitLogin", [LOGIN])).result, true);
  return client;
}

async function post(port: number, path: string, body: unknown): Promise<Response> {
  return await fetch(`http://127.0.0.1:${port}${path}`, {
    ...{ method: "POST", body: JSON.stringify(body) },
  });
}

Deno.test("OEP 1: a submission before any work was there is refused, in every dialect", async () => {
  await using door = await openWholeDoor();
  const proxy = await logIn(door);
  const header = "0x" + "ab".repeat(32);
  assert.equal(refusal(await proxy.ask("eth_getWork", [])), "Work not ready");
  assert.match(await proxy.submitWhole("0x00000000000000c1", header, MIX), /Job not found|unknown/);
  const second = await LineClient.connect(door.port);
  await second.ask("mining.subscribe", AGENT);
  assert.equal((await second.ask("mining.authorize", [LOGIN])).result, true);
  assert.match(refusal(await second.ask("mining.submit", ["x", "00000000", "00"])), /Job not/);
  const third = await LineClient.connect(door.port);
  await third.ask("mining.hello", {});
  await third.ask("mining.subscribe");
  await third.ask("mining.authorize", [LOGIN]);
  assert.match(refusal(await third.ask("mining.submit", ["0", "00", "w-1"])), /Job not found/);
  const response = await post(door.port, `/${LOGIN}`, {
    ...{ id: 1, method: "eth_submitWork", params: ["0x00000000000000c1", header, MIX] },
  });
  assert.match(await response.text(), /"error"/);
  // The same sessions go on when work comes.
  const job = door.setJob(10);
  assert.equal(await submitHonest(door, proxy, job, "0x00000000000000c1"), "true");
  for (const client of [proxy, second, third]) client.close();
});

Deno.test("OEP 4: floods end with the socket closed and the slot free, from both sides", async () => {
  await using door = await openWholeDoor({
    policy: { limits: { enabled: false, limit: 0, graceMs: 0, limitJump: 0, perAddress: 16 } },
    stratum: { maxConn: 16 },
  });
  door.setJob(10);
  const junk = [
    ...["[]\n".repeat(2_000), "x".repeat(100_000), "\n".repeat(100_000) + "{}\n".repeat(20)],
    `{"id":1,"method":"eth_getWork"}\n`.repeat(5) + `{"id":1,"method":"nonsense"}\n`.repeat(50),
  ];
  for (let round = 0; round < 3; round++) {
    await Promise.all(Array.from({ length: 16 }, async (_, i) => {
      const client = await LineClient.connect(door.port);
      // The pool may close while the rest is still being written.
      await client.send(junk[i % junk.length]!).catch(() => {});
      // The other half leaves by itself, in the middle of everything.
      if (i % 8 < 4) { while (await client.line().catch(() => null) !== null); }
      client.close();
    }));
    await until("all sessions gone", () => door.server.sessions === 0);
  }
  const client = await logIn(door);
  assert.ok(Array.isArray((await client.ask("eth_getWork", [])).result));
  client.close();
});

Deno.test("OEP 13: no hash for repeats, strangers and old headers, one for a share; no work of a dead node", async () => {
  await using door = await openWholeDoor();
  const old = door.setJob(1);
  const job = door.setJob(10);
  const client = await logIn(door);
  const nonce = "0x00000000000000c1";
  const mix = await door.mix(job, nonce);
  assert.equal(await client.submitWhole(nonce, job.headerHash, mix), "true");
  assert.equal(door.hashes(), 1);
  for (let i = 0; i < 20; i++) {
    assert.equal(await client.submitWhole(nonce, job.headerHash, mix), "Duplicate share");
    assert.match(await client.submitWhole(nonce, "0x" + "ee".repeat(32), mix), /Job not found/);
    assert.match(await client.submitWhole(nonce, old.headerHash, mix), /Stale/);
  }
  assert.equal(door.hashes(), 1);
  door.jobs.suspend();
  assert.equal(refusal(await client.ask("eth_getWork", [])), "Work not ready");
  client.close();
});

Deno.test("OEP 13: a session's submissions have a rate, and what is above it costs no hash", async () => {
  await using door = await openWholeDoor({
    policy: { limits: { enabled: false, limit: 0, graceMs: 0, limitJump: 0, sharesPerSecond: 1 } },
  });
  const job = door.setJob(10);
  const client = await logIn(door);
  const answers: string[] = [];
  for (let n = 0; n < 60; n++) {
    const nonce = "0x" + n.toString(16).padStart(16, "0");
    answers.push(await client.submitWhole(nonce, job.headerHash, MIX));
  }
  const over = answers.filter((answer) => /Too many shares a second/.test(answer)).length;
  assert.ok(over > 0);
  assert.equal(door.hashes(), 60 - over);
  client.close();
});

Deno.test("CORE 17: nonces too short and logins without worker are answered, not fatal", async () => {
  await using door = await openWholeDoor();
  const job = door.setJob(10);
  const strange = ["", "0", "0x", "0x0", null, 0, [], {}, "zz", "0".repeat(17), "-1"];
  for (const nonce of strange) {
    const client = await LineClient.stratum1(door.port, LOGIN);
    const answer = await client.ask("mining.submit", [LOGIN, client.jobId, nonce]);
    assert.match(refusal(answer), /check nonce/, `${JSON.stringify(nonce)}`);
    const whole = [LOGIN, client.jobId, nonce, client.headerHash, MIX];
    assert.match(refusal(await client.ask("mining.submit", whole)), /check nonce/);
    client.close();
  }
  const second = await LineClient.connect(door.port);
  await second.ask("mining.hello", {});
  await second.ask("mining.subscribe");
  assert.equal((await second.ask("mining.authorize", [LOGIN])).result, "w-1");
  assert.match(refusal(await second.ask("mining.submit", ["", "", "w-1"])), /check|Job not found/);
  const client = await logIn(door);
  assert.equal(await submitHonest(door, client, job, "0x00000000000000c1"), "true");
  for (const one of [client, second]) one.close();
});

Deno.test("CORE 18: random headers cost no hash, and a late share of the last epoch counts", async () => {
  await using door = await openWholeDoor();
  const last = door.setJob(29_999);
  const client = await logIn(door);
  const mix = await door.mix(last, "0x00000000000000c1");
  for (let n = 0; n < 50; n++) {
    const header = "0x" + n.toString(16).padStart(64, "9");
    assert.match(await client.submitWhole("0x00000000000000c1", header, MIX), /Job not found/);
  }
  assert.equal(door.hashes(), 0);
  const first = door.setJob(30_000);
  assert.equal(await submitHonest(door, client, first, "0x00000000000000c2"), "true");
  assert.equal(await client.submitWhole("0x00000000000000c1", last.headerHash, mix), "true");
  assert.deepEqual(await door.round(), { [LOGIN]: "2" });
  client.close();
});

Deno.test("CORE 19: extranonces come back and their end is an answer; they bind without a subscription", async () => {
  // 15 of them.
  await using door = await openWholeDoor({ parts: 4_096 });
  const job = door.setJob(30_010);
  for (let n = 0; n < 15; n++) (await LineClient.stratum1(door.port, LOGIN)).close();
  await until("all sessions gone", () => door.server.sessions === 0);
  const late = await LineClient.connect(door.port);
  assert.match(refusal(await late.ask("mining.subscribe", AGENT)), /No extranonce is left/);
  assert.equal(await late.line().catch(() => null), null);
  late.close();
  for (let height = 30_011; height <= 30_017; height++) door.setJob(height);
  const seen = new Set<string>();
  const clients: LineClient[] = [];
  for (let n = 0; n < 15; n++) clients.push(await LineClient.stratum1(door.port, LOGIN));
  for (const client of clients) seen.add(client.extranonce);
  assert.equal(seen.size, 15);
  // Never asked for mining.extranonce.subscribe, and held to it: what it sends is completed by it.
  const [client] = clients;
  assert.equal(await client!.submitPart("00000000c1ff"), "true");
  const [member] = await door.store.command("ZRANGE", "t:pow", "0", "-1") as string[];
  assert.equal(member!.split(":")[0], `0x${client!.extranonce}00000000c1ff`);
  assert.match(await client!.submitPart("00000000000000ff"), /expected 12 hex digits/);
  for (const one of clients.slice(0, 14)) one.close();
  await until("one session", () => door.server.sessions === 1);
  for (let height = 30_018; height <= 30_025; height++) door.setJob(height);
  // Four elements in each notify, and the epoch of the height in 2.0.0.
  const second = await LineClient.connect(door.port);
  await second.ask("mining.hello", {});
  await second.ask("mining.subscribe");
  await second.ask("mining.authorize", [LOGIN]);
  const [set, notify] = [await second.line(), await second.line()].map((line) => JSON.parse(line!));
  assert.equal(set.params.epoch, "1");
  assert.equal(notify.params.length, 4);
  assert.ok(job.height < 30_017);
  for (const one of [clients[14]!, second]) one.close();
});

Deno.test("FRI 21: new jobs reach NiceHash sessions and getwork alike, whatever difficulty is asked", async () => {
  await using door = await openWholeDoor();
  door.setJob(10);
  const clients: LineClient[] = [];
  for (const password of ["x", "d=0", "d=-1", "d=1e999", "d=NaN", "diff=0"]) {
    const client = await LineClient.connect(door.port);
    const { result } = await client.ask("mining.subscribe", ["NiceHash/1.0.0", AGENT[1]]);
    client.extranonce = (result as string[])[1]!;
    assert.equal((await client.ask("mining.authorize", [LOGIN, password])).result, true);
    clients.push(client);
  }
  for (let height = 11; height < 15; height++) {
    const job = door.setJob(height);
    for (const client of clients) {
      while (client.headerHash !== job.headerHash) await client.ask("mining.noop", []);
      assert.equal(await client.submitPart("00000000c1ff"), "true");
    }
    const work = await post(door.port, `/${LOGIN}`, { id: 1, method: "eth_getWork" });
    assert.equal((await work.json()).result[0], job.headerHash);
  }
  assert.deepEqual(await door.round(), { [LOGIN]: "24" });
  for (const client of clients) client.close();
});

Deno.test("FRI 22: nobody replaces the work over HTTP", async () => {
  await using door = await openWholeDoor();
  const job = door.setJob(10);
  const client = await LineClient.stratum1(door.port, LOGIN);
  const forged = ["0x" + "ee".repeat(32), "0x" + "00".repeat(32), "0x" + "ff".repeat(32), "0xb"];
  const bodies = [forged, { result: forged }, { id: 1, jsonrpc: "2.0", result: forged }, [], [
    "0x",
  ]];
  for (const path of ["/ethw", "/", "/main", `/${LOGIN}`]) {
    for (const body of bodies) {
      const response = await post(door.port, path, body);
      assert.ok(path === `/${LOGIN}` || response.status === 404, `${path}: ${response.status}`);
      await response.body?.cancel();
    }
  }
  // The door that nodes push to hears nobody but the nodes.
  const pushes: unknown[] = [];
  const notify = await serveNotify({
    ...{ hostname: "127.0.0.1", port: 0, nodes: [{ name: "a", notifyFrom: ["192.0.2.1/32"] }] },
  }, { ...doorDeps, onPush: (...push) => pushes.push(push) });
  for (const body of bodies) {
    const response = await post(notify.port, "/a", body);
    assert.equal(response.status, 403);
    await response.body?.cancel();
  }
  await notify.close(1_000);
  assert.deepEqual(pushes, []);
  assert.equal(door.jobs.current, job);
  const work = await post(door.port, `/${LOGIN}`, { id: 1, method: "eth_getWork" });
  assert.equal((await work.json()).result[0], job.headerHash);
  await client.ask("mining.noop", []);
  assert.equal(client.headerHash, job.headerHash, "nothing was pushed");
  client.close();
});

Deno.test("FRI 23: a login with anybody's address and any password or worker changes nothing of theirs", async () => {
  await using door = await openWholeDoor();
  const job = door.setJob(10);
  const settings = { balance: "5", payoutthreshold: "7", password: "secret", email: "a@b.c" };
  await door.store.command("HSET", `t:miners:${LOGIN}`, ...Object.entries(settings).flat());
  const before = await door.store.command("KEYS", "*");
  for (const worker of ["payoutthreshold", "password", "balance", "email", "ip_address"]) {
    const client = await LineClient.connect(door.port);
    await client.ask("eth_submitLogin", [`${LOGIN}.${worker}`, "stolen,payoutthreshold=1"]);
    await client.ask("eth_submitHashrate", ["0x1", "0x" + "00".repeat(32)]);
    client.close();
  }
  assert.deepEqual(await door.store.command("KEYS", "*"), before);
  const client = await LineClient.connect(door.port);
  await client.ask("eth_submitLogin", [`${LOGIN}.password`, "stolen"]);
  assert.equal(await submitHonest(door, client, job, "0x00000000000000c1"), "true");
  const names = Object.keys(settings);
  const kept = await door.store.command("HMGET", `t:miners:${LOGIN}`, ...names);
  assert.deepEqual(kept, Object.values(settings));
  const fields = await door.store.command("HKEYS", `t:miners:${LOGIN}`) as string[];
  assert.deepEqual(fields.sort(), [...names, "lastShare"].sort());
  client.close();
});

Deno.test("FRI 24: a share is never accepted again, however many heights later", async () => {
  await using door = await openWholeDoor();
  const nonce = "0x00000000000000c1";
  const job = door.setJob(100);
  const client = await logIn(door);
  assert.equal(await submitHonest(door, client, job, nonce), "true");
  const mix = await door.mix(job, nonce);
  for (let height = 101; height <= 130; height++) {
    const next = door.setJob(height);
    // Each height brings a share, which is what trims the pool's memory of old ones.
    const fresh = await submitHonest(door, client, next, "0x00000000000000c2");
    assert.equal(fresh, "true");
    const again = await client.submitWhole(nonce, job.headerHash, mix);
    assert.match(
      again,
      height < 107 ? /Duplicate share/ : /Stale share|Job not found/,
      `${height}`,
    );
  }
  assert.deepEqual(await door.round(), { [LOGIN]: "31" });
  client.close();
});

Deno.test("MC 28: one nonce counts once over all connections and spellings, and none is stored unread", async () => {
  await using door = await openWholeDoor();
  const job = door.setJob(10);
  const nonce = "0x00000000000abcde";
  const mix = await door.mix(job, nonce);
  const clients = await Promise.all(Array.from({ length: 12 }, () => logIn(door)));
  const answers = await Promise.all(
    clients.map((client, i) => {
      const text = i % 2 === 0 ? nonce : "0x" + nonce.slice(2).toUpperCase();
      return client.submitWhole(text, job.headerHash, mix);
    }),
  );
  assert.equal(answers.filter((answer) => answer === "true").length, 1, `${answers}`);
  assert.equal(answers.filter((answer) => answer === "Duplicate share").length, 11);
  const miner = await LineClient.connect(door.port);
  await miner.ask("mining.subscribe", []);
  await miner.ask("mining.authorize", [LOGIN]);
  await miner.line();
  for (const zeros of ["0", "00", "0".repeat(100), "0".repeat(3_000)]) {
    const text = "0x" + zeros + nonce.slice(2);
    assert.match(await clients[0]!.submitWhole(text, job.headerHash, mix), /check nonce/);
  }
  assert.match(await clients[1]!.submitWhole(nonce.slice(6), job.headerHash, mix), /check nonce/);
  // 32 KiB of nonce end the connection before anything looks at them.
  await miner.send(
    JSON.stringify({ id: 9, method: "mining.submit", params: ["0".repeat(32_768)] }),
  );
  assert.match((await miner.line())!, /longer than 4096 bytes/);
  assert.equal(await miner.line().catch(() => null), null);
  assert.deepEqual(await door.round(), { [LOGIN]: "1" });
  assert.equal(await door.store.command("ZCARD", "t:pow"), 1);
  for (const client of [...clients, miner]) client.close();
});
