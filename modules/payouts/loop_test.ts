/** The loop: standby, retries, halts and its status, with time in the test's hand. */
import assert from "node:assert/strict";
import { FakeClock, PoolError, silentLogger } from "../base/mod.ts";
import { NodeError } from "../chain/mod.ts";
import { FencedError, type Lease, type LoopStatus, StoreError } from "../ledger/mod.ts";
import { HaltError, type PayerDeps, runPayer } from "./mod.ts";

const LEASE: Lease = { role: "payer", holder: "here", token: "1" };

const NEXT_RUN = { waitMs: 5_000, reason: "next run" };

type Awaitable<T> = T | Promise<T>;

/** Runs the loop for a while over a scripted run. */
async function loop(
  script: {
    hold?: () => Lease | { heldBy: string };
    step?: () => Awaitable<{ waitMs: number; reason: string; nextRunMs?: number }>;
  },
  forMs: number,
) {
  const clock = new FakeClock();
  const statuses: LoopStatus[] = [];
  const counts = { steps: 0, opened: 0, holds: 0, released: 0 };
  const deps: PayerDeps = {
    clock,
    log: silentLogger,
    lease: {
      hold() {
        counts.holds++;
        return Promise.resolve(script.hold?.() ?? LEASE);
      },
      release() {
        counts.released++;
        return Promise.resolve();
      },
    },
    openRun() {
      counts.opened++;
      return Promise.resolve({
        step() {
          counts.steps++;
          return Promise.try(() => script.step?.() ?? NEXT_RUN);
        },
      });
    },
    writeStatus(status) {
      statuses.push(status);
      return Promise.resolve();
    },
  };
  const end = new AbortController();
  const done = runPayer(deps, end.signal);
  const tick = () => new Promise((resolve) => setTimeout(resolve, 0));
  for (let ms = 0; ms < forMs; ms += 1_000) {
    await tick();
    await clock.advance(1_000);
  }
  end.abort(new Error("stopped"));
  await done;
  return { statuses, counts };
}

Deno.test("runPayer() steps while it holds the lease, and gives it back at the end", async () => {
  const { statuses, counts } = await loop({}, 20_000);
  assert.ok(counts.steps >= 4, `${counts.steps} steps`);
  assert.deepEqual([counts.opened, counts.released], [1, 1]);
  assert.deepEqual(statuses.map(({ state, reason }) => [state, reason]), [["waiting", "next run"]]);
});

Deno.test("runPayer() leaves word of its next run, and anew when that has moved", async () => {
  let steps = 0;
  const step = () => ({ ...NEXT_RUN, nextRunMs: ++steps < 3 ? 7_200_000 : 14_400_000 });
  const { statuses } = await loop({ step }, 60_000);
  assert.deepEqual(statuses.map(({ nextRunAtMs }) => nextRunAtMs), [7_200_000, 14_400_000]);
  assert.equal(statuses[1]!.sinceMs, statuses[0]!.sinceMs);
});

Deno.test("runPayer() stands by while another process is the payer", async () => {
  const { statuses, counts } = await loop({ hold: () => ({ heldBy: "other" }) }, 20_000);
  assert.deepEqual([counts.steps, counts.opened], [0, 0]);
  assert.ok(counts.holds > 2);
  assert.deepEqual(statuses.map(({ state, reason }) => [state, reason]), [
    ["standby", "other is the payer"],
  ]);
});

Deno.test("runPayer() halts with reason and mend, keeps its lease, and goes on once mended", async () => {
  let broken = true;
  const step = () => {
    if (broken) throw new HaltError("Nonce 7 is unknown", "accept it");
    return { waitMs: 5_000, reason: "" };
  };
  const mended = setTimeout(() => broken = false, 30);
  const { statuses, counts } = await loop({ step }, 300_000);
  clearTimeout(mended);
  assert.equal(statuses[0]!.state, "halted");
  assert.deepEqual([statuses[0]!.reason, statuses[0]!.mend], ["Nonce 7 is unknown", "accept it"]);
  assert.equal(statuses.filter(({ state }) => state === "halted").length, 1);
  assert.equal(statuses.at(-1)!.state, "running");
  assert.ok(counts.holds > counts.steps);
});

Deno.test("runPayer() backs off from passing errors and recovers by itself", async () => {
  let failures = 3;
  const step = () => {
    if (failures-- > 0) throw new PoolError("Node is away");
    return { waitMs: 5_000, reason: "" };
  };
  const { statuses } = await loop({ step }, 60_000);
  assert.deepEqual(statuses.map(({ state, reason }) => [state, reason]), [
    ["retrying", "Node is away"],
    ["running", ""],
  ]);
});

Deno.test("runPayer() says what to do about each trouble that it tries again", async () => {
  const where = { node: "payouts.daemon", method: "eth_chainId" };
  const cases: [error: Error, mend: RegExp | ""][] = [
    [new NodeError(where, "unreachable", "refused"), /what payouts\.daemon names/],
    [new StoreError("Redis is away", "away"), /redis\.endpoint/],
    [new StoreError("Cannot read it", "refused", undefined, "HSET a b 1"), /^HSET a b 1$/],
    [new StoreError("eth:finances is no account", "refused"), /deno task audit CONFIG/],
    [new PoolError("Few peers", { facts: { mend: "open the port" } }), /^open the port$/],
    [new PoolError("Something else"), /log/],
    [new FencedError("Another process is the payer now"), ""],
  ];
  for (const [error, mend] of cases) {
    const { statuses } = await loop({ step: () => Promise.reject(error) }, 3_000);
    assert.deepEqual([statuses[0]!.state, statuses[0]!.reason], ["retrying", error.message]);
    if (mend === "") assert.equal(statuses[0]!.mend, "");
    else assert.match(statuses[0]!.mend, mend);
  }
});

Deno.test("runPayer() opens its run anew after it lost the lease", async () => {
  let fenced = true;
  const step = () => {
    if (fenced) {
      fenced = false;
      throw new FencedError("Another process is the payer now");
    }
    return { waitMs: 5_000, reason: "" };
  };
  const { counts } = await loop({ step }, 20_000);
  assert.equal(counts.opened, 2);
});

Deno.test("runPayer() opens its run anew under a new token, for another payer may have been between", async () => {
  let holds = 0;
  const { counts } = await loop({
    hold: () => ({ ...LEASE, token: ++holds > 3 ? "2" : "1" }),
  }, 60_000);
  assert.equal(counts.opened, 2);
});

Deno.test("runPayer() renews its lease while one step takes long", async () => {
  const slow = Promise.withResolvers<typeof NEXT_RUN>();
  let holds = 0, steps = 0, stepsThen = 0;
  const hold = () => {
    if (++holds === 4) {
      stepsThen = steps;
      slow.resolve(NEXT_RUN);
    }
    return LEASE;
  };
  // The first step ends when the lease was renewed three times beside it.
  await loop({ hold, step: () => ++steps === 1 ? slow.promise : NEXT_RUN }, 60_000);
  assert.equal(stepsThen, 1);
  assert.ok(steps > 1);
});
