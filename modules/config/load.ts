/** The only file that reads the configuration from disk and its secrets from the environment. */
import { dirname, isAbsolute, resolve } from "node:path";
import { errorText } from "../base/mod.ts";
import type { ConfigContext, SecretReference } from "./build.ts";
import { parseConfig, type ParsedConfig } from "./parse.ts";
import { ConfigError, problemLine, type Warning } from "./problem.ts";

/**
 * Reads and parses a configuration file.
 *
 * @throws {ConfigError} when it cannot be read or used; lists every problem
 */
export function loadConfig(path: string): ParsedConfig {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    const problem = `cannot be read at ${path}: ${errorText(error)}`;
    throw new ConfigError([{ path: "", problem, mend: "give the path of a configuration" }]);
  }
  return parseConfig(text, contextOf(path));
}

/** What `main.ts --check` prints, and its exit code: 0 when the file may be used. */
export function checkReport(path: string): { lines: string[]; exitCode: 0 | 1 } {
  try {
    const { warnings } = loadConfig(path);
    return { lines: [...warnings.map(warningLine), `${path}: no problems`], exitCode: 0 };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const lines = [
      ...error.warnings.map(warningLine),
      ...error.problems.map((problem) => `error    ${problemLine(problem)}`),
    ];
    const count = error.problems.length;
    return {
      lines: [...lines, `${path}: ${count} ${count === 1 ? "problem" : "problems"}`],
      exitCode: 1,
    };
  }
}

/** One warning as the check prints it. */
export function warningLine({ path, message }: Warning): string {
  return `warning  ${path}: ${message}`;
}

function contextOf(path: string): ConfigContext {
  const baseDir = dirname(resolve(path));
  return { baseDir, readSecret: (reference) => readSecret(reference, baseDir) };
}

function readSecret(reference: SecretReference, baseDir: string): string {
  if ("env" in reference) {
    const value = Deno.env.get(reference.env);
    if (value === undefined) throw new Error(`is in ${reference.env}, which is not set`);
    return value;
  }
  const file = isAbsolute(reference.file) ? reference.file : resolve(baseDir, reference.file);
  try {
    return Deno.readTextFileSync(file).split("\n")[0]!.trimEnd();
  } catch (error) {
    throw new Error(`cannot be read from ${file}: ${errorText(error)}`);
  }
}
