/** The page's parts as text, without a browser: titles, gaps, cards, escaped names. */
import assert from "node:assert/strict";
import { renderToString } from "preact-render-to-string";
import { summary } from "../../frontend/src/parts/chart.tsx";
import { EffortBars } from "../../frontend/src/parts/effort_bars.tsx";
import { Amount, Effort, Miner as Address, Since } from "../../frontend/src/parts/small.tsx";
import { Table } from "../../frontend/src/parts/table.tsx";
import { allWords } from "../../frontend/src/i18n/mod.ts";
import { type Beat, Beats, outages, worst } from "../../frontend/src/parts/beats.tsx";
import { TextField } from "../../frontend/src/parts/field.tsx";
import { niceTop } from "../../frontend/src/plot.ts";
import type { Blocks, StatusHistory } from "../../frontend/src/types.ts";
import { answerOf, MINER } from "./fixtures.ts";

const NOW = 1_790_000_000_000;

Deno.test("<Amount> shows five decimals and has all of them in its title", () => {
  const html = renderToString(<Amount of="48250001234" />);
  assert.match(html, /title="48\.250001234"/);
  assert.match(html, />48\.25000</);
  assert.match(renderToString(<Amount of={null} />), /no data/);
});

Deno.test("<Since>, <Effort> and <Miner> say the whole to those who need it", () => {
  assert.match(
    renderToString(<Since at={NOW} />),
    /datetime="2026-09-21T14:13:20\.000Z" title=/,
  );
  assert.match(renderToString(<Effort of={63.2} />), /63\u202f%.*early/);
  const address = renderToString(<Address address={MINER} />);
  assert.ok(
    address.includes(`href="/miner/${MINER}"`) &&
      address.includes(`>${MINER}<`),
  );
});

Deno.test("<Table> keeps its roles, names its cells for cards, and escapes what miners wrote", () => {
  const html = renderToString(
    <Table
      caption="Workers"
      rows={["<img src=x onerror=alert(1)>"]}
      keyOf={(row) => row}
      columns={[{ key: "name", name: "Worker", cell: (row) => row }]}
      empty="none"
    />,
  );
  assert.match(html, /<td role="cell" data-l="Worker"/);
  assert.ok(
    html.includes("&lt;img src=x onerror=alert(1)>") && !html.includes("<img"),
  );
  const empty = renderToString(
    <Table
      caption="c"
      rows={[]}
      keyOf={() => ""}
      columns={[]}
      empty="No blocks yet."
    />,
  );
  assert.equal(empty, '<div class="empty">No blocks yet.</div>');
});

Deno.test("a chart's sentence has least, most, latest and what is missing", async () => {
  await allWords();
  const format = (value: number) => `${value} MH/s`;
  const line = { label: "Effective", color: "--accent" };
  assert.equal(
    summary([{ ...line, values: [170, null, 190, 160, 182] }], format),
    "Effective: between 160 MH/s and 190 MH/s, latest 182 MH/s. 1 of 5 points have no data.",
  );
  assert.equal(
    summary([{ ...line, values: [null] }], format),
    "Effective: no data.",
  );
});

Deno.test("niceTop() is a round number above the highest point", () => {
  assert.deepEqual([0, null, 1, 18.2, 182, 9.9].map(niceTop), [
    1,
    1,
    1.5,
    20,
    200,
    15,
  ]);
});

Deno.test("<EffortBars> draws one bar a block, none for too few", () => {
  const { items } = answerOf("/blocks", true, NOW) as Blocks;
  assert.equal(
    renderToString(<EffortBars blocks={items} />).match(/<rect/g)?.length,
    items.length,
  );
  assert.equal(renderToString(<EffortBars blocks={items.slice(0, 2)} />), "");
});

Deno.test("<Beats> shows the worst of each half hour, and says how much worked", async () => {
  await allWords();
  const half = (state: Beat): Beat[] => Array.from({ length: 6 }, () => state);
  const day = [
    ...half(null),
    ...half("ok"),
    ...half("ok").with(2, "waiting"),
    ...half("away"),
  ];
  assert.deepEqual(worst(day), [null, "ok", "waiting", "away"]);
  const html = renderToString(<Beats of={day} name="Nodes" />);
  assert.match(
    html,
    /aria-label="Nodes worked 61\.1\u202f% of the last 24 hours"/,
  );
  assert.deepEqual(
    [...html.matchAll(/<rect class="(\w+)"/g)].map(([, state]) => state),
    [
      ...["none", "ok", "waiting", "away"],
    ],
  );
  assert.match(
    renderToString(<Beats of={half(null)} name="Nodes" />),
    /no data/,
  );
});

Deno.test("outages() are spans of one state, the newest first", () => {
  const history = answerOf("/status/history", true, NOW) as StatusHistory;
  const { fromMs, stepMs } = history;
  const at = (i: number) => fromMs + i * stepMs;
  assert.deepEqual(outages(history), [
    { part: "payer", state: "halted", fromMs: at(276), toMs: at(288) },
    { part: "payer", state: "waiting", fromMs: at(150), toMs: at(151) },
    { part: "nodes", state: "away", fromMs: at(100), toMs: at(101) },
  ]);
});

Deno.test("<TextField> ties its hint to it and says when it cannot be so", () => {
  const field = (bad: boolean) =>
    renderToString(
      <TextField
        id="x"
        label="Name"
        hint="Letters"
        value="a"
        bad={bad}
        onInput={() => {}}
      />,
    );
  assert.match(field(false), /aria-invalid="false" aria-describedby="x-hint"/);
  assert.match(
    field(true),
    /aria-invalid="true".*<small id="x-hint" class="fault">Letters</,
  );
});
