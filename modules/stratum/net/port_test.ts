/** Ports over real sockets: who gets in, how connections are told apart, and when they end. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { createLogger, PoolError, systemClock } from "../../base/mod.ts";
import { readLine, type TestPort, until, withPort } from "../../../tests/support/port.ts";
import { openPort, type PortOptions, type Wire } from "./mod.ts";

const text = (line: string) => new TextEncoder().encode(line);
const PROXIED = { proxyProtocol: true, trustedProxies: ["127.0.0.0/8"] };
const V2_SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";

function v2(command: number, family: number, body: number[]): Uint8Array {
  return Uint8Array.of(...text(V2_SIGNATURE), command, family, 0, body.length, ...body);
}

/** Lets what was sent arrive: the port's event loop is this one. */
async function settle(port: TestPort): Promise<void> {
  for (let i = 0; i < 3; i++) await port.clock.advance(0);
}

async function nextWire(port: TestPort, count = 1): Promise<Wire> {
  await until(() => port.wires.length >= count, `wire ${count}`);
  return port.wires[count - 1]!;
}

Deno.test("openPort() hands over a plain connection with all its bytes and its address", async () => {
  await withPort(async (port) => {
    const client = await port.connect();
    await client.send('{"id":1}\n{"id":2}\n');
    const wire = await nextWire(port);
    assert.equal(wire.remoteAddress, "127.0.0.1");
    assert.equal(wire.secure, false);
    assert.equal(wire.queuedBytes, 0);
    const rest = { text: "" };
    assert.equal(await readLine(wire, rest), '{"id":1}');
    assert.equal(await readLine(wire, rest), '{"id":2}');
    wire.send(text("answer\n"));
    assert.equal(new TextDecoder().decode((await client.read())!), "answer\n");
    assert.deepEqual([port.connections, port.admitted, port.released], [1, ["127.0.0.1"], []]);
    const read = wire.read();
    client.close();
    assert.equal(await read, null);
    wire.close();
    await until(() => port.released.length === 1, "release");
    assert.deepEqual([port.connections, port.released], [0, ["127.0.0.1"]]);
  });
});

Deno.test("openPort() gives a session the same lines however the bytes are cut", async () => {
  await withPort(async (port) => {
    const line = fc.stringMatching(/^[ -~é☃]{0,40}$/).map((body) => `{"body":"${body}"}`);
    const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 12 });
    let count = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { minLength: 1, maxLength: 6 }),
        cuts,
        async (lines, cuts) => {
          const client = await port.connect();
          const bytes = text(lines.map((one) => one + "\n").join(""));
          const sending = (async () => {
            for (let at = 0, i = 0; at < bytes.length; i++) {
              const size = cuts[i % cuts.length]!;
              await client.send(bytes.subarray(at, at + size));
              await new Promise((resolve) => setTimeout(resolve, 0));
              at += size;
            }
          })();
          const wire = await nextWire(port, ++count);
          const decoder = new TextDecoder();
          let got = "";
          while (got.split("\n").length <= lines.length) {
            got += decoder.decode((await wire.read())!, { stream: true });
          }
          assert.deepEqual(got.split("\n").slice(0, -1), lines);
          await sending;
          client.close();
          wire.close();
        },
      ),
      { numRuns: 40 },
    );
  });
});

Deno.test("openPort() refuses connections beyond maxConn at once and takes the next when one goes", async () => {
  await withPort(async (port) => {
    const held = await Promise.all([1, 2, 3].map(() => port.connect()));
    await until(() => port.connections === 3, "three connections");
    for (let batch = 0; batch < 10; batch++) {
      await Promise.all(Array.from({ length: 100 }, async () => {
        const refused = await port.connect();
        assert.equal(await refused.read(), null);
        refused.close();
      }));
      assert.equal(port.connections, 3);
    }
    assert.equal(port.admitted.length, 3);
    // One line for the flood, and one for the rest of it.
    await port.clock.advance(1_000);
    const full = port.logs.filter(({ event }) => event === "port.full");
    assert.deepEqual(full.map(({ facts }) => facts.more), [undefined, 999]);
    held[0]!.close();
    await until(() => port.connections === 2, "a place");
    const client = await port.connect();
    await client.send("{}\n");
    await nextWire(port);
  }, { maxConn: 3 });
});

