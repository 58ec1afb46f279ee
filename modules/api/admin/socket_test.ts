/** Where the operator's socket is opened, and where it is not. */
import assert from "node:assert/strict";
import { FakeClock, silentLogger } from "../../base/mod.ts";
import { createKeys } from "../../ledger/mod.ts";
import { connectingStore } from "../connecting_store.ts";
import { askAdmin } from "./client.ts";
import { answerLine } from "./door.ts";
import type { AdminParts } from "./parts.ts";
import { listenPrivately } from "./socket.ts";

async function inFolder(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await work(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("listenPrivately() makes folder and socket for one user", () =>
  inFolder(async (dir) => {
    const listener = await listenPrivately(`${dir}/own/admin.sock`);
    assert.equal((await Deno.stat(`${dir}/own`)).mode! & 0o777, 0o700);
    assert.equal((await Deno.stat(`${dir}/own/admin.sock`)).mode! & 0o777, 0o600);
    listener.close();
  }));

Deno.test("listenPrivately() refuses a folder that others can enter, and a file that is no socket", () =>
  inFolder(async (dir) => {
    await Deno.chmod(dir, 0o755);
    await assert.rejects(listenPrivately(`${dir}/admin.sock`), /chmod 700/);
    await Deno.chmod(dir, 0o700);
    await Deno.writeTextFile(`${dir}/admin.sock`, "mine");
    await assert.rejects(listenPrivately(`${dir}/admin.sock`), /is no socket/);
    assert.equal(await Deno.readTextFile(`${dir}/admin.sock`), "mine");
  }));

Deno.test("listenPrivately() replaces what a dead pool left, and no pool that answers", () =>
  inFolder(async (dir) => {
    const path = `${dir}/admin.sock`;
    const first = await listenPrivately(path);
    const accepted = first.accept();
    await assert.rejects(listenPrivately(path), /another pool answers/);
    (await accepted).close();
    // As after SIGKILL: the name stays, nobody listens.
    await Deno.rename(path, `${path}.kept`);
    first.close();
    await Deno.rename(`${path}.kept`, path);
    const second = await listenPrivately(path);
    second.close();
  }));

Deno.test("askAdmin() says who does not answer, and for how long it asked", () =>
  inFolder(async (dir) => {
    const path = `${dir}/admin.sock`;
    const line = { user: "ann", request: { command: "status" } };
    await assert.rejects(askAdmin(path, line), /No pool answers at/);
    const listener = await listenPrivately(path);
    const accepted = listener.accept();
    await assert.rejects(askAdmin(path, line, 20), /no answer within 0.02 s/);
    (await accepted).close();
    listener.close();
  }));

// node-redis keeps a timer of its own for a while after a server that cannot be reached.
const LOSES_REDIS = { sanitizeOps: false, sanitizeResources: false };

Deno.test("answerLine() answers whatever comes, and acts without Redis", LOSES_REDIS, async () => {
  const levels: string[] = [];
  const clock = new FakeClock();
  const store = connectingStore({ endpoint: "/nowhere", database: 0, password: "" }, {
    ...{ log: silentLogger, clock },
  });
  const pool = { instance: "a", setLogLevel: (level: string) => levels.push(level) };
  const deps = {
    ...{ store, keys: createKeys("t"), clock, log: silentLogger, waitReplicas: 0 },
    pool: pool as unknown as AdminParts,
  };
  const ask = (request: unknown) => answerLine(JSON.stringify({ user: "a b;c", request }), deps);
  for (const line of ["", "null", "[]", "{", '{"request":{"command":"x"}}', '{"request":null}']) {
    const answer = await answerLine(line, deps);
    assert.equal(answer.ok, false, line);
  }
  assert.deepEqual(await ask({ command: "log level", level: "debug" }), { ok: true, data: {} });
  assert.deepEqual(levels, ["debug"]);
  const paused = await ask({ command: "payouts pause" });
  assert.ok(
    !paused.ok && /Redis is away/.test(paused.error),
    "never said to be done when it is not",
  );
  const drained = await ask({ command: "drain" });
  assert.ok(!drained.ok && /does not mine/.test(drained.error));
  await store.close();
});
