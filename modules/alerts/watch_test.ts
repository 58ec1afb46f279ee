/** What is news and what is not: cursors, silence, halts; and whom a miner's URL may reach. */
import assert from "node:assert/strict";
import type { AlertsConfig } from "../config/mod.ts";
import { targetsOf } from "./targets.ts";
import { type AlertFacts, type AlertState, firstState, look } from "./watch.ts";

const NOW = 1_700_000_000;
const L = "0x" + "11".repeat(20);
const none: AlertFacts = {
  ...{ nowSeconds: NOW, currency: "ETC", blocks: [], payments: [], workers: [], halted: new Map() },
};

/** Looks again and again; gives the kinds told at each look. */
function tell(...facts: Partial<AlertFacts>[]): string[][] {
  let state: AlertState = firstState(NOW);
  return facts.map((some) => {
    // Through JSON, as it is kept between two looks.
    const next = look(JSON.parse(JSON.stringify(state)), { ...none, ...some });
    state = next.state;
    return next.alerts.map(({ kind, facts }) => `${kind} ${Object.values(facts)[0]}`);
  });
}

Deno.test("look() tells each block and payment once, also several of one second", () => {
  const block = (nonce: string, foundAt: number) => ({ height: Number(nonce), nonce, foundAt });
  const told = tell(
    { blocks: [block("1", NOW - 5)] },
    { blocks: [block("1", NOW - 5), block("2", NOW + 1)] },
    { blocks: [block("2", NOW + 1), block("3", NOW + 1)] },
    { blocks: [block("2", NOW + 1), block("3", NOW + 1), block("4", NOW + 9)] },
    { blocks: [block("4", NOW + 9)] },
  );
  assert.deepEqual(told, [[], ["block.found 2"], ["block.found 3"], ["block.found 4"], []]);
  const payment = { login: L, amountShannon: 1_500_000_000n, transaction: "0xt", at: NOW + 2 };
  const { alerts } = look(firstState(NOW), { ...none, payments: [payment] });
  assert.equal(alerts[0]!.text, `1.5 ETC were paid to ${L}.`);
  assert.deepEqual(tell({ payments: [payment] }, { payments: [payment] }), [
    [`payment.confirmed ${L}`],
    [],
  ]);
});

Deno.test("look() tells of a silent worker once, and of its return", () => {
  const worker = (lastShareAt: number, nowSeconds: number) => ({
    nowSeconds,
    workers: [{ login: L, worker: "rig", lastShareAt, silentAfterSeconds: 600 }],
  });
  const told = tell(
    worker(NOW, NOW + 599),
    worker(NOW, NOW + 600),
    worker(NOW, NOW + 900),
    { nowSeconds: NOW + 950, workers: [] },
    worker(NOW + 960, NOW + 1_000),
    worker(NOW + 960, NOW + 1_560),
  );
  assert.deepEqual(told, [
    ...[[], [`worker.silent ${L}`], [], []],
    ...[[`worker.back ${L}`], [`worker.silent ${L}`]],
  ]);
});

Deno.test("look() leaves workers that were taken away a day ago", () => {
  const old = { login: L, worker: "rig", lastShareAt: NOW - 86_400, silentAfterSeconds: 600 };
  assert.deepEqual(tell({ workers: [old] }), [[]]);
});

Deno.test("look() tells of a halt once for each reason, and when it is over", () => {
  const halted = (reason: string) => ({ halted: new Map([["payer", { reason, mend: "" }]]) });
  assert.deepEqual(tell(halted("a"), halted("a"), halted("b"), {}, {}), [
    ...[["loop.halted payer"], [], ["loop.halted payer"], ["loop.resumed payer"], []],
  ]);
});

Deno.test("targetsOf() keeps a miner's URL away from everything that is not public", async () => {
  const config: AlertsConfig = {
    ...{ all: false, minerWebhooks: true, silentAfterMs: 1, intervalMs: 1 },
    smtp: { host: "h", port: 25, secure: false, from: "pool@example.org" },
    webhook: { url: "https://operator.example" },
  };
  const alert = { kind: "worker.silent" as const, login: L, text: "", facts: {} };
  const whom = async (notify: string | undefined, addresses: string[], more = {}) =>
    (await targetsOf(alert, { ...config, ...more }, notify, () => Promise.resolve(addresses)))
      .map((target) => target.kind);
  assert.deepEqual(await whom("https://a.example/x", ["93.184.216.34"]), ["webhook"]);
  for (
    const bad of ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00::1", "::ffff:10.0.0.1"]
  ) {
    assert.deepEqual(await whom("https://a.example/x", ["93.184.216.34", bad]), [], bad);
  }
  assert.deepEqual(await whom("https://[::1]/x", ["93.184.216.34"]), []);
  assert.deepEqual(await whom("https://127.0.0.1/x", []), []);
  assert.deepEqual(
    await whom("https://a.example/x", ["93.184.216.34"], { minerWebhooks: false }),
    [],
  );
  assert.deepEqual(await whom("rig@example.org", []), ["mail"]);
  assert.deepEqual(await whom("rig@example.org", [], { all: true }), ["webhook", "mail"]);
  assert.deepEqual(await whom(undefined, []), []);
});
