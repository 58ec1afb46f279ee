/**
 * JSON as Go's encoding/json writes it: map keys sorted, struct fields in order, integers exact,
 * `<`, `>`, `&`, U+2028 and U+2029 escaped, one newline at the end (json.Encoder).
 */

/** What can be written: a Map is a Go map (sorted), a plain object a Go struct (in its order). */
export type GoValue =
  | null
  | boolean
  | string
  | number
  | bigint
  | RawJson
  | readonly GoValue[]
  | ReadonlyMap<string, GoValue>
  | { readonly [field: string]: GoValue };

/** Text that is JSON already. */
export class RawJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** The value as one line of JSON with its newline. */
export function goJsonLine(value: GoValue): string {
  return goJson(value) + "\n";
}

/** The value as JSON. @throws {TypeError} on NaN and infinities, which JSON cannot say */
export function goJson(value: GoValue): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return goString(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new TypeError(`Cannot write ${value} as JSON`);
    return JSON.stringify(value);
  }
  if (value instanceof RawJson) return value.text;
  if (Array.isArray(value)) return `[${value.map(goJson).join(",")}]`;
  const entries: [string, GoValue][] = value instanceof Map
    ? [...value].sort(([a], [b]) => a < b ? -1 : 1)
    : Object.entries(value);
  return `{${entries.map(([key, item]) => `${goString(key)}:${goJson(item)}`).join(",")}}`;
}

function goString(text: string): string {
  // Pairs are taken whole, so that an escaped backslash before a letter is no escape of it.
  return JSON.stringify(text.toWellFormed()).replace(/\\.|[<>&\u2028\u2029]/g, (found) => {
    if (found.startsWith("\\")) return SHORT_IN_JS_ONLY[found] ?? found;
    return "\\u" + found.charCodeAt(0).toString(16).padStart(4, "0");
  });
}

const SHORT_IN_JS_ONLY: Record<string, string> = { "\\b": "\\u0008", "\\f": "\\u000c" };
