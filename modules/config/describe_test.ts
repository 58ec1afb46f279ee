/** The documents follow the schema: every key of the old manual has a row and a line. */
import assert from "node:assert/strict";
import { editorSchema, keyRows, replaceTable } from "./describe.ts";
import { LEGACY_KEYS } from "./known_keys.ts";
import { parseJsonWithComments } from "./text.ts";

const ROOT = new URL("../../", import.meta.url);
const readme = Deno.readTextFileSync(new URL("config/README.md", ROOT));

/** Every path of a file that holds a value, lists written as "[]". */
function pathsOf(value: unknown, path = ""): string[] {
  if (Array.isArray(value) && typeof value[0] === "object") {
    return [...new Set(value.flatMap((item) => pathsOf(item, `${path}[]`)))];
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) return [path];
  return Object.entries(value)
    .flatMap(([key, inner]) => pathsOf(inner, path === "" ? key : `${path}.${key}`));
}

Deno.test("keyRows() has every key of the old manual and of the old example", () => {
  const rows = new Set(keyRows().map((row) => row.path));
  for (const file of ["manual-config.jsonc", "config.example.json"]) {
    const text = Deno.readTextFileSync(new URL(`tests/fixtures/config/${file}`, ROOT));
    const paths = pathsOf(parseJsonWithComments(text));
    assert.ok(paths.length > 50);
    for (const path of paths) {
      assert.ok(rows.has(path) || path.toLowerCase() in LEGACY_KEYS, `${path} has no row`);
      assert.ok(readme.includes(`\`${path}\``), `${path} has no line in config/README.md`);
    }
  }
});

Deno.test("keyRows() explains every key", () => {
  for (const { path, meaning } of keyRows()) assert.notEqual(meaning, "", path);
});

Deno.test("config/README.md has the current table of keys", () => {
  assert.equal(replaceTable(readme), readme, "run modules/config/describe.ts");
});

Deno.test("config/quarry.schema.json is current", () => {
  const file = Deno.readTextFileSync(new URL("config/quarry.schema.json", ROOT));
  assert.deepEqual(JSON.parse(file), JSON.parse(editorSchema()), "run modules/config/describe.ts");
});