Deno.test("openPort() closes connections that are not admitted, and releases only admitted ones", async () => {
  await withPort(
    async (port) => {
      const client = await port.connect();
      assert.equal(await client.read(), null);
      await port.logged("port.notAdmitted");
      await until(() => port.connections === 0, "close");
      assert.deepEqual(port.released, []);
    },
    {},
    { admit: () => false },
  );
});

Deno.test("openPort() answers HTTP on a stratum port with status 400 and the getwork port", async () => {
  await withPort(async (port) => {
    for (const method of ["GET", "POST"]) {
      const client = await port.connect();
      // In pieces, and with a body that nobody reads.
      await client.send(method.slice(0, 2));
      await settle(port);
      await client.send(
        `${method.slice(2)} /0x00/rig HTTP/1.1\r\nHost: pool\r\n\r\n${"x".repeat(9_000)}`,
      );
      const answer = await client.rest();
      assert.match(answer, /^HTTP\/1\.1 400 /);
      assert.match(answer, /HTTP getwork is on port 8888/);
      client.close();
    }
    await until(() => port.connections === 0, "close");
    assert.deepEqual(port.wires, []);
  }, { getworkPort: 8888 });
});

Deno.test("openPort() hands HTTP over when somebody takes it", async () => {
  const taken: { first: Uint8Array; wire: Wire }[] = [];
  await withPort(
    async (port) => {
      const client = await port.connect();
      await client.send("GET /");
      await until(() => taken.length === 1, "request");
      const { first, wire } = taken[0]!;
      assert.equal(new TextDecoder().decode(first), "GET /");
      await client.send(" HTTP/1.1\r\n");
      assert.equal(new TextDecoder().decode((await wire.read())!), " HTTP/1.1\r\n");
      wire.send(text("HTTP/1.1 204 No Content\r\n\r\n"));
      wire.close({ flush: true });
      assert.match(await client.rest(), /^HTTP\/1\.1 204/);
    },
    {},
    { onHttp: (first, wire) => taken.push({ first, wire }) },
  );
});

Deno.test("openPort() lets go of silent and cut connections without an offence", async () => {
  await withPort(async (port) => {
    const silent = await port.connect();
    const half = await port.connect();
    await half.send("POS");
    const cut = await port.connect();
    await cut.send("PRO");
    cut.close();
    await until(() => port.connections === 2, "the cut one's end");
    await port.clock.advance(29_000);
    assert.equal(port.connections, 2);
    await port.clock.advance(2_000);
    assert.equal(await silent.read(), null);
    assert.equal(await half.read(), null);
    await until(() => port.connections === 0, "close");
    assert.deepEqual(port.wires, []);
    assert.deepEqual(port.logs.filter(({ level }) => level !== "debug"), []);
  });
});

for (
  const [name, header, address] of [
    ["v1 IPv4", text("PROXY TCP4 203.0.113.7 10.0.0.1 8080 8008\r\n"), "203.0.113.7"],
    ["v1 IPv6", text("PROXY TCP6 2001:db8::7 ::1 8080 8008\r\n"), "2001:db8::7"],
    ["v1 UNKNOWN", text("PROXY UNKNOWN\r\n"), "127.0.0.1"],
    ["v2 IPv4", v2(0x21, 0x11, [203, 0, 113, 8, 10, 0, 0, 1, 1, 2, 3, 4]), "203.0.113.8"],
    ["v2 LOCAL", v2(0x20, 0, []), "127.0.0.1"],
  ] as const
) {
  Deno.test(`openPort() takes the address from a ${name} header cut at every byte`, async () => {
    await withPort(async (port) => {
      const bytes = Uint8Array.of(...header, ...text('{"id":1}\n'));
      for (let cut = 1; cut < bytes.length; cut++) {
        const client = await port.connect();
        await client.send(bytes.subarray(0, cut));
        await settle(port);
        await client.send(bytes.subarray(cut));
        const wire = await nextWire(port, cut);
        assert.equal(wire.remoteAddress, address);
        assert.equal(await readLine(wire), '{"id":1}');
        client.close();
        wire.close();
      }
      assert.deepEqual(new Set(port.admitted), new Set([address]));
      assert.equal(port.admitted.length, bytes.length - 1);
      await until(() => port.connections === 0, "close");
      assert.deepEqual(port.released, port.admitted);
    }, PROXIED);
  });
}

