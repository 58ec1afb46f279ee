/** Wires over real sockets: peers that do not read, pushes that replace each other, ends. */
import assert from "node:assert/strict";
import {
  type RawClient,
  readLine,
  type TestPort,
  until,
  withPort,
} from "../../../tests/support/port.ts";
import { QUEUED_BYTES_MAX, type Wire } from "./mod.ts";

const text = (line: string) => new TextEncoder().encode(line);
/** What fills the system's buffers of a connection, with room to spare (bytes). */
const SYSTEM_BYTES_MAX = 64 * 1024 * 1024;

async function session(port: TestPort): Promise<{ client: RawClient; wire: Wire }> {
  const client = await port.connect();
  const count = port.wires.length;
  await client.send("{}\n");
  await until(() => port.wires.length > count, "wire");
  const wire = port.wires[count]!;
  await wire.read();
  return { client, wire };
}

/** Sends until the system takes no more. Gives how many lines it took. */
function fill(wire: Wire, line: Uint8Array): number {
  let sent = 0;
  while (wire.queuedBytes === 0) {
    wire.send(line);
    assert.ok(++sent * line.length < SYSTEM_BYTES_MAX, "the system takes everything");
  }
  return sent;
}

Deno.test("a peer that reads slowly gets all answers in order and only the newest push", async () => {
  await withPort(async (port) => {
    const { client, wire } = await session(port);
    const filler = text("filler".padEnd(1_023) + "\n");
    const sent = fill(wire, filler);
    const small = wire.queuedBytes;
    wire.send(text("answer 1\n"));
    for (let job = 1; job <= 500; job++) {
      wire.sendLatest(text(`job ${job} ${"x".repeat(300)}\n`));
      if (job === 250) wire.send(text("answer 2\n"));
    }
    wire.send(text("answer 3\n"));
    assert.ok(wire.queuedBytes - small < 400, `${wire.queuedBytes - small} bytes wait`);
    wire.close({ flush: true });
    const lines = (await client.rest()).split("\n");
    assert.equal(lines.filter((line) => line.startsWith("filler")).length, sent);
    assert.deepEqual(lines.slice(sent).map((line) => line.replace(/ x+$/, "")), [
      ...["answer 1", "answer 2", "job 500", "answer 3", ""],
    ]);
  });
});

Deno.test("a peer that keeps up gets every push", async () => {
  await withPort(async (port) => {
    const { client, wire } = await session(port);
    for (let job = 1; job <= 100; job++) {
      wire.sendLatest(text(`job ${job}\n`));
      assert.equal(wire.queuedBytes, 0);
    }
    wire.close({ flush: true });
    assert.equal((await client.rest()).split("\n").length, 101);
  });
});

Deno.test("a peer that never reads holds a bounded queue and is dropped when it is full", async () => {
  await withPort(async (port) => {
    const { wire } = await session(port);
    const line = text("x".repeat(1_023) + "\n");
    fill(wire, line);
    const gone = wire.read();
    let most = 0;
    for (let i = 0; i < 1_000; i++) {
      wire.send(line);
      most = Math.max(most, wire.queuedBytes);
    }
    assert.equal(await gone, null);
    assert.ok(most <= QUEUED_BYTES_MAX && most > QUEUED_BYTES_MAX - 2_048, `${most}`);
    assert.equal(wire.queuedBytes, 0);
    assert.equal((await port.logged("port.peerDropped")).facts.reason, "overflow");
    await until(() => port.connections === 0, "close");
  });
});

Deno.test("a peer that never reads is dropped after the stall time, whatever it is pushed", async () => {
  await withPort(async (port) => {
    const { wire } = await session(port);
    const line = text("x".repeat(1_023) + "\n");
    fill(wire, line);
    const push = text("job".padEnd(300) + "\n");
    for (let second = 0; second < 19; second++) {
      wire.sendLatest(push);
      await port.clock.advance(1_000);
    }
    assert.equal(port.connections, 1);
    assert.ok(wire.queuedBytes <= line.length + push.length);
    await port.clock.advance(2_000);
    await until(() => port.connections === 0, "close");
    assert.equal((await port.logged("port.peerDropped")).facts.reason, "stall");
    assert.equal(await wire.read(), null);
  });
});

