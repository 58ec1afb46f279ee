/** The schema made readable: JSON schema for editors and the table of keys for the documents. */
import { z } from "zod";
import { LEGACY_KEYS } from "./known_keys.ts";
import { fileSchema } from "./schema.ts";

/** One key of the file. */
export interface KeyRow {
  /** Keys joined by dots; the members of a list after "[]" ("upstream[].url"). */
  path: string;
  /** Default as JSON; empty when there is none. */
  standard: string;
  meaning: string;
}

/** Every key that holds a value, in the schema's order. */
export function keyRows(): KeyRow[] {
  return rowsOf(fileSchema, "", "", "").filter((row) => row.path !== "$schema");
}

function rowsOf(
  schema: z.core.$ZodType,
  path: string,
  standard: string,
  meaning: string,
): KeyRow[] {
  const text = meaning || ((schema as z.ZodType).description ?? "");
  if (schema instanceof z.ZodObject) {
    return Object.entries(schema.shape).flatMap(([key, inner]) =>
      rowsOf(inner as z.core.$ZodType, path === "" ? key : `${path}.${key}`, "", "")
    );
  }
  const def = schema._zod.def as { innerType?: z.core.$ZodType; defaultValue?: unknown };
  if (schema instanceof z.ZodArray && schema.element instanceof z.ZodObject) {
    return rowsOf(schema.element, `${path}[]`, "", "");
  }
  const inner = def.innerType;
  if (inner !== undefined) {
    return rowsOf(inner, path, standard || JSON.stringify(def.defaultValue) || "", text);
  }
  const own = [{ path, standard, meaning: text }];
  const object = schema instanceof z.ZodUnion
    ? schema.options.find((option) => option instanceof z.ZodObject)
    : undefined;
  return object === undefined ? own : [...own, ...rowsOf(object, path, "", "")];
}

/** The table of config/README.md, its columns aligned as the formatter does. */
export function keyTable(): string {
  const rows = keyRows().map(({ path, standard, meaning }) => [
    `\`${path}\``,
    standard === "" ? "" : `\`${standard}\``,
    meaning.replaceAll("|", "\\|"),
  ]);
  const head = ["key", "default", "meaning"];
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i]!.length)));
  const line = (row: string[]) =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  const rule = widths.map((width) => "-".repeat(width));
  return [head, rule, ...rows].map(line).join("\n") + "\n";
}

/** The JSON schema of config/quarry.schema.json. */
export function editorSchema(): string {
  const schema = z.toJSONSchema(fileSchema, { io: "input", unrepresentable: "any" });
  allowLegacy(schema);
  close(schema);
  return JSON.stringify(schema, null, 2) + "\n";
}

/** Keys of the old pool that do nothing are no mistake in an editor either. */
function allowLegacy(schema: z.core.JSONSchema.BaseSchema): void {
  for (const [path, why] of Object.entries(LEGACY_KEYS)) {
    let at = schema;
    const keys = path.split(".");
    for (const key of keys.slice(0, -1)) at = at.properties![key] as typeof schema;
    at.properties![keys.at(-1)!] = { deprecated: true, description: why };
  }
}

/** Lets editors mark unknown keys, as the check does. */
function close(schema: z.core.JSONSchema.BaseSchema): void {
  if (schema.properties !== undefined) schema.additionalProperties = false;
  for (const inner of Object.values(schema)) {
    if (inner !== null && typeof inner === "object") close(inner as typeof schema);
  }
}

/** Writes both into the folder given; `deno run --allow-write modules/config/describe.ts config`. */
export function writeDescriptions(folder: string): void {
  Deno.writeTextFileSync(`${folder}/quarry.schema.json`, editorSchema());
  const path = `${folder}/README.md`;
  const text = Deno.readTextFileSync(path);
  Deno.writeTextFileSync(path, replaceTable(text));
}

const TABLE = /(<!-- keys -->\n)[\s\S]*?(<!-- end of keys -->)/;

/** The document with its table of keys brought up to date. */
export function replaceTable(text: string): string {
  return text.replace(TABLE, (_, start, end) => `${start}\n${keyTable()}\n${end}`);
}

if (import.meta.main) writeDescriptions(Deno.args[0] ?? "config");
