/** The supervisor over real Deno workers that throw, refuse to start and stop. */
import assert from "node:assert/strict";
import { createLogger, type LogRecord, systemClock } from "../base/mod.ts";
import { renderMetrics } from "../metrics/mod.ts";
import { supervise } from "./supervise.ts";

const URL_OF_MOODY = new URL("../../tests/fixtures/workers/moody.ts", import.meta.url);

function start(mood: string) {
  const records: LogRecord[] = [];
  const heard: string[] = [];
  const sink = (record: LogRecord) => records.push(record);
  let ready = 0;
  const worker = supervise<{ mood: string; logLevel: "info" }, string, string>({
    ...{ name: "moody", url: URL_OF_MOODY, options: { mood, logLevel: "info" } },
    onMessage: (message) => heard.push(message),
    onReady: () => ready++,
  }, { log: createLogger(sink, "main"), sink, clock: systemClock });
  return { worker, records, heard, readies: () => ready };
}

async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 2_000 && !await check(); i++) {
    await new Promise((done) => setTimeout(done, 10));
  }
  assert.ok(await check());
}

Deno.test("supervise() runs a worker, passes messages and stops it", async () => {
  const { worker, records, heard, readies } = start("calm");
  await until(() => readies() === 1);
  worker.send("hello");
  await until(() => heard.length === 1);
  assert.deepEqual(heard, ["heard hello"]);
  assert.ok(records.some(({ room, event }) => room === "moody" && event === "moody.started"));
  assert.equal(await worker.stop(5_000), true);
  assert.equal(worker.state, "stopped");
});

Deno.test("supervise() stops a worker that waits for something at its start", async () => {
  const { worker, records } = start("wait");
  assert.equal(await worker.stop(20_000), true);
  assert.equal(worker.state, "stopped");
  assert.deepEqual(records, [], "it did not fail");
});

Deno.test("supervise() restarts a worker that dies and says why", async () => {
  const { worker, records, readies } = start("calm");
  await until(() => readies() === 1);
  worker.send("throw");
  await until(() => readies() === 2);
  const died = records.find(({ event }) => event === "worker.died")!;
  assert.match(String(died.facts["reason"]), /thrown in the worker/);
  assert.equal(worker.restarts, 1);
  assert.equal(await worker.stop(5_000), true);
});

Deno.test("what a worker counted is no metric any more once it died", async () => {
  const { worker, records, readies } = start("calm");
  const shown = async () => (await renderMetrics()).includes('quarry_heap_bytes{worker="moody"}');
  await until(() => readies() === 1);
  await until(shown);
  worker.send("throw");
  await until(() => records.some(({ event }) => event === "worker.died"));
  assert.equal(await shown(), false);
  assert.equal(await worker.stop(5_000), true);
});

Deno.test("supervise() keeps trying a worker that cannot start, with growing pauses", async () => {
  const { worker, records } = start("refuse");
  const deaths = () => records.filter(({ event }) => event === "worker.died");
  await until(() => deaths().length >= 2);
  assert.match(String(deaths()[0]!.facts["reason"]), /not today/);
  assert.ok(Number(deaths()[1]!.facts["restartInMs"]) >= 500);
  await worker.stop(1_000);
});
