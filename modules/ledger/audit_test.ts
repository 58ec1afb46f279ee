/** The audit over real flows, the recorded database of the old pool, and books spoilt in each way. */
import assert from "node:assert/strict";
import { A, B, FEE, find, withPool } from "../../tests/support/unlock_world.ts";
import { openApiWorld } from "../../tests/support/old_pool.ts";
import { audit, type AuditReport, isClean } from "./audit.ts";
import { MovingBooks, readBooks } from "./audit_books.ts";
import { readOpening, writeOpening } from "./opening.ts";

const failedRules = ({ rules }: AuditReport) =>
  rules.filter(({ failed }) => failed > 0).map(({ rule }) => rule);

Deno.test("audit() is clean from a first share to matured blocks and orphans", async () => {
  await withPool(async (bench) => {
    const { dev, pass, deps } = bench;
    const check = async () => {
      const report = audit(await readBooks(deps));
      assert.deepEqual(report.findings, []);
      assert.ok(isClean(report));
    };
    await check();
    await find(bench, 5);
    dev.chain.nextIsUncle = true;
    await find(bench, 6);
    await check();
    dev.chain.mine(10);
    await find(bench, 7);
    dev.chain.reorganize(1, { transactions: false, uncles: false });
    await pass();
    await check();
    for (let i = 0; i < 3; i++) {
      dev.chain.mine(10);
      await pass();
      await check();
    }
  });
});

for (const fate of ["matures", "is lost"]) {
  Deno.test(`audit() is clean while a block ${fate} and the step was cut between chunks`, async () => {
    await withPool(async (bench) => {
      const { dev, pass, deps, store } = bench;
      await find(bench, 5);
      dev.chain.mine(10);
      await pass();
      if (fate === "is lost") {
        dev.chain.reorganize(11, { transactions: false, uncles: false });
        dev.chain.mine(12);
      } else dev.chain.mine(10);
      let scripts = 0;
      const script: typeof store.script = (...call) =>
        ++scripts === 2 ? Promise.reject(new Error("cut")) : store.script(...call);
      deps.store = { ...store, script };
      await assert.rejects(pass(), /cut/);
      deps.store = store;
      const report = audit(await readBooks(deps));
      assert.match(report.notes.join(), /steps that go on at the next pass/);
      assert.deepEqual(report.findings, []);
      await pass();
      assert.deepEqual(audit(await readBooks(deps)).findings, []);
    });
  });
}

Deno.test("audit() names what somebody spoilt", async () => {
  const cases: [rule: string[], command: (hash: string) => string[]][] = [
    [["miners", "credits"], () => ["HINCRBY", `t:miners:${A}`, "balance", "1"]],
    [["miners"], () => ["HINCRBY", "t:finances", "balance", "-1"]],
    [["no debts", "miners", "immature credits"], () => [
      ...["HINCRBY", `t:miners:${B}`, "immature", "-5"],
    ]],
    [["mined"], () => ["HINCRBY", "t:finances", "totalMined", "1"]],
    [["mined"], () => ["HINCRBY", "t:quarry:accounts", "dustWeiRest", "1"]],
    [["credits", "blocks"], (hash) => ["HINCRBY", `t:credits:1:${hash}`, FEE, "1"]],
    [["blocks"], (hash) => ["HSET", `t:credits:1:${hash}`, "0x" + "99".repeat(20), "3"]],
    [["miners", "credits", "pending amounts"], () => [
      ...["HINCRBY", `t:miners:${A}`, "pending", "7"],
    ]],
    [["pending amounts"], () => ["ZADD", "t:payments:pending", "1", `${A}:7`]],
    [["payments made"], () => ["ZADD", "t:payments:all", "1", `0xabc:${A}:7`]],
    [["payments made"], () => ["ZADD", `t:payments:${A}`, "1", "0xabc:7"]],
  ];
  for (const [rules, command] of cases) {
    await withPool(async (bench) => {
      const { dev, pass, deps, store } = bench;
      await find(bench, 5);
      const { hash } = dev.chain.head;
      dev.chain.mine(20);
      await pass();
      const spoil = command(hash);
      await store.command(...spoil);
      const report = audit(await readBooks(deps));
      for (const rule of rules) {
        assert.ok(failedRules(report).includes(rule), `${spoil}: ${failedRules(report)}`);
      }
    });
  }
});

Deno.test("audit() names amounts that cannot be read, and the commands that mend them", async () => {
  await withPool(async (bench) => {
    const { dev, pass, deps, store } = bench;
    await find(bench, 5);
    dev.chain.mine(20);
    await pass();
    const before = await readBooks(deps);
    const balance = before.miners.get(A)!.balanceShannon;
    assert.ok(balance > 0n);
    for (const field of ["balance", "immature"]) {
      await store.command("HSET", `t:miners:${A}`, field, "12x");
    }
    await store.command("HSET", "t:finances", "balance", "1e9");
    await store.command("HSET", "t:finances", "totalMined", "");
    await assert.rejects(readBooks(deps), new RegExp(`Cannot read t:miners:${A} field`));
    const report = audit(await readBooks(deps, { listUnreadable: true }));
    assert.ok(!isClean(report));
    assert.deepEqual(
      report.findings.filter(({ rule }) => rule === "readable amounts").map((one) => one.expected),
      [0n, balance, before.finances.balanceShannon, before.finances.totalMinedShannon],
    );
    const commands = report.notes.flatMap((note) => /HSET (\S+) (\S+) (\d+)$/.exec(note) ?? []);
    assert.equal(commands.length, 4 * 4);
    for (let i = 0; i < commands.length; i += 4) {
      await store.command("HSET", ...commands.slice(i + 1, i + 4));
    }
    assert.deepEqual(await readBooks(deps), before);
  });
});

Deno.test("audit() takes the old pool's recorded database with its differences signed off", async () => {
  const dump = new URL("../../tests/fixtures/open-ethereum-pool/dump.rdb", import.meta.url);
  await using world = await openApiWorld({ dump: dump.pathname });
  const report = audit(await readBooks(world), Infinity);
  const differences = new Map(
    report.findings.map(({ what, expected, found }) => [what, found - expected]),
  );
  const signed = { differences, signedAt: 1_700_000_000, signedBy: "operator" };
  assert.equal(await writeOpening(world, signed), true);
  assert.equal(await writeOpening(world, { ...signed, differences: new Map() }), false);
  assert.deepEqual((await readOpening(world)).differences, differences);
  const after = audit(await readBooks(world));
  assert.ok(isClean(after));
  assert.match(after.notes.join(), /signed off by operator on 2023-11-14/);
});

Deno.test("readBooks() gives up on books that move each time", async () => {
  await withPool(async ({ deps }) => {
    const moving = {
      ...deps.store,
      multi: async (commands: string[][]) => {
        await deps.store.command("HINCRBY", "t:finances", "paid", "1");
        return await deps.store.multi(commands);
      },
    };
    await assert.rejects(readBooks({ ...deps, store: moving }), MovingBooks);
  });
});
