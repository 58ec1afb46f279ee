/** docs/metrics.md, made from the table of metrics. */
import { type MeterFacts, METERS } from "../../modules/metrics/mod.ts";

const HEAD = `# Metrics

\`metrics.listen\` opens \`/metrics\` for Prometheus; [prometheus.yml](../config/prometheus/prometheus.yml)
scrapes it, [alerts.yml](../config/prometheus/alerts.yml) has the alarms
([runbooks.md](runbooks.md) says what to do), [quarry.json](../config/grafana/quarry.json) is the
dashboard. Every series has the label \`worker\`: the thread that counted ("main", "stratum 0", ...).
Counters begin at 0 with each start of a thread; use \`rate\` and \`increase\`. What is read from the
ledger (blocks, money, payments, loops, leases, miners) is missing in a scrape that Redis did not
answer, and \`quarry_ledger_up\` is 0: a failed read is never a zero.

Made from \`modules/metrics/table.ts\` by \`deno run -A scripts/check_docs.ts --write\`.

| metric | kind | labels | meaning |
| --- | --- | --- | --- |
`;

/** The whole page, before \`deno fmt\`. */
export function metricsPage(): string {
  const rows = Object.entries(METERS).map(([name, meter]) => {
    const { kind, labels, help, buckets } = meter as MeterFacts;
    const named = labels.map((label) => `\`${label}\``).join(", ");
    const bounds = buckets === undefined ? "" : `; buckets ${buckets.join(", ")}`;
    return `| \`${name}\` | ${kind} | ${named} | ${help}${bounds} |`;
  });
  return HEAD + rows.join("\n") + "\n";
}
