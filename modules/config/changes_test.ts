/** What a changed file means for a running pool: what is taken over, what waits, what is hidden. */
import assert from "node:assert/strict";
import { RunningConfig } from "./changes.ts";
import { parseConfig } from "./parse.ts";

function config(more: Record<string, unknown> = {}) {
  const text = JSON.stringify({ redis: { password: "old" }, api: {}, ...more });
  return parseConfig(text, { baseDir: "/srv", readSecret: () => "" }).config;
}

const rows = (running: RunningConfig, more: Record<string, unknown>) =>
  running.compare(config(more)).map(({ key, before, after, live }) =>
    `${live ? "now" : "restart"} ${key}: ${before} → ${after}`
  );

Deno.test("RunningConfig names what changed, by the file's keys, and what wants a restart", () => {
  const running = new RunningConfig(config());
  assert.deepEqual(rows(running, {}), []);
  const changed = {
    threads: 3,
    redis: { password: "new" },
    proxy: {
      stratum: { listen: "0.0.0.0:8008" },
      difficulty: 5_000,
      policy: { banning: { enabled: false, timeout: 60 } },
      varDiff: { targetTime: "5s" },
    },
    payouts: { threshold: 700_000_000, interval: "6h" },
    upstream: [{ name: "main", url: "http://ann:word@127.0.0.1:8545" }],
    api: { notice: "maintenance at noon" },
  };
  const found = rows(running, changed);
  const has = (row: RegExp) => assert.ok(found.some((one) => row.test(one)), `${row}\n${found}`);
  has(/^restart threads: 2 → 3$/);
  has(/^restart redis\.password: \(secret\) → \(secret\)$/);
  has(/^restart upstream\[main\]\.url: http:\/\/127\.0\.0\.1:8545 → http:\/\/\(secret\)@127/);
  has(/^now port\[0\.0\.0\.0:8008\]\.difficulty: \d+ → 5000$/);
  has(/^now port\[0\.0\.0\.0:8008\]\.varDiff\.targetTime: {2}→ 5000 ms$/);
  has(/^now payouts\.threshold: 500000000 → 700000000$/);
  has(/^now payouts\.interval: 43200000 ms → 21600000 ms$/);
  has(/^now api\.notice: {2}→ maintenance at noon$/);
  assert.doesNotMatch(found.join("\n"), /: old|→ new$|\bann\b|:word/m);
});

Deno.test("RunningConfig goes on naming what wants a restart, and the rest once", () => {
  const running = new RunningConfig(config());
  const changed = { threads: 3, payouts: { threshold: 700_000_000 } };
  running.adopt(config(changed));
  assert.deepEqual(rows(running, changed), ["restart threads: 2 → 3"]);
});

Deno.test("RunningConfig takes nothing over for a part or a port that does not run", () => {
  const running = new RunningConfig(config());
  const opened = rows(running, {
    stratumPorts: [{ listen: "127.0.0.1:9000", difficulty: 7 }],
    alerts: { telegram: { token: "t", chat: "c" } },
    proxy: { policy: { limits: { perAddress: 50 } } },
  });
  assert.ok(opened.length > 5);
  assert.deepEqual(opened.filter((row) => row.startsWith("now")), []);
});
