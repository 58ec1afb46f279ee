/** Where the problems and warnings of one parse are collected. */
import type { Problem, Warning } from "./problem.ts";

/** What is wrong and what is odd, in the order it was met. */
export interface Findings {
  problems: Problem[];
  warnings: Warning[];
}

/** Adds a problem. */
export function refuse(found: Findings, path: string, problem: string, mend: string): void {
  found.problems.push({ path, problem, mend });
}

/** Adds a warning. */
export function warn(found: Findings, path: string, message: string): void {
  found.warnings.push({ path, message });
}
