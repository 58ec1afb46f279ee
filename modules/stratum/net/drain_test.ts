/** A port that is told to take nobody new. */
import assert from "node:assert/strict";
import { until, withPort } from "../../../tests/support/port.ts";

Deno.test("openPort() takes nobody new once it is told so, and keeps who is there", async () => {
  await withPort(async (port) => {
    const client = await port.connect();
    await client.send("{");
    await until(() => port.wires.length === 1, "the connection to be a session");
    port.refuseNew();
    await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port: port.port }));
    port.wires[0]!.send(new TextEncoder().encode("still here\n"));
    assert.equal(new TextDecoder().decode((await client.read())!), "still here\n");
  });
});
