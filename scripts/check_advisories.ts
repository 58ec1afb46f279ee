/**
 * Whether a known weakness is in what quarry is built from or with; needs the sources of advisories.
 *
 * A source that cannot be asked is no answer: then this ends with 77, and says which and why, unless
 * another one has found something. Nothing is installed for it.
 */
import { ROOT } from "./dist/roots.ts";

/** What one auditor said. */
export type Finding = { kind: "clean" } | { kind: "weak" | "unasked"; text: string };

const EXIT_SKIPPED = 77;

/** What npm's auditor said: it answers in JSON, also when it could not ask. */
export function judgeNpm(output: string): Finding {
  let report;
  try {
    report = JSON.parse(output);
  } catch {
    return { kind: "unasked", text: firstLine(output) };
  }
  const counts = report.metadata?.vulnerabilities;
  if (report.auditReportVersion === undefined || counts === undefined) {
    return { kind: "unasked", text: report.message ?? report.error?.summary ?? "no report" };
  }
  if (counts.total === 0) return { kind: "clean" };
  return { kind: "weak", text: Object.keys(report.vulnerabilities ?? {}).join(", ") };
}

/** What Deno's auditor said. */
export function judgeDeno(code: number, output: string): Finding {
  if (/No known vulnerabilities found/i.test(output)) return { kind: "clean" };
  if (/Found \d+ vulnerabilit/i.test(output)) return { kind: "weak", text: output.trim() };
  return { kind: "unasked", text: `exit code ${code}: ${firstLine(output)}` };
}

/** What cargo-audit or cargo-deny said. */
export function judgeCargo(code: number, output: string): Finding {
  if (/no such (sub)?command|not recognized/i.test(output)) {
    return { kind: "unasked", text: "cargo-audit is not installed" };
  }
  if (/couldn't fetch|failed to fetch|git operation|error loading advisory/i.test(output)) {
    return { kind: "unasked", text: firstLine(output) };
  }
  if (code === 0 && /Scanning .* for vulnerabilities/i.test(output)) return { kind: "clean" };
  if (/vulnerabilit(y|ies) found/i.test(output)) return { kind: "weak", text: output.trim() };
  return { kind: "unasked", text: `exit code ${code}: ${firstLine(output)}` };
}

function firstLine(text: string): string {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  return lines.find((line) => /error|certificate|connect/i.test(line)) ?? lines[0] ?? "no output";
}

async function ask(program: string, args: string[], cwd: string) {
  try {
    const { code, stdout, stderr } = await new Deno.Command(program, {
      ...{ args, cwd, env: { NO_COLOR: "1" }, stdout: "piped", stderr: "piped" },
    }).output();
    const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    return { code, out: out!, all: `${out}${error}` };
  } catch (error) {
    return { code: 127, out: "", all: String(error) };
  }
}

async function main(): Promise<number> {
  const npm = async (folder: string) =>
    judgeNpm((await ask("npm", ["audit", "--json", "--package-lock-only"], folder)).out);
  const deno = await ask(Deno.execPath(), ["audit"], ROOT);
  const cargo = await ask("cargo", ["audit"], `${ROOT}/native`);
  const findings: [string, Finding][] = [
    ["deno.lock", judgeDeno(deno.code, deno.all)],
    ["frontend", await npm(`${ROOT}/frontend`)],
    ["scripts/tools", await npm(`${ROOT}/scripts/tools`)],
    ["native/Cargo.lock", judgeCargo(cargo.code, cargo.all)],
  ];
  const say = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(line + "\n"));
  for (const [what, finding] of findings) {
    say(`${what}: ${finding.kind}${finding.kind === "clean" ? "" : `: ${finding.text}`}`);
  }
  if (findings.some(([, { kind }]) => kind === "weak")) return 1;
  const unasked = findings.filter(([, { kind }]) => kind === "unasked").map(([what]) => what);
  if (unasked.length === 0) return 0;
  say(`no source of advisories answered for ${unasked.join(", ")}`);
  return EXIT_SKIPPED;
}

if (import.meta.main) Deno.exit(await main());
