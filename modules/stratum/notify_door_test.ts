/** Nodes that push: over real sockets, believed for nothing but the ring. */
import assert from "node:assert/strict";
import { silentLogger, systemClock } from "../base/mod.ts";
import { serveNotify } from "./notify_door.ts";

const WORK = ["0x" + "ab".repeat(32), "0x" + "00".repeat(32), "0x" + "0f".repeat(32), "0x10"];

Deno.test("serveNotify() rings for work and for a full header of a listed node, and for nothing else", async () => {
  const rung: string[] = [];
  const server = await serveNotify({
    ...{ hostname: "127.0.0.1", port: 0 },
    nodes: [
      { name: "far", notifyFrom: ["10.0.0.0/8"] },
      { name: "near", notifyFrom: ["127.0.0.1"] },
    ],
  }, { clock: systemClock, log: silentLogger, onPush: (node) => rung.push(node) });
  const push = async (body: string, method = "POST") => {
    const url = `http://127.0.0.1:${server.port}/`;
    const response = await fetch(url, { method, ...(method === "GET" ? {} : { body }) });
    await response.body?.cancel();
    return response.status;
  };
  assert.equal(await push(JSON.stringify(WORK)), 200);
  assert.equal(await push(JSON.stringify(WORK.slice(0, 3))), 200);
  assert.equal(await push(JSON.stringify({ parentHash: "0x", number: "0x10", nonce: "0x0" })), 200);
  for (const body of ["", "x", "[]", "{}", "[1,2,3]", "null", JSON.stringify("x".repeat(20_000))]) {
    assert.equal(await push(body), 400, body.slice(0, 20));
  }
  assert.equal(await push("", "GET"), 405);
  assert.deepEqual(rung, ["near", "near", "near"]);
  await server.close(1_000);
});

Deno.test("serveNotify() lets no stranger in", async () => {
  const rung: string[] = [];
  const server = await serveNotify({
    ...{ hostname: "127.0.0.1", port: 0, nodes: [{ name: "far", notifyFrom: ["10.0.0.0/8"] }] },
  }, { clock: systemClock, log: silentLogger, onPush: (node) => rung.push(node) });
  const response = await fetch(`http://127.0.0.1:${server.port}/`, {
    ...{ method: "POST", body: JSON.stringify(WORK) },
  });
  await response.body?.cancel();
  assert.equal(response.status, 403);
  assert.deepEqual(rung, []);
  await server.close(1_000);
});
