/** Matches the keys of a file with the schema: without regard to case, refusing the unknown. */
import { z } from "zod";
import { laterKey, LEGACY_KEYS, newPlace } from "./known_keys.ts";
import type { Findings } from "./findings.ts";

const REMOVE = "remove it";

/**
 * The value with every key in the schema's spelling.
 *
 * Unknown and later keys become problems, legacy ones warnings; both are left out of the result.
 */
export function matchKeys(
  value: unknown,
  schema: z.core.$ZodType,
  found: Findings,
  path: string[] = [],
): unknown {
  if (Array.isArray(value)) {
    const element = part(schema, z.ZodArray)?.element;
    if (element === undefined) return value;
    return value.map((item, i) => matchKeys(item, element, found, [...path, String(i)]));
  }
  const shape = part(schema, z.ZodObject)?.shape;
  if (shape === undefined || value === null || typeof value !== "object") return value;
  const spelling = new Map(Object.keys(shape).map((key) => [key.toLowerCase(), key]));
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const known = spelling.get(key.toLowerCase());
    const at = [...path, known ?? key];
    if (known === undefined) {
      judgeUnknown(at, [...spelling.values()], found);
    } else if (Object.hasOwn(result, known)) {
      const problem = "is given twice (keys match without regard to case)";
      found.problems.push({ path: at.join("."), problem, mend: "keep one of them" });
    } else {
      result[known] = matchKeys(item, shape[known]!, found, at);
    }
  }
  return result;
}

function judgeUnknown(
  path: string[],
  known: string[],
  found: Findings,
): void {
  const at = path.join(".");
  const plain = path.filter((part) => !/^\d+$/.test(part)).join(".");
  const legacy = LEGACY_KEYS[plain.toLowerCase()];
  if (legacy !== undefined) {
    found.warnings.push({ path: at, message: `does nothing: ${legacy}` });
    return;
  }
  if (laterKey(plain) !== undefined) {
    const problem = "is not supported yet by this version";
    found.problems.push({ path: at, problem, mend: REMOVE });
    return;
  }
  const place = newPlace(plain);
  if (place !== undefined) {
    const problem = "is no key of this pool";
    found.problems.push({ path: at, problem, mend: `write ${place} instead` });
    return;
  }
  const nearest = nearestKey(path.at(-1)!, known);
  const mend = nearest === null ? REMOVE : `did you mean "${nearest}"?`;
  found.problems.push({ path: at, problem: "is no known key", mend });
}

/** The part of a schema that is an object or array, under defaults, optionals and unions. */
function part<T extends z.ZodType>(
  schema: z.core.$ZodType,
  kind: abstract new (...args: never[]) => T,
): T | undefined {
  if (schema instanceof kind) return schema;
  if (schema instanceof z.ZodUnion) {
    return schema.options.map((option) => part(option, kind)).find((one) => one !== undefined);
  }
  const inner = (schema._zod.def as { innerType?: z.core.$ZodType }).innerType;
  return inner === undefined ? undefined : part(inner, kind);
}

/** The known key that takes the fewest edits, if that is few enough to be a slip. */
export function nearestKey(key: string, known: string[]): string | null {
  let best: { key: string; edits: number } | null = null;
  for (const candidate of known) {
    const edits = editDistance(key.toLowerCase(), candidate.toLowerCase());
    if (best === null || edits < best.edits) best = { key: candidate, edits };
  }
  const few = Math.max(2, Math.floor(key.length / 3));
  return best !== null && best.edits <= few ? best.key : null;
}

/** Levenshtein's distance of two short texts. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
