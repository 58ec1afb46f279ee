/** scripts/setup before anything is there: it says what it does, and ends when nobody answers. */
import assert from "node:assert/strict";

const SCRIPTS = new URL("./", import.meta.url).pathname;

Deno.test("scripts/setup says what it installs, and does not wait for a silent registry for ever", async () => {
  const dir = await Deno.makeTempDir();
  const registry = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const held: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const conn of registry) held.push(conn);
  })();
  try {
    await Deno.mkdir(`${dir}/scripts/tools`, { recursive: true });
    for (const file of ["setup", "env.sh", "tools/package.json", "tools/package-lock.json"]) {
      await Deno.copyFile(SCRIPTS + file, `${dir}/scripts/${file}`);
    }
    const { code, stderr } = await new Deno.Command("bash", {
      args: [`${dir}/scripts/setup`],
      env: {
        npm_config_registry: `http://127.0.0.1:${registry.addr.port}/`,
        npm_config_cache: `${dir}/cache`,
        npm_config_fetch_timeout: "300",
        npm_config_update_notifier: "false",
      },
    }).output();
    const text = new TextDecoder().decode(stderr);
    assert.equal(code, 1, text);
    assert.match(text, /^quarry: installing Deno and the build driver .* \(npm, some 100 MB\)\n/);
    assert.match(text, /look at the network and at its registry, then run this again\n$/);
    assert.ok(held.length > 0, "the registry was asked");
  } finally {
    registry.close();
    await accepting.catch(() => {});
    for (const conn of held) conn.close();
    await Deno.remove(dir, { recursive: true });
  }
});
