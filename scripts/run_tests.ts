/** Runs every part of the test suite, one after the other, and adds up what all runners counted. */

/** What one part counted. */
interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

/** One part: a command, and how its output is counted. */
interface Part {
  name: string;
  command: string[];
  cwd?: string;
  /** Counts from the output; missing: the command itself is one test. */
  count?: (output: string) => Count;
  /** Needed on this machine; when it is missing the part is skipped, or failed under CI=true. */
  needs?: { what: string; has: () => Promise<boolean> };
  /** Asks servers of others: when they do not answer it is skipped, under CI=true too. */
  outside?: boolean;
  /** One core's work for minutes: the parts after it begin at once. */
  beside?: boolean;
  /** Left out of `deno task ok`. */
  slow?: boolean;
}

const deno = Deno.execPath();
const ci = Deno.env.get("CI") === "true";
const NATIVE = "native";
/** More failed files than these are no accident. */
const AGAIN_MAX = 2;
/** How a command ends that could not test anything, and says why on its last line. */
const EXIT_SKIPPED = 77;

const PARTS: Part[] = [
  { name: "format", command: [deno, "fmt", "--check"] },
  { name: "lint", command: [deno, "lint"] },
  { name: "types", command: [deno, "check", "main.ts", "modules/", "scripts/", "tests/"] },
  { name: "types of the page", command: [deno, "check", "frontend/src/"] },
  { name: "page", command: [deno, "task", "--quiet", "frontend", "--if-needed"] },
  { name: "size of the page", command: [deno, "run", "-A", "scripts/check_size.ts"] },
  { name: "layers", command: [deno, "task", "--quiet", "layers"] },
  { name: "tidy", command: [deno, "task", "--quiet", "tidy"] },
  { name: "rust format", command: ["cargo", "fmt", "--check"], cwd: NATIVE },
  {
    name: "clippy",
    command: ["cargo", "clippy", "--quiet", "--all-targets", "--", "-D", "warnings"],
    cwd: NATIVE,
  },
  { name: "rust", command: ["cargo", "test", "--quiet"], cwd: NATIVE, count: countCargo },
  {
    name: "miri",
    command: ["./check_memory"],
    cwd: NATIVE,
    count: countNames,
    beside: true,
    slow: true,
  },
  {
    name: "unit",
    command: denoTest("modules/", "tests/twins/", "tests/frontend/"),
    count: countDeno,
  },
  {
    name: "browser",
    command: denoTest("tests/browser/"),
    count: countDeno,
    slow: true,
    needs: { what: "chromium", has: () => hasCommand("chromium", "--version") },
  },
  { name: "scripts", command: denoTest("scripts/"), count: countDeno, slow: true },
  { name: "soak", command: denoTest("tests/soak/"), count: countDeno, slow: true },
  {
    name: "monitoring",
    command: denoTest("tests/monitoring/"),
    count: countDeno,
    slow: true,
    needs: { what: "promtool", has: () => hasCommand("promtool", "--version") },
  },
  {
    name: "packaging",
    command: denoTest("tests/packaging/"),
    count: countDeno,
    slow: true,
  },
  { name: "dependencies", command: [deno, "run", "-A", "scripts/check_dependencies.ts"] },
  {
    name: "advisories",
    command: [deno, "run", "-A", "scripts/check_advisories.ts"],
    outside: true,
    slow: true,
  },
  {
    name: "docs",
    command: denoTest("tests/docs/", "tests/scale/"),
    count: countDeno,
    slow: true,
  },
  {
    name: "simulation",
    command: denoTest("tests/simulation/"),
    count: countDeno,
    slow: true,
  },
  {
    name: "topologies",
    command: denoTest("tests/redis_topologies/"),
    count: countDeno,
    slow: true,
  },
  { name: "front", command: denoTest("tests/front/"), count: countDeno, slow: true },
  {
    name: "end to end",
    command: denoTest("tests/end_to_end/"),
    count: countDeno,
    slow: true,
    needs: { what: "go (for geth)", has: () => hasCommand("go") },
  },
  {
    name: "kills",
    command: denoTest("tests/kills/"),
    count: countDeno,
    slow: true,
    needs: { what: "go (for geth)", has: () => hasCommand("go") },
  },
];

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: string[]): Promise<number> {
  const quick = args.includes("--quick");
  const names = args.filter((arg) => !arg.startsWith("--"));
  const unknown = names.filter((name) => !PARTS.some((part) => part.name === name));
  if (unknown.length > 0) {
    say(`Unknown part "${unknown[0]}": parts are ${PARTS.map((part) => part.name).join(", ")}`);
    return 2;
  }
  const total: Count = { passed: 0, failed: 0, skipped: 0 };
  const counts: Promise<Count>[] = [];
  for (const part of PARTS) {
    if (names.length > 0 ? !names.includes(part.name) : quick && part.slow) continue;
    const count = runPart(part);
    counts.push(count);
    if (part.beside !== true) await count;
  }
  for (const count of await Promise.all(counts)) {
    total.passed += count.passed;
    total.failed += count.failed;
    total.skipped += count.skipped;
  }
  say(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

async function runPart(part: Part): Promise<Count> {
  const startMs = performance.now();
  if (part.needs !== undefined && !await part.needs.has()) {
    return skip(part, `${part.needs.what} is missing`);
  }
  let { code, output } = await run(part);
  if (code === EXIT_SKIPPED) return skip(part, output.trimEnd().split("\n").at(-1)!);
  const count = part.count?.(output) ?? { passed: 0, failed: 0, skipped: 0 };
  if (count.failed > 0 && part.slow === true && part.count === countDeno) {
    await tryAgain(part, output, count);
    if (count.failed === 0) code = 0;
  }
  const counted = count.passed + count.failed + count.skipped;
  // A runner that counts nothing, or fails without a failed test, is itself a failure.
  if (part.count === undefined) count[code === 0 ? "passed" : "failed"]++;
  else if ((code !== 0 && count.failed === 0) || counted === 0) count.failed++;
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  const verdict = count.failed === 0 ? "ok" : "FAILED";
  const how = /^checked by .*$/m.exec(output)?.[0];
  const counts = [`${count.passed} passed`, `${count.failed} failed`, `${seconds} s`];
  say(`-- ${part.name}: ${[verdict, ...counts, ...(how === undefined ? [] : [how])].join(", ")}`);
  if (count.failed > 0) await Deno.stdout.write(new TextEncoder().encode(output.slice(-20_000)));
  return count;
}

/**
 * Runs the files of failed tests once more, alone: the slow parts have dozens of real processes, and a
 * machine that is busy with others can starve one of them. What failed once is always said.
 */
async function tryAgain(part: Part, output: string, count: Count): Promise<void> {
  const files = failedFiles(output);
  if (files.length === 0 || files.length > AGAIN_MAX) return;
  const command = [...part.command.filter((word) => !word.endsWith("/")), ...files];
  say(`-- ${part.name}: ${count.failed} failed, once more: ${files.join(" ")}`);
  await Deno.stdout.write(new TextEncoder().encode(output.slice(-10_000)));
  const again = await run({ ...part, command });
  if (again.code !== 0) return;
  say(`-- ${part.name}: FAILED ONCE and passed then: look at it`);
  count.passed += count.failed;
  count.failed = 0;
}

/** Files of the failed tests in the output of `deno test`. */
export function failedFiles(output: string): string[] {
  const places = /=> (\.\/\S+?):\d+:\d+$|^(\.\/\S+) \(uncaught error\)$/gm;
  return [...new Set([...output.matchAll(places)].map(([, at, of]) => (at ?? of)!))];
}

function skip(part: Part, reason: string): Count {
  const isFailed = ci && part.outside !== true;
  say(`-- ${part.name}: ${isFailed ? "FAILED" : "skipped"}: ${reason}`);
  return isFailed ? { passed: 0, failed: 1, skipped: 0 } : { passed: 0, failed: 0, skipped: 1 };
}

async function run(part: Part): Promise<{ code: number; output: string }> {
  const [program, ...args] = part.command;
  try {
    const { code, stdout, stderr } = await new Deno.Command(program!, {
      args,
      ...(part.cwd === undefined ? {} : { cwd: part.cwd }),
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decoder = new TextDecoder();
    return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
  } catch (error) {
    return { code: 127, output: `${program}: ${error}\n` };
  }
}

function denoTest(...paths: string[]): string[] {
  return [deno, "test", "-A", "--trace-leaks", "--permit-no-files", ...paths];
}

function countDeno(output: string): Count {
  const match = [...output.matchAll(/^(?:ok|FAILED) \| .*$/gm)].at(-1)?.[0] ?? "";
  return {
    passed: Number(/(\d+) passed/.exec(match)?.[1] ?? 0),
    failed: Number(/(\d+) failed/.exec(match)?.[1] ?? 0),
    skipped: Number(/(\d+) ignored/.exec(match)?.[1] ?? 0),
  };
}

function countCargo(output: string): Count {
  const count: Count = { passed: 0, failed: 0, skipped: 0 };
  for (const match of output.matchAll(/(\d+) passed; (\d+) failed; (\d+) ignored/g)) {
    count.passed += Number(match[1]);
    count.failed += Number(match[2]);
    count.skipped += Number(match[3]);
  }
  return count;
}

/** Counts tests that ran several times, as under Miri, once. A failed one is seen by the exit code. */
function countNames(output: string): Count {
  const names = [...output.matchAll(/^test (\w+) \.\.\./gm)].map((match) => match[1]);
  return { passed: new Set(names).size, failed: 0, skipped: 0 };
}

async function hasCommand(name: string, ask = "version"): Promise<boolean> {
  try {
    return (await new Deno.Command(name, { args: [ask], stdout: "null", stderr: "null" })
      .output()).success;
  } catch {
    return false;
  }
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(line + "\n"));
}
