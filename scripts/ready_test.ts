/** The container's health check as a program: what it says and its exit codes. */
import assert from "node:assert/strict";
import { freePort } from "../tests/support/process.ts";

const QUARRY = new URL("quarry", import.meta.url).pathname;

async function run(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(QUARRY, { args: ["ready", ...args] })
    .output();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

Deno.test("quarry ready asks the pool of this machine", async () => {
  let status = 200;
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => new Response(new URL(request.url).pathname, { status }),
  );
  const port = String(server.addr.port);
  assert.deepEqual(await run(port), { code: 0, text: "200 /readyz\n" });
  status = 503;
  assert.deepEqual(await run(port), { code: 1, text: "503 /readyz\n" });
});

Deno.test("quarry ready says what is wrong", async () => {
  const away = await run(String(freePort()));
  assert.equal(away.code, 1);
  assert.match(away.text, /^Nobody answers at 127\.0\.0\.1:\d+: give the port of api\.listen/);
  for (const wrong of ["abc", "0", "70000", "--help"]) {
    const { code, text } = await run(wrong);
    assert.equal(code, 2, text);
    assert.match(text, /^Usage: quarry ready/);
  }
});