Deno.test("openPort() decides by the header's address, not by the proxy's", async () => {
  await withPort(
    async (port) => {
      const banned = await port.connect();
      await banned.send("PROXY TCP4 203.0.113.66 10.0.0.1 1 1\r\n");
      assert.equal(await banned.read(), null);
      const good = await port.connect();
      await good.send("PROXY TCP4 203.0.113.7 10.0.0.1 1 1\r\n{}\n");
      assert.equal((await nextWire(port)).remoteAddress, "203.0.113.7");
    },
    PROXIED,
    { admit: (ip) => ip !== "203.0.113.66" },
  );
});

Deno.test("openPort() does not count a proxy's health checks", async () => {
  await withPort(async (port) => {
    const checks = [
      text(""),
      text("PROXY TCP4 127.0.0.1 127.0.0.1 1 1\r\n"),
      text("PROXY UNKNOWN\r\n"),
      v2(0x20, 0, []),
    ];
    for (const check of checks) {
      const client = await port.connect();
      await client.send(check);
      await settle(port);
      client.close();
    }
    await until(() => port.connections === 0, "close");
    assert.deepEqual(port.admitted, []);
    assert.deepEqual(port.logs.filter(({ level }) => level !== "debug"), []);
  }, PROXIED);
});

Deno.test("openPort() refuses a missing, broken, cut or late header of a listed proxy, and says so", async () => {
  const cases: [string, RegExp][] = [
    ['{"id":1}\n', /there is none/],
    ["GET / HTTP/1.1\r\n", /there is none/],
    ["PROXY TCP4 1.2.3.4\r\n", /no TCP4 addresses/],
  ];
  for (const [sent, reason] of cases) {
    await withPort(async (port) => {
      const client = await port.connect();
      await client.send(sent);
      assert.equal(await client.read(), null);
      const { facts, level } = await port.logged("port.proxyHeaderRefused");
      assert.match(String(facts.reason), reason);
      assert.deepEqual([level, facts.proxy], ["warn", "127.0.0.1"]);
      assert.deepEqual([port.wires, port.admitted], [[], []]);
    }, PROXIED);
  }
  await withPort(async (port) => {
    const client = await port.connect();
    await client.send("PROXY TCP4 1.2");
    await settle(port);
    client.close();
    assert.match(String((await port.logged("port.proxyHeaderRefused")).facts.reason), /cut off/);
  }, PROXIED);
});

Deno.test("openPort() ends a header that trickles in at one byte a second after ten seconds", async () => {
  await withPort(async (port) => {
    const client = await port.connect();
    await until(() => port.connections === 1, "connection");
    const header = text("PROXY TCP4 203.0.113.7 10.0.0.1 8080 8008\r\n");
    for (let second = 0; second < 9; second++) {
      await client.send(header.subarray(second, second + 1));
      await port.clock.advance(1_000);
    }
    assert.equal(port.connections, 1);
    await port.clock.advance(2_000);
    assert.equal(await client.read(), null);
    assert.match(String((await port.logged("port.proxyHeaderRefused")).facts.reason), /in time/);
    assert.deepEqual(port.admitted, []);
  }, PROXIED);
});

