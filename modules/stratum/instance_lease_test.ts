/** A lost instance number on a real Redis: who can be told gets another extranonce, the rest go. */
import assert from "node:assert/strict";
import { createLogger, FakeClock, type LogRecord, silentLogger } from "../base/mod.ts";
import { createKeys, leaseInstance, openStore } from "../ledger/mod.ts";
import { doorDeps, scriptedDoor, scriptedJob } from "../../tests/support/door.ts";
import { LineClient } from "../../tests/support/line_client.ts";
import { until } from "../../tests/support/process.ts";
import { startRedis } from "../../tests/support/redis.ts";
import { Extranonces } from "./extranonce.ts";
import { leasePrefix } from "./instance_lease.ts";
import { serveStratum } from "./server.ts";

const LOGIN = "0x" + "11".repeat(20);
const keys = createKeys("t");

/** An instance that leases, and a way to take its number away. */
async function lease(stack: AsyncDisposableStack, instance?: number) {
  const redis = stack.use(await startRedis());
  const connection = { endpoint: redis.endpoint, database: 0, password: "" };
  const store = await openStore(connection, { log: silentLogger });
  stack.defer(() => store.close());
  const clock = new FakeClock();
  const end = new AbortController();
  stack.defer(() => end.abort(new Error("the test is over")));
  const logs: LogRecord[] = [];
  const changes: string[] = [];
  const extranonce = { leased: true, ...(instance === undefined ? {} : { instance }) };
  const options = { name: "one", extranonce, worker: { redis: connection, prefix: "t" } };
  const prefix = await leasePrefix(options as Parameters<typeof leasePrefix>[0], {
    ...{ clock, signal: end.signal, onChange: (prefix: string) => changes.push(prefix) },
    log: createLogger((record) => logs.push(record), "mining"),
  });
  const lose = async () => {
    await store.command("ZADD", keys.own.instancesUntil(), "0", String(Number("0x" + prefix)));
    const taken = { holder: "other", lifeMs: 3_600_000, wanted: Number("0x" + prefix) };
    assert.equal(await leaseInstance({ store, keys }, taken), taken.wanted);
    await clock.advance(60_000);
  };
  return { prefix, changes, logs, lose };
}

/** Everything that is pushed until a job comes. */
async function pushed(client: LineClient) {
  const said: { method: string; params: unknown }[] = [];
  while (said.at(-1)?.method !== "mining.notify") said.push(JSON.parse((await client.line())!));
  return said;
}

Deno.test("leasePrefix() takes another number when its own is lost, and says so", async () => {
  await using stack = new AsyncDisposableStack();
  const { prefix, changes, logs, lose } = await lease(stack);
  assert.equal(prefix, "00");
  await lose();
  await until("another number", () => changes.length > 0);
  assert.deepEqual(changes, ["01"]);
  const { level, facts } = logs.find(({ event }) => event === "extranonce.leaseLost")!;
  assert.deepEqual([level, facts], ["warn", { instance: 0, now: 1 }]);
});

Deno.test("leasePrefix() never leaves the number that the configuration names", async () => {
  await using stack = new AsyncDisposableStack();
  const { prefix, changes, logs, lose } = await lease(stack, 7);
  assert.equal(prefix, "07");
  await lose();
  await until("the log line", () => logs.some(({ event }) => event === "extranonce.leaseLost"));
  assert.deepEqual(changes, []);
  const { level, facts } = logs.find(({ event }) => event === "extranonce.leaseLost")!;
  assert.deepEqual([level, facts], ["error", { instance: 7, mend: "choose another instance" }]);
});

