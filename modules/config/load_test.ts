/** Files on disk: the shipped examples, secrets by reference, and what the check prints. */
import assert from "node:assert/strict";
import { checkReport, ConfigError, loadConfig } from "./mod.ts";

const FOLDER = new URL("../../config/", import.meta.url).pathname;

Deno.test("loadConfig() accepts every shipped file", () => {
  const files = [...Deno.readDirSync(FOLDER)].map(({ name }) => name)
    .filter((name) => name.endsWith(".json") && !name.endsWith(".schema.json"));
  assert.deepEqual(files.sort(), [
    "api.json",
    "development.json",
    "example.json",
    "mining.json",
    "money.json",
    "payouts.json",
    "unlocker.json",
  ]);
  const before = Deno.env.get("REDIS_PASSWORD");
  Deno.env.set("REDIS_PASSWORD", "secret");
  try {
    for (const file of files) assert.deepEqual(loadConfig(FOLDER + file).warnings, [], file);
    assert.equal(loadConfig(`${FOLDER}mining.json`).config.redis.password, "secret");
    assert.equal(loadConfig(`${FOLDER}development.json`).config.unlocker.depth, 8);
  } finally {
    if (before === undefined) Deno.env.delete("REDIS_PASSWORD");
    else Deno.env.set("REDIS_PASSWORD", before);
  }
});

Deno.test("loadConfig() reads a password from a file beside the configuration", () => {
  const dir = Deno.makeTempDirSync();
  try {
    Deno.writeTextFileSync(`${dir}/pool.json`, '{"redis": {"password": {"file": "redis.pass"}}}');
    assert.throws(() => loadConfig(`${dir}/pool.json`), /redis.password: cannot be read from/);
    Deno.writeTextFileSync(`${dir}/redis.pass`, "hunter2\n");
    const { config } = loadConfig(`${dir}/pool.json`);
    assert.equal(config.redis.password, "hunter2");
    assert.equal(config.dataDir, `${dir}/data`);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
});

Deno.test("loadConfig() names a file that is not there or no file, once, with the mend", () => {
  for (const path of ["/nonexistent.json", FOLDER]) {
    assert.throws(() => loadConfig(path), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.equal(error.message.split(path).length, 2, error.message);
      assert.match(error.message, /cannot be read: .*, give the path of a configuration$/);
      return true;
    });
  }
});

Deno.test("checkReport() prints warnings, problems and the count", () => {
  const dir = Deno.makeTempDirSync();
  const path = `${dir}/pool.json`;
  try {
    Deno.writeTextFileSync(path, '{"newrelicKey": "x", "thread": 2, "unlocker": {"depth": 1}}');
    const bad = checkReport(path);
    assert.equal(bad.exitCode, 1);
    assert.match(bad.lines[0]!, /^warning {2}newrelicKey: does nothing/);
    assert.ok(bad.lines.includes('error    thread: is no known key, did you mean "threads"?'));
    assert.match(bad.lines.at(-1)!, /: [23] problems$/);
    Deno.writeTextFileSync(path, "{}");
    assert.deepEqual(checkReport(path), { lines: [`${path}: no problems`], exitCode: 0 });
    Deno.writeTextFileSync(path, '{\n  "coin": }');
    assert.match(checkReport(path).lines[0]!, /file: is no JSON: .* line 2 column 11/);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
});
