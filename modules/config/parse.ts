/** Text to a frozen Config, or one ConfigError that lists every problem by its path. */
import type { z } from "zod";
import { buildConfig, type ConfigContext } from "./build.ts";
import { type Findings, refuse, warn } from "./findings.ts";
import { isLaterValue } from "./known_keys.ts";
import { matchKeys } from "./match_keys.ts";
import { ConfigError, type Warning } from "./problem.ts";
import { fileSchema } from "./schema.ts";
import { parseJsonWithComments } from "./text.ts";
import type { Config } from "./types.ts";

/** Rounds in which bad parts are left out, so that the rest can be judged too. */
const REMOVALS_MAX = 8;

/** A configuration that may be used, and what to know about it. */
export interface ParsedConfig {
  config: Config;
  warnings: Warning[];
}

/**
 * Parses a configuration file of open-ethereum-pool, with quarry's keys beside the old ones.
 *
 * @throws {ConfigError} with every problem that was found
 */
export function parseConfig(text: string, context: ConfigContext): ParsedConfig {
  const found: Findings = { problems: [], warnings: [] };
  const value = valueOf(text);
  const matched = matchKeys(value, fileSchema, found);
  const result = fileSchema.safeParse(matched, { reportInput: true });
  if (!result.success) {
    for (const issue of result.error.issues) addIssue(issue, found);
    addCrossProblems(matched, result.error.issues, context, found);
    throw new ConfigError(found.problems, found.warnings);
  }
  const config = buildConfig(result.data, context, found);
  warnOfStratum(matched, config, found);
  if (found.problems.length > 0) throw new ConfigError(found.problems, found.warnings);
  return { config: freeze(config), warnings: found.warnings };
}

function valueOf(text: string): unknown {
  let value: unknown;
  try {
    value = parseJsonWithComments(text);
  } catch (error) {
    const problem = `is no JSON: ${(error as Error).message}`;
    throw new ConfigError([{ path: "", problem, mend: "correct it there" }]);
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new ConfigError([{ path: "", problem: "is no object", mend: "begin it with {" }]);
  }
  return value;
}

/** Also judges the rest of a file with bad values, as if those were left out. */
function addCrossProblems(
  matched: unknown,
  issues: z.core.$ZodIssue[],
  context: ConfigContext,
  found: Findings,
): void {
  const rest = structuredClone(matched);
  let result;
  for (let left = issues, tries = 0; left.length > 0 && tries < REMOVALS_MAX; tries++) {
    // The second time a part still does not fit, what holds it goes too.
    for (const { path } of left) removeAt(rest, path.slice(0, Math.max(1, path.length - tries)));
    result = fileSchema.safeParse(rest);
    left = result.success ? [] : result.error.issues;
  }
  if (!result?.success) return;
  const more: Findings = { problems: [], warnings: [] };
  buildConfig(result.data, context, more);
  const known = found.problems.map((problem) => problem.path);
  found.warnings.push(...more.warnings);
  found.problems.push(
    ...more.problems.filter(({ path }) => !known.some((bad) => `${bad}.`.startsWith(`${path}.`))),
  );
}

function removeAt(value: unknown, path: PropertyKey[]): void {
  let at = value as Record<PropertyKey, unknown> | undefined;
  for (const key of path.slice(0, -1)) at = at?.[key] as Record<PropertyKey, unknown> | undefined;
  if (Array.isArray(at)) at.splice(Number(path.at(-1)), 1);
  else if (at !== undefined && at !== null) delete at[path.at(-1)!];
}

/** In the old pool `proxy.enabled` gates stratum too: say so when stratum looks wanted. */
function warnOfStratum(matched: unknown, config: Config, found: Findings): void {
  const { proxy } = matched as { proxy?: { stratum?: { enabled?: boolean } } };
  if (config.proxy.enabled || proxy?.stratum === undefined) return;
  if (config.proxy.stratum.ports.length > 0) return;
  if (proxy.stratum.enabled === false) return;
  warn(found, "proxy.enabled", "is false, which switches stratum off too, as it always did");
}

function addIssue(issue: z.core.$ZodIssue, found: Findings): void {
  const path = issue.path.join(".");
  if (isLaterValue(path, issue.input)) {
    return refuse(found, path, "is not supported yet by this version", "remove it");
  }
  if (issue.input === undefined && issue.code !== "custom") {
    return refuse(found, path, "is missing", "add it");
  }
  const now = `current value is ${JSON.stringify(issue.input)}`;
  switch (issue.code) {
    case "invalid_type": {
      const kind = issue.expected === "int" ? "whole number" : issue.expected;
      return refuse(found, path, `expected ${kind}, ${now}`, MENDS[kind] ?? "change its type");
    }
    case "too_small":
      return refuse(found, path, `must be at least ${issue.minimum}, ${now}`, "raise it");
    case "too_big":
      return refuse(found, path, `must be at most ${issue.maximum}, ${now}`, "lower it");
    case "invalid_value": {
      const values = issue.values.map((value) => JSON.stringify(value)).join(", ");
      return refuse(found, path, `is none of the known values, ${now}`, `write one of ${values}`);
    }
    case "invalid_union":
      return addUnionIssue(issue, path, now, found);
    case "custom":
      return refuse(found, path, issue.message, String(issue.params?.mend ?? "correct it"));
    default:
      return refuse(found, path, `has a form that is not understood, ${now}`, "correct it");
  }
}

const MENDS: Record<string, string> = {
  "whole number": "write a whole number without quotes",
  number: "write a number without quotes",
  boolean: "write true or false without quotes",
  string: "write text in quotes",
  array: "write a list in [ ]",
  object: "write keys in { }",
};

/** Of several forms the one for the kind of value that stands there speaks. */
function addUnionIssue(
  issue: z.core.$ZodIssueInvalidUnion,
  path: string,
  now: string,
  found: Findings,
): void {
  const wrongKind = (one: z.core.$ZodIssue) => one.code === "invalid_type" && one.path.length === 0;
  const fitting = issue.errors.find((issues) => !issues.some(wrongKind));
  if (fitting === undefined) {
    return refuse(found, path, `has the wrong type, ${now}`, "see config/README.md for its forms");
  }
  for (const inner of fitting) addIssue({ ...inner, path: [...issue.path, ...inner.path] }, found);
}

function freeze<T>(value: T): T {
  if (value !== null && typeof value === "object" && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}
