/** The container's files: what they promise, and the image itself where an engine runs. */
import assert from "node:assert/strict";
import { loadConfig } from "../../modules/config/mod.ts";
import { ROOT } from "../../scripts/dist/roots.ts";
import { build, output } from "./build.ts";

const folder = `${ROOT}/config/container`;
const engine = await findEngine();

/** An engine that can build; a client without its daemon is none. */
async function findEngine(): Promise<string | undefined> {
  for (const program of ["podman", "docker"]) {
    try {
      if ((await output(program, ["info"])).code === 0) return program;
    } catch { /* not installed */ }
  }
  return undefined;
}

Deno.test("the Containerfile runs the archive as a user of its own, with a health check", async () => {
  const text = await Deno.readTextFile(`${folder}/Containerfile`);
  const lines = text.replaceAll("\\\n", " ").split("\n").filter((line) => !/^(#|\s*$)/.test(line));
  const known = /^(FROM|ARG|COPY|RUN|USER|VOLUME|EXPOSE|STOPSIGNAL|HEALTHCHECK|ENTRYPOINT|CMD) /;
  for (const line of lines) assert.match(line, known);
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith("FROM ")));
  assert.ok(last.includes("USER 8008:8008"));
  assert.ok(
    last.some((line) => line.startsWith("HEALTHCHECK ") && line.includes('"ready", "8080"')),
  );
  for (const line of last.filter((line) => /^(ENTRYPOINT|CMD) /.test(line))) {
    assert.ok(Array.isArray(JSON.parse(line.slice(line.indexOf("[")))), line);
  }
  assert.ok(!/\bsudo\b|--privileged|USER (root|0)\b/.test(text));
});

Deno.test("compose.yaml keeps Redis durable and to itself, and drops every capability", async () => {
  const text = await Deno.readTextFile(`${folder}/compose.yaml`);
  assert.match(text, /--appendonly yes --appendfsync always --maxmemory-policy noeviction/);
  const services = text.slice(text.indexOf("\nservices:"), text.indexOf("\nnetworks:"));
  const [redis, node, pool] = ["redis", "node", "pool"].map((name) =>
    new RegExp(`^  ${name}:\n((?:    .*\n|\n)*)`, "m").exec(services)![1]!
  );
  for (const service of [redis!, pool!]) {
    assert.match(service, /read_only: true/);
    assert.match(service, /cap_drop: \[ALL\]/);
    assert.match(service, /no-new-privileges:true/);
  }
  assert.doesNotMatch(redis!, /ports:/);
  assert.match(redis!, /networks: \[inside\]/);
  assert.doesNotMatch(node!, /"8545/, "the node's interface is for the pool alone");
  const { config } = loadConfig(`${folder}/pool.json`);
  assert.equal(config.redis.endpoint, "redis:6379");
});

Deno.test({
  name: "the image builds and says its version" +
    (engine === undefined ? " (skipped: no container engine runs here)" : ""),
  ignore: engine === undefined,
  async fn() {
    const archive = (await build("archive")).slice(ROOT.length + 1);
    const built = await output(engine!, [
      ...["build", "--file", `${folder}/Containerfile`, "--build-arg", `ARCHIVE=${archive}`],
      ...["--tag", "quarry-test", ROOT],
    ]);
    assert.equal(built.code, 0, built.text);
    const { text } = await output(engine!, ["run", "--rm", "quarry-test", "--version"]);
    assert.match(text, /^quarry \d/);
    await output(engine!, ["image", "rm", "--force", "quarry-test"]);
  },
});
