/** What is wrong with a configuration, all of it at once, each by path and with its mend. */
import { PoolError } from "../base/mod.ts";

/** One mistake in the configuration. */
export interface Problem {
  /** Keys joined by dots ("upstream.0.url"); empty for the file as a whole. */
  path: string;
  /** What is wrong. */
  problem: string;
  /** What to write instead. */
  mend: string;
}

/** Something that is accepted but does not do what it seems to. */
export interface Warning {
  path: string;
  /** What to know, in one sentence. */
  message: string;
}

/** A configuration that cannot be used; lists every problem. */
export class ConfigError extends PoolError {
  override readonly name = "ConfigError";
  readonly problems: readonly Problem[];
  /** Warnings met before the problems stopped it. */
  readonly warnings: readonly Warning[];

  constructor(problems: Problem[], warnings: Warning[] = []) {
    super(`Cannot use the configuration:\n${problems.map(problemLine).join("\n")}`);
    this.problems = problems;
    this.warnings = warnings;
  }
}

/** "path: problem, mend", as the check prints it. */
export function problemLine({ path, problem, mend }: Problem): string {
  return `${path === "" ? "file" : path}: ${problem}, ${mend}`;
}
