/** The operators' documents say what is there: events, metrics, runbooks, names, computed tables. */
import assert from "node:assert/strict";
import { docsProblems } from "../../scripts/check_docs.ts";
import { compareEvents, eventsIn, mergeEvents } from "../../scripts/check_docs/log_events.ts";
import { type Known, namesMissing } from "../../scripts/check_docs/references.ts";
import { alertNames, compareRunbooks } from "../../scripts/check_docs/runbooks.ts";

Deno.test("docs/ agrees with code, alerts, configuration and computed tables", async () => {
  assert.deepEqual(await docsProblems(), []);
});

Deno.test("every way in which the code logs an event is read", () => {
  const problems: string[] = [];
  const events = mergeEvents(eventsIn(
    "modules/room/file.ts",
    `/** log.info("in.comment") */
     // log.info("in.line")
     log.info("one");
     this.deps.log.warn(
       "two", { error });
     log[attempt === 0 ? "warn" : "debug"]("three", {});
     const level = good ? log.info : log.error;
     level("four", {});
     tally.note("warn", "five", {});
     announce(deps, "six", {});
     deps.announce(\`block.\${kind}\`, {});
     log.error(name, {});`,
    problems,
  ));
  const shown = [...events.values()].map(({ name, levels }) =>
    `${name} ${[...levels].toSorted().join("+")}`
  );
  assert.deepEqual(shown.toSorted(), [
    ...["block.returned info", "block.unknown info", "five warn", "four error+info", "one info"],
    ...["six info", "three debug+warn", "two warn"],
  ]);
  assert.equal(problems.length, 1);
  assert.match(problems[0]!, /logs name: spell/);
});

Deno.test("an event without a row, and a row without an event, are told", () => {
  const events = mergeEvents(
    eventsIn("modules/a/b.ts", 'log.info("x.new"); log.warn("x.told");', []),
  );
  const page = "| `x.told` | info | a | Something that was told. |\n" +
    "| `x.old` | warn | a | Something that nobody says. |\n";
  assert.deepEqual(compareEvents(events, page), [
    "docs/events.md: no row for x.new (info; a)",
    "docs/events.md: x.told is warn, the row says info",
    "docs/events.md: nothing logs x.old: remove its row",
  ]);
});

Deno.test("an alert without a runbook, and a runbook without an alert, are told", () => {
  const yaml = "      - alert: QuarryA\n        runbook: docs/runbooks.md#quarrya\n" +
    "      - alert: QuarryB\n        runbook: docs/runbooks.md#elsewhere\n";
  const parts = "**Means.** **Miners notice.** **Look.** **Mend.**";
  const page = `## QuarryA\n${parts} **Never.**\n## QuarryC\n${parts}\n`;
  assert.deepEqual(compareRunbooks(alertNames(yaml), page), [
    "alerts.yml: QuarryB names docs/runbooks.md#elsewhere, not docs/runbooks.md#quarryb",
    "docs/runbooks.md: no section for the alert QuarryB",
    "docs/runbooks.md: no alert leads to the section QuarryC",
    'docs/runbooks.md: QuarryC does not say "Never"',
  ]);
});

Deno.test("names of what is not there are told", () => {
  const known: Known = {
    ...{
      tasks: new Set(["pool"]),
      commands: new Set(["doctor"]),
      units: new Set(["quarry.service"]),
    },
    scripts: new Map(["payouts", "ledger", "migrate", "admin"].map((tool) => [tool, "resolve"])),
    ...{ keys: new Set(["redis.tls"]), events: new Set(["work.lost"]) },
    exists: (path) => path === "scripts/demo",
    read: () => 'Deno.test("one thing")',
  };
  const well = "`deno task pool CONFIG`, `quarry doctor CONFIG`, `scripts/demo`, `redis.tls`, " +
    "`work.lost`, `deno task pool`, quarry_sessions, quarry_submit_seconds_bucket";
  assert.deepEqual(namesMissing("a.md", well, known), []);
  const wrong = [
    ["`deno task paint`", /no "deno task paint"/],
    ["`quarry paint CONFIG`", /no "quarry paint"/],
    ["`deno task pool payouts`, quarry payouts CONFIG repaint", /no command "repaint"/],
    ["scripts/paint", /no scripts\/paint/],
    ["`modules/paint/mod.ts`", /no modules\/paint/],
    ["`redis.paint`", /no key, event or file/],
    ['```json\n{ "redis": { "tls": 1, "brush": true } }\n```', /no key redis\.brush$/],
    ["quarry_paint_total", /no metric/],
    ["systemctl restart quarry-paint", /no unit quarry-paint/],
  ] as const;
  for (const [text, problem] of wrong) {
    assert.match(namesMissing("a.md", text, known).join("\n"), problem, text);
  }
});

Deno.test("the table of threats has every weakness that was found in other pools", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/security.md", import.meta.url));
  const found = new Set<string>();
  for (const [, pool, numbers] of page.matchAll(/\b(OEP|CORE|FRI|MC) (\d+(?:, \d+)*)/g)) {
    for (const number of numbers!.split(", ")) found.add(`${pool} ${number}`);
  }
  const last = { OEP: [1, 15], CORE: [16, 20], FRI: [21, 27], MC: [28, 33] } as const;
  for (const [pool, [from, to]] of Object.entries(last)) {
    for (let n = from; n <= to; n++) assert.ok(found.has(`${pool} ${n}`), `${pool} ${n}`);
  }
});

Deno.test("figures of docs/capacity.md stand where their rows lead to", async () => {
  const root = new URL("../../", import.meta.url);
  const page = await Deno.readTextFile(new URL("docs/capacity.md", root));
  let looked = 0;
  for (const [, said, by] of page.matchAll(/^\| [^|]+\|([^|]+)\|([^|]*\]\(\.\.\/[^|]+)\|$/gm)) {
    const [, path] = /\]\(\.\.\/([^)]+)\)/.exec(by!)!;
    const source = await Deno.readTextFile(new URL(path!, root));
    for (const [number] of said!.matchAll(/\d[\d,.]*\d|\d/g)) {
      assert.ok(source.includes(number), `${path} no longer says ${number} (${said!.trim()})`);
      looked++;
    }
  }
  assert.ok(looked > 12);
});
