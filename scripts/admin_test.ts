/** The words of `quarry admin` and the lines of its answers; a running pool has them all end to end. */
import assert from "node:assert/strict";
import { main } from "./admin.ts";
import { readArguments, UsageError } from "./admin/arguments.ts";
import { linesOf, span, table } from "./admin/render.ts";

Deno.test("readArguments() makes a request of words and options", () => {
  const of = (text: string) => readArguments(text.split(" ")).request;
  assert.deepEqual(of("ban 10.0.0.1 --minutes 5 --reason x"), {
    ...{ command: "ban", address: "10.0.0.1", minutes: 5, reason: "x" },
  });
  assert.deepEqual(of("payouts pause"), { command: "payouts pause" });
  assert.deepEqual(of("log debug"), { command: "log level", level: "debug" });
  assert.deepEqual(of("log --limit 3"), { command: "log", limit: 3 });
  const login = "0x" + "ab".repeat(20);
  assert.deepEqual(of(`drop --login ${login}`), { command: "drop", login });
  const { withinMs, keep, json } = readArguments(["drain", "--within", "0.5", "--keep", "--json"]);
  assert.deepEqual([withinMs, keep, json], [30_000, true, true]);
  for (
    const wrong of [
      ...["payouts", "pay later", "ban", "ban a b", "status --keep", "drain --within soon"],
      ...["sessions x", "unknown", "bans --what", "ban zzz", "ban 1.2.3", "unban zzz", "log loud"],
      ...["ban 10.0.0.1 --minutes x", "sessions --limit 0", "drop zzz", "drop --login 0x1"],
    ]
  ) assert.throws(() => of(wrong), UsageError, wrong);
});

Deno.test("a word that cannot be meant is wrong usage, and is named", async () => {
  let text = "";
  assert.equal(await main(["/no/such/file.json", "ban", "zzz"], (more) => text += more), 2);
  assert.match(text, /ban cannot use its address: write an IPv4 or IPv6 address/);
});

Deno.test("table() aligns columns, numbers to the right; span() has two units", () => {
  assert.deepEqual(table(["NAME", "N"], [["a", 5], ["long one", 1234]]), [
    ...["NAME         N", "a            5", "long one  1234"],
  ]);
  const spans = [[0, "0 s"], [61_000, "1 min 1 s"], [3_600_000, "1 h"], [90_000_000, "1 d 1 h"]];
  for (const [ms, text] of spans) assert.equal(span(Number(ms)), text);
});

Deno.test("linesOf() never tells more than the pool said", () => {
  const nothing = { applied: [], restart: [], certificates: [] };
  assert.deepEqual(linesOf("reload", nothing, 0), ["Nothing to take over has changed."]);
  const change = { key: "a.b", before: "", after: "5" };
  assert.deepEqual(linesOf("reload", { ...nothing, restart: [change], certificates: [443] }, 0), [
    "Nothing to take over has changed.",
    ...["Waits for a restart:", "  a.b: - → 5"],
    "The certificate of port 443 could not be read: the former one stays (see the log)",
  ]);
  assert.deepEqual(linesOf("round", { scheme: "prop", total: "0", logins: 0, rows: [] }, 0), [
    "prop: 0 hashes by 0 logins",
  ]);
  assert.deepEqual(linesOf("bans", { bans: [] }, 0), ["Nobody is banned."]);
});
