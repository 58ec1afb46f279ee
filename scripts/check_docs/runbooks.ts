/** Whether every alert has its runbook, and every runbook its alert. */

/** One alert of config/prometheus/alerts.yml. */
export interface Alert {
  name: string;
  runbook: string;
}

/** The alerts and the runbooks they name. */
export function alertNames(yaml: string): Alert[] {
  return yaml.split(/^\s*- alert: /m).slice(1).map((text) => ({
    name: text.split("\n")[0]!.trim(),
    runbook: /^\s*runbook: (\S+)$/m.exec(text)?.[1] ?? "",
  }));
}

/** What each section must have, as bold words at a line's begin. */
const PARTS = ["Means", "Miners notice", "Look", "Mend", "Never"];

/** What is missing or too much in docs/runbooks.md, one line each. */
export function compareRunbooks(alerts: readonly Alert[], page: string): string[] {
  const problems: string[] = [];
  const sections = new Map(
    page.split(/^## /m).slice(1).map((text) => [text.split("\n")[0]!.trim(), text]),
  );
  for (const { name, runbook } of alerts) {
    const anchor = `docs/runbooks.md#${name.toLowerCase()}`;
    if (runbook !== anchor) problems.push(`alerts.yml: ${name} names ${runbook}, not ${anchor}`);
    if (!sections.has(name)) problems.push(`docs/runbooks.md: no section for the alert ${name}`);
  }
  const known = new Set(alerts.map(({ name }) => name));
  for (const [title, text] of sections) {
    if (!known.has(title)) {
      problems.push(`docs/runbooks.md: no alert leads to the section ${title}`);
    }
    for (const part of PARTS) {
      if (!text.includes(`**${part}.**`)) {
        problems.push(`docs/runbooks.md: ${title} does not say "${part}"`);
      }
    }
  }
  return problems;
}