Deno.test("a lost number gives sessions another extranonce and job, or sends them away", async () => {
  await using stack = new AsyncDisposableStack();
  const { prefix, changes, lose } = await lease(stack);
  const door = scriptedDoor();
  const extranonces = new Extranonces({ prefix, part: 0, parts: 1 });
  Object.assign(door.service.deps, { extranonces });
  Object.assign(door.service.deps.bindings.deps, { digits: 6 });
  const logs: LogRecord[] = [];
  const server = await serveStratum({
    ports: [{
      ...{ listen: { hostname: "127.0.0.1", port: 0 }, proxyProtocol: false },
      ...{ difficulty: 2_000_000_000n, scheme: "prop" },
    }],
    ...{ trustedProxies: [], maxConn: 8, timeoutMs: 60_000, loginTimeoutMs: 60_000 },
    reusePort: false,
  }, {
    ...{ service: door.service, clock: doorDeps.clock },
    log: createLogger((record) => logs.push(record), "stratum"),
  });
  stack.defer(() => server.close());
  const [port] = server.ports;

  const subscribed = await LineClient.stratum1(port!, LOGIN);
  await subscribed.ask("mining.extranonce.subscribe", []);
  const solo = await LineClient.stratum1(port!, `solo:${LOGIN}`);
  await solo.ask("mining.extranonce.subscribe", []);
  const plain = await LineClient.stratum1(port!, LOGIN);
  const proxy = await LineClient.ethProxy(port!, LOGIN);
  const second = await LineClient.connect(port!);
  await second.ask("mining.hello", {});
  await second.ask("mining.subscribe");
  await second.ask("mining.authorize", [LOGIN]);
  const [set, first] = await pushed(second);
  const { extranonce } = set!.params as { extranonce: string };
  assert.deepEqual([subscribed.extranonce, extranonce], ["000001", "000004"]);

  await lose();
  await until("another number", () => changes.length > 0);
  extranonces.rebase(changes[0]!);
  await server.renewExtranonces();

  const [renewed, job, ...rest] = await pushed(subscribed);
  assert.deepEqual(rest, []);
  assert.equal(renewed!.method, "mining.set_extranonce");
  const [next] = renewed!.params as string[];
  assert.match(next!, /^01[0-9a-f]{4}$/);
  const submit = async (client: LineClient, params: unknown[]) => {
    await client.ask("mining.submit", params);
    return door.submissions.at(-1)!.nonce;
  };
  // The old job still counts under the old extranonce, the new one under the new one.
  const [jobId] = job!.params as string[];
  assert.notEqual(jobId, subscribed.jobId);
  const part = "0000000001";
  assert.equal(await submit(subscribed, [LOGIN, subscribed.jobId, part]), `0x000001${part}`);
  assert.equal(await submit(subscribed, [LOGIN, jobId, part]), `0x${next}${part}`);

  const [change, again] = await pushed(second);
  assert.deepEqual(Object.keys(change!.params as object), ["extranonce"]);
  const other = (change!.params as { extranonce: string }).extranonce;
  assert.match(other, /^01[0-9a-f]{4}$/);
  const [oldId, newId] = [first, again].map((notify) => (notify!.params as string[])[0]);
  assert.equal(await submit(second, [oldId, part, "w-1"]), `0x${extranonce}${part}`);
  assert.equal(await submit(second, [newId, part, "w-1"]), `0x${other}${part}`);

  // A solo session's binding goes over to the new extranonce, from two heights above on.
  const [soloSet, soloJob] = await pushed(solo);
  const bound = (soloSet!.params as string[])[0]!;
  await submit(solo, [LOGIN, (soloJob!.params as string[])[0], part]);
  assert.equal(door.terms.at(-1)!.scheme, "prop");
  const { bindings } = door.service.deps;
  const { height } = scriptedJob(1);
  assert.equal(await bindings.schemeOf(`0x${bound}${part}`, height + 1), "prop");
  assert.equal(await bindings.schemeOf(`0x${bound}${part}`, height + 2), "solo");

  // Who never asked for changes is sent away; who has no extranonce notices nothing.
  assert.equal(await plain.line().catch(() => null), null);
  assert.equal((await proxy.ask("eth_getWork", [])).error, undefined);
  const { facts } = logs.find(({ event }) => event === "extranonce.renewed")!;
  assert.deepEqual([facts.told, facts.sentAway], [3, 1]);
  // New sessions have the new number; nothing of the old one comes back.
  const fresh = await LineClient.stratum1(port!, LOGIN);
  assert.match(fresh.extranonce, /^01/);
  for (const client of [subscribed, solo, plain, proxy, second, fresh]) client.close();
});
