/** The Deno worker of alerts with the rights that the pool gives it: a mail goes out. */
import assert from "node:assert/strict";
import { createLogger, type LogRecord, silentLogger, systemClock } from "../base/mod.ts";
import { createKeys, openStore, readAlertState } from "../ledger/mod.ts";
import { supervise, type Supervised } from "../workers/mod.ts";
import { until } from "../../tests/support/process.ts";
import { startMailReceiver } from "../../tests/support/receivers.ts";
import { startRedis } from "../../tests/support/redis.ts";
import type { AlertsWorkerOptions, ToAlerts } from "./options.ts";

Deno.test("worker.ts mails with the network as its only right", async () => {
  await using redis = await startRedis();
  await using smtp = await startMailReceiver();
  const connection = { endpoint: redis.endpoint, database: 0, password: "" };
  const options: AlertsWorkerOptions = {
    ...{ prefix: "etc", redis: connection, logLevel: "info", instance: "main" },
    ...{ pool: "etc", currency: "ETC" },
    alerts: {
      smtp: {
        ...{ host: "127.0.0.1", port: smtp.port, secure: false, user: "pool", password: "secret" },
        ...{ from: "pool@example.org", to: "operator@example.org" },
      },
      ...{ all: false, minerWebhooks: false, silentAfterMs: 600_000, intervalMs: 50 },
    },
  };
  const logs: LogRecord[] = [];
  const sink = (record: LogRecord) => logs.push(record);
  const worker: Supervised<ToAlerts> = supervise({
    ...{ name: "alerts", options, url: new URL("./worker.ts", import.meta.url) },
    permissions: {
      ...{ net: "inherit", sys: "inherit", env: false, ffi: false, run: false },
      ...{ read: [redis.endpoint], write: [redis.endpoint] },
    },
    ...{ onEvent: () => {}, onHung: () => {} },
  }, { log: createLogger(sink, "main"), sink, clock: systemClock });
  const store = await openStore(connection, { log: silentLogger });
  const deps = { store, keys: createKeys("etc") };
  await until("the first look", async () => await readAlertState(deps) !== undefined);
  const now = Math.floor(Date.now() / 1000) + 2;
  await store.command("ZADD", "etc:blocks:candidates", "7", `0xn:0xh:0xm:${now}:5:5`);
  await until(`the mail; ${JSON.stringify(logs)}`, () => smtp.mails.length > 0);
  assert.match(smtp.mails[0]!.text, /The pool found block 7\./);
  const { smtp: mail, ...others } = options.alerts;
  worker.send({
    kind: "adjust",
    alerts: { ...others, smtp: { ...mail!, to: "night@example.org" } },
  });
  await store.command("ZADD", "etc:blocks:candidates", "8", `0xm:0xh:0xm:${now + 5}:5:5`);
  await until("the other mail", () => smtp.mails.some(({ text }) => /found block 8/.test(text)));
  assert.match(JSON.stringify(smtp.mails.at(-1)), /night@example\.org/);
  assert.equal(await worker.stop(5_000), true);
  await store.close();
});