for (
  const [name, options, mend] of [
    ["that is not listed", { proxyProtocol: true, trustedProxies: ["192.0.2.0/24"] }, /list it/],
    ["on a port without the protocol", {}, /set proxyProtocol/],
    ["on a port without the protocol, listed", { trustedProxies: ["127.0.0.0/8"] }, /set proxyPr/],
  ] as [string, Partial<PortOptions>, RegExp][]
) {
  Deno.test(`openPort() refuses the header of a peer ${name}, and takes it without one`, async () => {
    await withPort(async (port) => {
      for (const header of [text("PROXY TCP4 1.2.3.4 1.2.3.4 1 1\r\n{}\n"), v2(0x21, 0x11, [])]) {
        for (const cut of [1, 5, header.length]) {
          const client = await port.connect();
          await client.send(header.subarray(0, cut));
          await settle(port);
          await client.send(header.subarray(cut)).catch(() => {});
          assert.equal(await client.read(), null);
        }
      }
      assert.match(String((await port.logged("port.proxyHeaderRefused")).facts.note), mend);
      assert.deepEqual(port.wires, []);
      const client = await port.connect();
      await client.send("{}\n");
      assert.equal((await nextWire(port)).remoteAddress, "127.0.0.1");
    }, options);
  });
}

Deno.test("openPort() survives handlers that throw", async () => {
  const seen: Wire[] = [];
  await withPort(
    async (port) => {
      const client = await port.connect();
      await client.send("{}\n");
      assert.equal(await client.read(), null);
      await port.logged("port.handlerFailed");
      await until(() => port.connections === 0 && port.released.length === 1, "release");
      assert.equal(seen.length, 1);
    },
    {},
    {
      onWire: (wire) => {
        seen.push(wire);
        throw new Error("no");
      },
    },
  );
});

Deno.test("openPort() says what is wrong with an address that is taken and a range that is none", async () => {
  const deps = {
    ...{ log: createLogger(() => {}, "stratum"), clock: systemClock },
    ...{ onWire: () => {}, admit: () => true, release: () => {} },
  };
  const options: PortOptions = {
    ...{ hostname: "127.0.0.1", port: 0, reusePort: false, proxyProtocol: false },
    ...{ trustedProxies: [], maxConn: 10, backlog: 10 },
  };
  const first = await openPort(options, deps);
  await assert.rejects(openPort({ ...options, port: first.port }, deps), (error) => {
    return error instanceof PoolError &&
      error.message.includes(`127.0.0.1:${first.port}: another program listens there`);
  });
  await first.close();
  // And the port is free again at once.
  const second = await openPort({ ...options, port: first.port }, deps);
  await second.close();
  await assert.rejects(
    openPort({ ...options, hostname: "192.0.2.1" }, deps),
    /is one of this mach/,
  );
  await assert.rejects(
    openPort({ ...options, trustedProxies: ["10.0.0.0/99"] }, deps),
    /trustedProxies\[0\]/,
  );
});

Deno.test("close() drops what is no session and waits for the sessions' own end", async () => {
  await withPort(async (port) => {
    const silent = await port.connect();
    const miner = await port.connect();
    await miner.send("{}\n");
    const wire = await nextWire(port);
    let isClosed = false;
    const closing = port.close().then(() => isClosed = true);
    assert.equal(await silent.read(), null);
    await port.clock.advance(5_000);
    assert.equal(isClosed, false);
    wire.send(text("last answer\n"));
    wire.close({ flush: true });
    assert.equal(await miner.rest(), "last answer\n");
    await closing;
    await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port: port.port }));
  });
});

Deno.test("close() ends sessions that nobody ends", async () => {
  await withPort(async (port) => {
    const miner = await port.connect();
    await miner.send("{}\n");
    await nextWire(port);
    const closing = port.close();
    await port.clock.advance(11_000);
    await closing;
    assert.equal(await miner.read(), null);
    assert.equal(port.connections, 0);
  });
});