Deno.test("a peer that reads again after a pause is not dropped", async () => {
  await withPort(async (port) => {
    const { client, wire } = await session(port);
    for (let round = 0; round < 3; round++) {
      const line = text("x".repeat(1_023) + "\n");
      const sent = fill(wire, line);
      wire.send(text(`answer ${round}\n`));
      wire.sendLatest(text(`job of round ${round}\n`));
      wire.sendLatest(text(`job ${round}\n`));
      await port.clock.advance(15_000);
      let got = "";
      while (!got.endsWith(`answer ${round}\njob ${round}\n`)) {
        got = (got + new TextDecoder().decode((await client.read())!)).slice(-2_000);
      }
      await until(() => wire.queuedBytes === 0, `an empty queue after ${sent} lines`);
    }
    await port.clock.advance(60_000);
    assert.equal(port.connections, 1);
  });
});

Deno.test("a wire pauses the socket of a peer whose bytes nobody reads, and loses none", async () => {
  await withPort(async (port) => {
    const { client, wire } = await session(port);
    const lines = 200_000;
    let sent = 0;
    const sending = (async () => {
      for (; sent < lines; sent += 100) {
        let block = "";
        for (let i = sent; i < sent + 100; i++) block += `{"id":${i},"pad":"${"x".repeat(60)}"}\n`;
        await client.send(block);
      }
    })();
    // The peer is stopped by the system's buffers once the wire does not read.
    for (let still = 0, before = -1; still < 100; before = sent) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      still = sent === before ? still + 1 : 0;
    }
    assert.ok(sent < lines, "nothing holds the peer back");
    const rest = { text: "" };
    for (let i = 0; i < lines; i++) {
      assert.equal(JSON.parse((await readLine(wire, rest))!).id, i);
    }
    await sending;
  });
});

Deno.test("a last answer arrives although the peer goes on sending", async () => {
  await withPort(async (port) => {
    const { client, wire } = await session(port);
    const sending = client.send("x".repeat(4_000_000)).catch(() => {});
    wire.send(text("go away\n"));
    wire.close({ flush: true });
    assert.equal(await client.rest(), "go away\n");
    await sending;
    assert.equal(port.connections, 1);
    // It does not end its side: that is waited for two seconds, not longer.
    await port.clock.advance(3_000);
    await until(() => port.connections === 0, "close");
  });
});

Deno.test("a peer that has sent its end still gets its answers", async () => {
  await withPort(async (port) => {
    const { client, wire } = await session(port);
    await client.send("last request\n");
    await (client.conn as Deno.TcpConn).closeWrite();
    assert.equal(new TextDecoder().decode((await wire.read())!), "last request\n");
    assert.equal(await wire.read(), null);
    wire.send(text("last answer\n"));
    wire.close({ flush: true });
    assert.equal(await client.rest(), "last answer\n");
    await until(() => port.connections === 0, "close");
  });
});

Deno.test("a closed wire takes nothing and gives nothing", async () => {
  await withPort(async (port) => {
    const { client, wire } = await session(port);
    wire.close();
    wire.close();
    wire.close({ flush: true });
    wire.send(text("x\n"));
    wire.sendLatest(text("x\n"));
    assert.equal(await wire.read(), null);
    assert.equal(wire.queuedBytes, 0);
    assert.equal(await client.read(), null);
    await until(() => port.connections === 0, "close");
    assert.deepEqual(port.released, ["127.0.0.1"]);
  });
});

Deno.test("a wire notices a peer that is reset", async () => {
  await withPort(async (port) => {
    const { client, wire } = await session(port);
    wire.send(text("unread\n"));
    const read = wire.read();
    // Closing over unread bytes sends a reset.
    client.close();
    assert.equal(await read, null);
    wire.send(text("into the void\n"));
    wire.close({ flush: true });
    await until(() => port.connections === 0, "close");
  });
});
