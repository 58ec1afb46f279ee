/** Tidiness as a test: files and functions not too long, a header on each file, no left-overs. */

const LINES_MAX = 400;
const FUNCTION_LINES_MAX = 70;
/** Spelt in two halves, so that this file does not find itself. */
const BANNED = ["FIX" + "ME", "XX" + "X", "TO" + "DO"];

/** What is wrong with one file's text. */
export function tidyProblems(path: string, text: string): string[] {
  const problems: string[] = [];
  const lines = text.split("\n");
  const source = /\.(ts|tsx|rs|lua)$/.test(path);
  if (source && lines.length - 1 > LINES_MAX) {
    problems.push(`${path}: ${lines.length - 1} lines, at most ${LINES_MAX}`);
  }
  if (source && path.endsWith(".ts") && !/^(#!.*\n)?\/\*\*/.test(text)) {
    problems.push(`${path}: begins without a /** header that says its role */`);
  }
  for (const [index, line] of lines.entries()) {
    const word = BANNED.find((banned) => new RegExp(`\\b${banned}\\b`).test(line));
    if (word !== undefined) problems.push(`${path}:${index + 1}: left-over ${word}`);
    if (/[ \t]$/.test(line) && source) problems.push(`${path}:${index + 1}: trailing space`);
  }
  if (/^modules\/.*\.ts$/.test(path) && !path.endsWith("_test.ts")) {
    problems.push(...longFunctions(path, lines), ...undocumentedExports(path, lines));
  }
  return problems;
}

function longFunctions(path: string, lines: string[]): string[] {
  const problems: string[] = [];
  const open: { start: number; indent: string; exempt: boolean }[] = [];
  for (const [index, line] of lines.entries()) {
    const head = /^(\s*)(?:export )?(?:async )?(?:function\*? |static |(?:async )?#?\w+\(.*\{$)/
      .exec(line);
    if (head !== null && line.trimEnd().endsWith("{") && /function|\) ?(:.*)?\{$/.test(line)) {
      open.push({ start: index, indent: head[1]!, exempt: false });
    }
    const last = open.at(-1);
    if (last !== undefined && (line === `${last.indent}}` || line === `${last.indent}},`)) {
      open.pop();
      // A factory is as long as the functions it makes; those are counted on their own.
      const body = lines.slice(last.start + 1, index);
      const nested = body.filter((inner) =>
        /^\s+(?:async )?function |^\s+(?:async )?\w+\(.*\{$/.test(inner)
      );
      if (index - last.start + 1 > FUNCTION_LINES_MAX && nested.length < 2) {
        problems.push(
          `${path}:${last.start + 1}: function of ${
            index - last.start + 1
          } lines, at most ${FUNCTION_LINES_MAX}`,
        );
      }
    }
  }
  return problems;
}

function undocumentedExports(path: string, lines: string[]): string[] {
  if (path.endsWith("/mod.ts")) return [];
  const problems: string[] = [];
  for (const [index, line] of lines.entries()) {
    if (
      !/^export (?:async )?(?:function|class|interface|type|const|abstract|enum)\*? \w/.test(line)
    ) continue;
    if (!/\*\/\s*$/.test(lines[index - 1] ?? "")) {
      problems.push(`${path}:${index + 1}: export without a doc comment`);
    }
  }
  return problems;
}

/** Markdown links to files of the repository that do not exist. */
export async function deadLinks(path: string, text: string): Promise<string[]> {
  const problems: string[] = [];
  const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/") + 1) : "";
  for (const [, target] of text.matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)) {
    try {
      await Deno.stat(folder + target!);
    } catch {
      problems.push(`${path}: dead link ${target}`);
    }
  }
  return problems;
}

if (import.meta.main) {
  const { stdout } = await new Deno.Command("git", {
    args: ["ls-files", "--cached", "--others", "--exclude-standard"],
    stdout: "piped",
  }).output();
  const problems: string[] = [];
  for (const path of new TextDecoder().decode(stdout).split("\n")) {
    if (!/\.(ts|tsx|rs|lua|md|sh|json|jsonc)$/.test(path) || path.startsWith("tests/vectors/")) {
      continue;
    }
    if (path.endsWith("-lock.json") || path.startsWith("tests/fixtures/")) continue;
    let text: string;
    try {
      text = await Deno.readTextFile(path);
    } catch {
      continue; // deleted, not yet committed
    }
    problems.push(...tidyProblems(path, text));
    if (path.endsWith(".md")) problems.push(...await deadLinks(path, text));
  }
  await Deno.stdout.write(new TextEncoder().encode(problems.map((p) => p + "\n").join("")));
  Deno.exit(problems.length === 0 ? 0 : 1);
}
