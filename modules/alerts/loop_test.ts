/** Alerts from a real ledger through real receivers: webhook, Telegram's API shape, SMTP. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { type ApiWorld, openApiWorld } from "../../tests/support/old_pool.ts";
import { startHttpReceiver, startMailReceiver } from "../../tests/support/receivers.ts";
import { createLogger, type LogRecord } from "../base/mod.ts";
import type { AlertsConfig } from "../config/mod.ts";
import { acquireLease, createSettings, releaseLease, writeStatus } from "../ledger/mod.ts";
import { openChannels } from "./channels.ts";
import { lookOnce } from "./loop.ts";

const L = "0x" + "11".repeat(20);
const NOW_MS = 1_700_000_000_000, NOW = NOW_MS / 1000;

/** Someone who holds the lease and looks; time goes on until it has told all. */
async function looker(world: ApiWorld, alerts: AlertsConfig) {
  const logs: LogRecord[] = [];
  const log = createLogger((record) => logs.push(record), "alerts", "debug");
  const channels = openChannels(alerts, "etc");
  const lease = await acquireLease(world, "alerts", "a", 600_000);
  assert.ok("token" in lease);
  const deps = { ...world, log, channels, resolve: () => Promise.resolve([]) };
  const options = { alerts, currency: "ETC", instance: "a" };
  const { signal } = new AbortController();
  return {
    ...{ logs, lease },
    async look(): Promise<void> {
      const looking = lookOnce(options, deps, lease, signal);
      let done = false;
      looking.catch(() => {}).finally(() => done = true);
      while (!done) await world.clock.advance(1_000);
      await looking;
    },
    [Symbol.dispose]: () => channels.close(),
  };
}

async function addBlock(world: ApiWorld, height: number): Promise<void> {
  const row = `0x${height}:0xh:0xm:${NOW + height}:5:5`;
  await world.store.command("ZADD", "eth:blocks:candidates", String(height), row);
}

Deno.test("lookOnce() tells operator and miner by each channel, once", async () => {
  await using world = await openApiWorld({ nowMs: NOW_MS });
  await using http = startHttpReceiver();
  await using smtp = await startMailReceiver();
  const alerts: AlertsConfig = {
    webhook: { url: `${http.url}/hook`, secret: "hush" },
    telegram: { token: "123:ABC", chat: "42", api: http.url },
    smtp: {
      ...{ host: "127.0.0.1", port: smtp.port, secure: false, user: "pool", password: "secret" },
      ...{ from: "pool@example.org", to: "operator@example.org" },
    },
    ...{ all: false, minerWebhooks: false, silentAfterMs: 600_000, intervalMs: 15_000 },
  };
  using it = await looker(world, alerts);
  await createSettings(world).write(L, { notify: "rig@example.org", nonce: 1, updatedAt: NOW });
  await it.look();
  assert.equal(http.received.length + smtp.mails.length, 0);
  await world.store.command("ZADD", "eth:payments:all", String(NOW + 1), `0xt:${L}:2500000000`);
  await world.store.command("ZADD", "eth:blocks:candidates", "7", `0xn:0xh:0xm:${NOW + 1}:5:5`);
  await writeStatus(world, "payer", { state: "halted", reason: "a", mend: "b", sinceMs: 1 });
  await it.look();
  await it.look();
  const hooks = http.received.filter(({ path }) => path === "/hook");
  assert.deepEqual(hooks.map(({ body }) => JSON.parse(body).kind), ["block.found", "loop.halted"]);
  const expected = createHmac("sha256", "hush").update(hooks[0]!.body).digest("hex");
  assert.equal(hooks[0]!.headers.get("x-quarry-signature"), `sha256=${expected}`);
  const bot = http.received.filter(({ path }) => path === "/bot123:ABC/sendMessage");
  assert.deepEqual(bot.map(({ body }) => JSON.parse(body)), [
    { chat_id: "42", text: "etc: The pool found block 7." },
    { chat_id: "42", text: "etc: The payer has halted: a. To mend it: b." },
  ]);
  assert.deepEqual(smtp.mails.map(({ to }) => to[0]), [
    ...["operator@example.org", "rig@example.org", "operator@example.org"],
  ]);
  assert.match(smtp.mails[1]!.text, /2\.5 ETC were paid to 0x1{40}\./);
});

Deno.test("lookOnce() tries again, gives up with a line in the log, and never logs a secret", async () => {
  await using world = await openApiWorld({ nowMs: NOW_MS });
  let answers = 0;
  await using http = startHttpReceiver(() => ++answers === 2 ? 200 : 500);
  const alerts: AlertsConfig = {
    telegram: { token: "123:HIDDEN", chat: "42", api: http.url },
    ...{ all: true, minerWebhooks: false, silentAfterMs: 600_000, intervalMs: 15_000 },
  };
  using it = await looker(world, alerts);
  await it.look();
  async function find(height: number): Promise<void> {
    await addBlock(world, height);
    await it.look();
  }
  await find(1);
  assert.equal(http.received.length, 2);
  answers = 10;
  await find(2);
  assert.equal(http.received.length, 5);
  const failures = it.logs.filter(({ event }) => event === "alert.failed");
  assert.equal(failures.length, 4);
  assert.match(String(failures[0]!.facts.error), /Telegram answered 500/);
  await http[Symbol.asyncDispose]();
  await find(3);
  assert.match(JSON.stringify(it.logs.at(-1)), /Telegram cannot be reached/);
  assert.ok(!JSON.stringify(it.logs).includes("HIDDEN"));
});

Deno.test("lookOnce() keeps its lease, and others waiting little, behind a target that does not answer", async () => {
  await using world = await openApiWorld({ nowMs: NOW_MS });
  await using http = startHttpReceiver();
  const alerts: AlertsConfig = {
    // Nobody listens on the discard port here.
    webhook: { url: "http://127.0.0.1:9/", secret: "hush" },
    telegram: { token: "123:ABC", chat: "42", api: http.url },
    ...{ all: true, minerWebhooks: false, silentAfterMs: 600_000, intervalMs: 15_000 },
  };
  using it = await looker(world, alerts);
  await it.look();
  for (let height = 1; height <= 4; height++) await addBlock(world, height);
  await it.look();
  assert.equal(http.received.length, 4);
  // Three tries of one alert, and none of the three others.
  assert.equal(it.logs.filter(({ event }) => event === "alert.failed").length, 3);
  assert.deepEqual(
    it.logs.filter(({ event }) => event === "alerts.given_up").map(({ facts }) => facts),
    [{ by: "webhook", alerts: 3 }],
  );
  await addBlock(world, 5);
  assert.equal(await releaseLease(world, it.lease), true);
  await acquireLease(world, "alerts", "b", 600_000);
  await assert.rejects(it.look(), /Another instance tells alerts now/);
  assert.equal(http.received.length, 4);
});
