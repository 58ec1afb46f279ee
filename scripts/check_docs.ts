/**
 * Whether the operators' documents still say what is there.
 *
 *   deno run -A scripts/check_docs.ts            prints what is wrong
 *   deno run -A scripts/check_docs.ts --write    renews what is made from the code, then checks
 *
 * Exit code 0 when nothing is wrong, 1 otherwise.
 */
import { compareEvents, type LogEvent, renewEvents } from "./check_docs/log_events.ts";
import { eventsIn, mergeEvents } from "./check_docs/log_events.ts";
import { metricsPage } from "./check_docs/metrics_page.ts";
import { alertNames, compareRunbooks } from "./check_docs/runbooks.ts";
import { referenceProblems } from "./check_docs/references.ts";
import { renewFigures } from "./check_docs/figures.ts";

/** Pages with tables that scripts/scale.ts computes. */
const FIGURED = ["docs/capacity.md", "docs/scale.md"];
const ROOT = new URL("..", import.meta.url).pathname;

/** Everything that is wrong with the documents, one line each. */
export async function docsProblems(): Promise<string[]> {
  const problems: string[] = [];
  const read = (path: string) => Deno.readTextFile(ROOT + path);
  const events = await eventsOfCode(problems);
  problems.push(...compareEvents(events, await read("docs/events.md")));
  if (await formatted(metricsPage()) !== await read("docs/metrics.md")) {
    problems.push("docs/metrics.md: not what modules/metrics/table.ts says: run with --write");
  }
  for (const page of FIGURED) {
    const text = await read(page);
    if (await formatted(renewFigures(text)) !== text) {
      problems.push(`${page}: its tables are not what scripts/scale.ts computes: run with --write`);
    }
  }
  const alerts = alertNames(await read("config/prometheus/alerts.yml"));
  problems.push(...compareRunbooks(alerts, await read("docs/runbooks.md")));
  problems.push(...await referenceProblems(ROOT));
  return problems;
}

/** Every event that the code logs, by name. */
export async function eventsOfCode(problems: string[]): Promise<Map<string, LogEvent>> {
  const events: LogEvent[] = [];
  for (const path of ["main.ts", ...await sources("modules")]) {
    events.push(...eventsIn(path, await Deno.readTextFile(ROOT + path), problems));
  }
  return mergeEvents(events);
}

async function sources(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(ROOT + folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) paths.push(...await sources(path));
    else if (name.endsWith(".ts") && !name.endsWith("_test.ts")) paths.push(path);
  }
  return paths.toSorted();
}

/** Markdown as `deno fmt` leaves it. */
async function formatted(text: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", "--ext=md", `--config=${ROOT}deno.json`, "-"],
    ...{ stdin: "piped", stdout: "piped", stderr: "inherit" },
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  return new TextDecoder().decode((await child.output()).stdout);
}

async function renew(): Promise<void> {
  const write = async (path: string, text: string) =>
    await Deno.writeTextFile(ROOT + path, await formatted(text));
  const page = await Deno.readTextFile(`${ROOT}docs/events.md`);
  await write("docs/events.md", renewEvents(await eventsOfCode([]), page));
  await write("docs/metrics.md", metricsPage());
  for (const page of FIGURED) {
    await write(page, renewFigures(await Deno.readTextFile(ROOT + page)));
  }
}

if (import.meta.main) {
  if (Deno.args.includes("--write")) await renew();
  const problems = await docsProblems();
  await Deno.stdout.write(new TextEncoder().encode(problems.map((one) => one + "\n").join("")));
  Deno.exit(problems.length === 0 ? 0 : 1);
}
