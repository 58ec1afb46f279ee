/** Alert rules, their tests and the dashboard: right by Prometheus's own tool, and about metrics that exist. */
import assert from "node:assert/strict";
import { METERS } from "../../modules/metrics/mod.ts";

const CONFIG = new URL("../../config/", import.meta.url).pathname;
const KNOWN = new Set(
  Object.entries(METERS).flatMap(([name, { kind }]) =>
    kind === "histogram" ? ["_bucket", "_sum", "_count"].map((part) => name + part) : [name]
  ),
);

async function promtool(...args: string[]): Promise<void> {
  const { code, stdout, stderr } = await new Deno.Command("promtool", {
    args,
    cwd: `${CONFIG}prometheus`,
  }).output();
  const text = new TextDecoder();
  assert.equal(code, 0, `${args.join(" ")}: ${text.decode(stdout)}${text.decode(stderr)}`);
}

function namesIn(text: string): string[] {
  return [...new Set([...text.matchAll(/\bquarry_[a-z_]+/g)].map(([name]) => name))];
}

Deno.test("promtool accepts the scrape configuration and the alert rules", async () => {
  await promtool("check", "config", "prometheus.yml");
});

Deno.test("the alerts ring when they should, and not on a healthy pool", async () => {
  await promtool("test", "rules", "alerts_test.yml");
});

Deno.test("alerts and dashboard speak of metrics that the pool has", async () => {
  for (
    const file of ["prometheus/alerts.yml", "prometheus/alerts_test.yml", "grafana/quarry.json"]
  ) {
    const names = namesIn(await Deno.readTextFile(CONFIG + file));
    assert.ok(names.length > 3, file);
    for (const name of names) assert.ok(KNOWN.has(name), `${name} in ${file}`);
  }
});

Deno.test("every expression of the dashboard can be read by Prometheus", async () => {
  const { panels } = JSON.parse(await Deno.readTextFile(`${CONFIG}grafana/quarry.json`)) as {
    panels: { title: string; targets?: { expr: string }[] }[];
  };
  const rules = panels.flatMap(({ targets }) => targets ?? []).map(({ expr }, i) => ({
    record: `panel:${i}`,
    expr: expr.replaceAll("$__rate_interval", "5m").replaceAll("$instance", ".*"),
  }));
  assert.ok(rules.length > 20);
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    // JSON is YAML.
    await Deno.writeTextFile(file, JSON.stringify({ groups: [{ name: "panels", rules }] }));
    await promtool("check", "rules", file);
  } finally {
    await Deno.remove(file);
  }
});
