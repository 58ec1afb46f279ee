/** The page's rules without a browser: addresses, routes, states, command lines, troubles, words. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { getAddress } from "viem";
import { checkAddress, checksummed } from "../../frontend/src/checksum.ts";
import { commandLine, endpointText, script } from "../../frontend/src/commands.ts";
import { de } from "../../frontend/src/i18n/de.ts";
import { en } from "../../frontend/src/i18n/en.ts";
import { enMore } from "../../frontend/src/i18n/en_more.ts";
import { help as helpDe } from "../../frontend/src/i18n/help_de.ts";
import { help as helpEn } from "../../frontend/src/i18n/help_en.ts";
import { allWords, t, tn } from "../../frontend/src/i18n/mod.ts";
import { sortWorkers } from "../../frontend/src/pages/miner_workers.tsx";
import {
  answered,
  failedWith,
  isOld,
  type Resource,
  STALE_MS,
} from "../../frontend/src/resource.ts";
import { hashText, routeOf } from "../../frontend/src/router.ts";
import { troubleOf } from "../../frontend/src/trouble.ts";
import type { Connect, Miner } from "../../frontend/src/types.ts";
import { answerOf, MINER } from "./fixtures.ts";

const NOW = 1_790_000_000_000;
const address = fc.array(fc.integer({ min: 0, max: 15 }), {
  minLength: 40,
  maxLength: 40,
})
  .map((digits) => "0x" + digits.map((digit) => digit.toString(16)).join(""));

Deno.test("checksummed() writes what viem writes, and checkAddress() takes it", () => {
  fc.assert(
    fc.property(address, (one) => {
      const full = checksummed(one);
      assert.equal(full, getAddress(one));
      assert.deepEqual(checkAddress(` ${full} `), { address: one });
      assert.deepEqual(checkAddress(one.toUpperCase()), { address: one });
    }),
    { numRuns: 50 },
  );
});

Deno.test("checkAddress() says what is wrong", () => {
  const table: [string, string][] = [
    ["", "empty"],
    ["bf08", "prefix"],
    [MINER.slice(0, -1), "length"],
    [MINER.replace("a", "g"), "digits"],
    [checksummed(MINER).replace("B", "b"), "checksum"],
  ];
  for (const [text, fault] of table) {
    assert.deepEqual(checkAddress(text), { fault }, text);
  }
});

Deno.test("routeOf() knows the pages and nothing else", () => {
  assert.deepEqual(routeOf("/"), { page: "pool" });
  assert.deepEqual(routeOf("/blocks/"), { page: "blocks" });
  assert.deepEqual(
    routeOf(`/miner/${MINER.toUpperCase().replace("0X", "0x")}`),
    {
      ...{ page: "miner", address: MINER },
    },
  );
  assert.deepEqual(routeOf(`/miner/${MINER}/settings`), {
    page: "settings",
    address: MINER,
  });
  for (
    const path of [
      "/miner",
      "/miner/0x12",
      `/miner/${MINER}/x`,
      "/blocks/1",
      "/index.html",
    ]
  ) {
    assert.deepEqual(routeOf(path), { page: "notFound" }, path);
  }
});

Deno.test("hashText() reads an address, and a damaged link as none", () => {
  const read = ["", "#", `#${MINER}`, "#0x%C3%A4", "#%E0%A4"].map(hashText);
  assert.deepEqual(read, ["", "", MINER, "0xä", ""]);
});

Deno.test("a resource keeps its last good answer and says how old it is", () => {
  const loading: Resource<{ asOfMs: number }> = {
    state: "loading",
    data: undefined,
    atMs: 0,
    error: "",
  };
  assert.equal(failedWith(loading, "down").state, "failed");
  const ready = answered({ asOfMs: NOW }, NOW);
  assert.equal(isOld(ready, NOW + STALE_MS, NOW + STALE_MS), false);
  assert.equal(isOld(ready, NOW + 2 * STALE_MS + 1, NOW), true, "nobody asked");
  assert.equal(
    isOld(answered({ asOfMs: NOW - 121_000 }, NOW), NOW, NOW),
    true,
    "statistics stand",
  );
  const stale = failedWith(ready, "down");
  assert.deepEqual(stale, { ...ready, state: "stale", error: "down", code: "" });
  assert.equal(failedWith(loading, "off", "settings_off").code, "settings_off");
  assert.equal(answered({ asOfMs: NOW }, NOW).state, "ready");
});

Deno.test("a command line has the values and nothing that a shell would read", () => {
  const { endpoints, programs } = answerOf("/connect", true, NOW) as Connect;
  const [plain, secure] = endpoints;
  const [program, asic] = programs;
  const login = { address: checksummed(MINER), worker: "rig-01" };
  assert.equal(
    commandLine(program!, secure!, login),
    `lolMiner --algo ETCHASH --pool 127.0.0.1:8443 --user ${login.address}.rig-01 --tls on`,
  );
  assert.equal(commandLine(asic!, secure!, login), undefined);
  assert.equal(endpointText({ host: "::1", port: 8008 }), "[::1]:8008");
  for (
    const worker of [
      "",
      "a b",
      "x;reboot",
      "$(id)",
      "%PATH%",
      "ä",
      "a".repeat(33),
    ]
  ) {
    assert.throws(
      () => commandLine(program!, plain!, { ...login, worker }),
      /checked before/,
    );
  }
  assert.throws(
    () => commandLine(program!, { ...plain!, host: "a b" }, login),
    /checked before/,
  );
  assert.match(script("mine", "windows"), /^@echo off\r\n:again\r\nmine\r\n/);
  assert.match(
    script("mine", "linux"),
    /^#!\/bin\/sh\nwhile true; do\n {2}mine\n/,
  );
});

Deno.test("troubleOf() tells what is wrong, at most three things, and nothing of a healthy miner", async () => {
  await allWords();
  const miner = answerOf(`/miners/${MINER}`, true, NOW) as Miner;
  assert.deepEqual(troubleOf(miner, NOW), [
    "rig-03 has sent no share for 14 min.",
    "9.1\u202f% of the shares of garage_gpu came too late: check its connection.",
  ]);
  const well = miner.workers.filter(({ name }) => name.startsWith("rig-01"));
  assert.deepEqual(troubleOf({ ...miner, workers: well }, NOW), []);
  const silent = Array.from({ length: 9 }, (_, i) => ({
    ...{
      ...miner.workers[2]!,
      name: `r${i}`,
      lastShareAtMs: NOW - 60_000 * (i + 20),
    },
  }));
  const told = troubleOf({ ...miner, workers: silent }, NOW);
  assert.equal(told.length, 4);
  assert.equal(told[3], "And 6 more.");
  assert.equal(
    troubleOf({
      ...miner,
      workers: [],
      payout: { ...miner.payout, state: "held" },
    }, NOW).length,
    1,
  );
});

Deno.test("sortWorkers() puts trouble first, and sorts by every column", () => {
  const { workers } = answerOf(`/miners/${MINER}`, true, NOW) as Miner;
  const names = (key: string, down = false) =>
    sortWorkers(workers, key, down).map(({ name }) => name);
  assert.deepEqual(names("state").slice(0, 2), ["old-rig", "rig-03"]);
  assert.equal(names("stale", true)[0], "garage_gpu");
  assert.equal(names("short")[0], "old-rig");
  assert.equal(names("last", true)[0], "old-rig");
  for (
    const key of [
      "name",
      "short",
      "long",
      "day",
      "reported",
      "difficulty",
      "invalid",
      "last",
    ]
  ) {
    assert.equal(new Set(names(key)).size, workers.length, key);
  }
});

Deno.test("tn() counts, and t() ends a sentence once", () => {
  const workers = (n: number) => tn("pool.workers.one", "pool.workers.other", n);
  assert.deepEqual([0, 1, 2].map(workers), ["0 workers", "1 worker", "2 workers"]);
  const every = (span: string) => t("blocks.emptyExpected", { span });
  assert.match(every("3 Std. 12 Min."), /one every 3 Std\. 12 Min\.$/);
  assert.match(every("2 days"), /one every 2 days\.$/);
  assert.match(t("blocks.emptyExpected"), /one every \{span\}\.$/);
});

Deno.test("both languages say everything, with the same values to fill in", () => {
  const words: Record<string, string> = { ...en, ...enMore };
  const german: Record<string, string> = de;
  assert.deepEqual(Object.keys(german).sort(), Object.keys(words).sort());
  for (const [key, text] of Object.entries(words)) {
    const values = (of: string) => [...of.matchAll(/\{\w+\}/g)].map(([value]) => value).sort();
    assert.deepEqual(values(german[key]!), values(text), key);
    assert.ok(text.trim() === text && text !== "", key);
  }
  assert.deepEqual(helpDe.map(([id]) => id), helpEn.map(([id]) => id));
  for (const [i, [id, , ...answer]] of helpEn.entries()) {
    assert.equal(helpDe[i]!.length, answer.length + 2, id);
  }
});
