/** TLS and plain connections on one port; certificates that change while miners are connected. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:tls";
import { PoolError } from "../../base/mod.ts";
import { makeCertificate, type TestCertificate } from "../../../tests/support/certificate.ts";
import { readLine, type TestPort, until, withPort } from "../../../tests/support/port.ts";
import { clientHello, openRelay, TlsClient } from "../../../tests/support/tls.ts";
import { type PortOptions, QUEUED_BYTES_MAX } from "./mod.ts";

const text = (line: string) => new TextEncoder().encode(line);

interface Files {
  tls: { cert: string; key: string; only: boolean };
  put(pair: Partial<TestCertificate>): Promise<void>;
}

/** Runs a test with a certificate in files of its own. */
async function withFiles(
  test: (files: Files, certificate: TestCertificate) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const tls = { cert: `${folder}/cert.pem`, key: `${folder}/key.pem`, only: false };
  const certificate = makeCertificate("first");
  const files: Files = {
    tls,
    async put({ cert, key }) {
      if (cert !== undefined) await Deno.writeTextFile(tls.cert, cert);
      if (key !== undefined) await Deno.writeTextFile(tls.key, key);
    },
  };
  await files.put(certificate);
  try {
    await test(files, certificate);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function withTlsPort(
  test: (port: TestPort, files: Files, certificate: TestCertificate) => Promise<void>,
  options: Partial<PortOptions> & { only?: boolean } = {},
): Promise<void> {
  const { only = false, ...others } = options;
  await withFiles((files, certificate) =>
    withPort((port) => test(port, files, certificate), {
      ...others,
      tls: { ...files.tls, only },
    })
  );
}

function fingerprintOf({ cert }: TestCertificate): string {
  return new X509Certificate(cert).fingerprint256;
}

/** The fingerprint that a new connection meets. */
async function served(port: TestPort, certificate: TestCertificate): Promise<string> {
  const client = await TlsClient.connect(port.port, certificate);
  const { fingerprint } = client;
  await client.close();
  return fingerprint;
}

Deno.test("openPort() serves TLS and plain connections on one port", async () => {
  await withTlsPort(async (port, _files, certificate) => {
    const secure = await TlsClient.connect(port.port, certificate);
    secure.socket.write('{"id":1}\n');
    await until(() => port.wires.length === 1, "secure wire");
    const plain = await port.connect();
    await plain.send('{"id":2}\n');
    await until(() => port.wires.length === 2, "plain wire");
    const [first, second] = port.wires;
    assert.deepEqual([first!.secure, second!.secure], [true, false]);
    assert.equal(first!.remoteAddress, "127.0.0.1");
    assert.equal(await readLine(first!), '{"id":1}');
    assert.equal(await readLine(second!), '{"id":2}');
    const answers = secure.read();
    first!.send(text("one\n"));
    first!.sendLatest(text("job\n"));
    second!.send(text("two\n"));
    assert.equal(await answers, "one\njob\n");
    assert.equal(new TextDecoder().decode((await plain.read())!), "two\n");
    const end = once(secure.socket, "end");
    first!.send(text("bye\n"));
    first!.close({ flush: true });
    assert.equal(await secure.read(), "bye\n");
    await end;
    await secure.close();
    plain.close();
    second!.close();
    await until(() => port.connections === 0, "close");
    assert.equal(port.released.length, 2);
  });
});

Deno.test("openPort() for TLS only tells plain miners and HTTP what is wrong", async () => {
  await withTlsPort(async (port, _files, certificate) => {
    const plain = await port.connect();
    await plain.send('{"id":1}\n');
    assert.match(
      JSON.parse(await plain.rest()).error.message,
      /TLS only: connect with stratum\+ssl/,
    );
    const http = await port.connect();
    await http.send("GET / HTTP/1.1\r\n\r\n");
    assert.match(await http.rest(), /^HTTP\/1\.1 400/);
    const client = await TlsClient.connect(port.port, certificate);
    client.socket.write("{}\n");
    await until(() => port.wires.length === 1, "wire");
    await client.close();
  }, { only: true });
});

Deno.test("openPort() answers HTTP inside TLS too", async () => {
  await withTlsPort(async (port, _files, certificate) => {
    const client = await TlsClient.connect(port.port, certificate);
    client.socket.write("POST / HTTP/1.1\r\n\r\n");
    assert.match(await client.read(), /^HTTP\/1\.1 400 [^]*8888/);
    await client.close();
  }, { getworkPort: 8888 });
});

Deno.test("openPort() answers TLS on a plain port with an alert", async () => {
  await withPort(async (port) => {
    const socket = connect({ port: port.port, host: "127.0.0.1" });
    const [error] = await once(socket, "error");
    assert.match(String(error), /handshake|alert/i);
    assert.deepEqual(port.wires, []);
    await until(() => port.connections === 0, "close");
  });
});

Deno.test("openPort() reads a PROXY header before TLS, cut at any byte", async () => {
  await withTlsPort(async (port, _files, certificate) => {
    const header = text("PROXY TCP4 203.0.113.7 10.0.0.1 8080 8008\r\n");
    for (const cut of [0, 1, 20, header.length - 1, header.length]) {
      // The header goes in two parts, the second together with the client's first bytes.
      const relay = await openRelay(port.port, [header.subarray(0, cut), header.subarray(cut)]);
      const count = port.wires.length;
      const client = await TlsClient.connect(relay.port, certificate);
      client.socket.write('{"id":1}\n');
      await until(() => port.wires.length > count, "wire");
      const wire = port.wires[count]!;
      assert.deepEqual([wire.remoteAddress, wire.secure], ["203.0.113.7", true]);
      assert.equal(await readLine(wire), '{"id":1}');
      await client.close();
      wire.close();
      await relay.close();
    }
  }, { proxyProtocol: true, trustedProxies: ["127.0.0.1"] });
});

Deno.test("openPort() completes the handshake of a hello cut at any byte", async () => {
  const { length } = await clientHello();
  await withTlsPort(async (port, _files, certificate) => {
    const cuts = [1, 2, 3, 4, 5, 6, 7, 43, 44, Math.floor(length / 2), length - 2, length - 1];
    for (const [i, cut] of cuts.entries()) {
      const relay = await openRelay(port.port, undefined, cut);
      const client = await TlsClient.connect(relay.port, certificate);
      client.socket.write(`{"cut":${cut}}\n`);
      await until(() => port.wires.length > i, "wire");
      assert.equal(await readLine(port.wires[i]!), `{"cut":${cut}}`);
      await client.close();
      await relay.close();
    }
  });
});

Deno.test("openPort() reads a line that comes together with the end of the handshake", async () => {
  await withTlsPort(async (port, _files, certificate) => {
    const relay = await openRelay(port.port, undefined, 0, "gather");
    const client = await TlsClient.connect(relay.port, certificate);
    client.socket.write('{"id":1}\n');
    await until(() => port.wires.length === 1, "wire");
    assert.equal(await readLine(port.wires[0]!), '{"id":1}');
    await client.close();
    await relay.close();
  });
});

Deno.test("openPort() ends a TLS hello that trickles in, is cut, or is none", async () => {
  const hello = await clientHello();
  await withTlsPort(async (port) => {
    const slow = await port.connect();
    await slow.send(hello.subarray(0, 1));
    await until(() => port.connections === 1, "connection");
    for (let second = 1; second < 10; second++) {
      await slow.send(hello.subarray(second, second + 1));
      await port.clock.advance(1_000);
    }
    assert.equal(port.connections, 1);
    await port.clock.advance(2_000);
    assert.equal(await slow.read(), null);
    await until(() => port.connections === 0, "the slow one's end");

    const cut = await port.connect();
    await cut.send(hello.subarray(0, 100));
    await until(() => port.connections === 1, "connection");
    cut.close();
    await until(() => port.connections === 0, "the cut one's end");

    const none = await port.connect();
    await none.send("\x16 this is no hello at all");
    await none.rest();
    await until(() => port.connections === 0, "the false one's end");

    const silent = await port.connect();
    await silent.send(hello);
    assert.notEqual(await silent.read(), null);
    await port.clock.advance(12_000);
    while (await silent.read() !== null);
    await until(() => port.connections === 0, "the silent one's end");
    assert.deepEqual([port.wires.length, port.admitted.length, port.released.length], [0, 4, 4]);
    assert.deepEqual(port.logs.filter(({ level }) => level === "warn"), []);
  });
});

Deno.test("openPort() lets go of a miner that is silent after its handshake", async () => {
  await withTlsPort(async (port, _files, certificate) => {
    const client = await TlsClient.connect(port.port, certificate);
    const end = once(client.socket, "close");
    client.socket.resume();
    await port.clock.advance(32_000);
    await end;
    await until(() => port.connections === 0, "close");
  });
});

Deno.test("a TLS peer that never reads holds a bounded queue and is dropped", async () => {
  await withTlsPort(async (port, _files, certificate) => {
    // A paused TLS client goes on reading its socket; a relay that stops does not.
    const relay = await openRelay(port.port);
    const client = await TlsClient.connect(relay.port, certificate);
    client.socket.write("{}\n");
    await until(() => port.wires.length === 1, "wire");
    const wire = port.wires[0]!;
    relay.stop();
    const line = text("x".repeat(1_023) + "\n");
    let sent = 0;
    // TLS takes bytes in later turns, so half the queue is kept filled until nothing moves.
    for (let still = 0; still < 30;) {
      const before = wire.queuedBytes;
      await new Promise((resolve) => setTimeout(resolve, 1));
      still = before > 0 && wire.queuedBytes === before ? still + 1 : 0;
      while (wire.queuedBytes < QUEUED_BYTES_MAX / 2) {
        wire.send(line);
        assert.ok(++sent * line.length < 64 * 1024 * 1024, "the system takes everything");
      }
    }
    const answers = wire.queuedBytes;
    for (let job = 0; job < 500; job++) wire.sendLatest(text(`job ${job}\n`));
    assert.ok(wire.queuedBytes - answers < 10);
    for (let i = 0; i < 64; i++) {
      wire.send(line);
      assert.ok(wire.queuedBytes <= QUEUED_BYTES_MAX);
    }
    assert.equal((await port.logged("port.peerDropped")).facts.reason, "overflow");
    await until(() => port.connections === 0, "close");
    await relay.close();
    await client.close();
  });
});

Deno.test("reloadCertificates() serves the new certificate while connections run on", async () => {
  await withTlsPort(async (port, files, first) => {
    const miner = await TlsClient.connect(port.port, first);
    miner.socket.write("{}\n");
    await until(() => port.wires.length === 1, "wire");
    const second = makeCertificate("second");
    await files.put(second);
    assert.equal(await port.reloadCertificates(), true);
    assert.equal(await served(port, second), fingerprintOf(second));
    const answer = miner.read();
    port.wires[0]!.send(text("still here\n"));
    assert.equal(await answer, "still here\n");
    assert.equal(miner.fingerprint, fingerprintOf(first));
    await miner.close();
  });
});

Deno.test("openPort() takes up a changed certificate by itself", async () => {
  await withTlsPort(async (port, files) => {
    const second = makeCertificate("second");
    await files.put(second);
    await port.clock.advance(10_000);
    await until(
      () => port.logs.filter(({ event }) => event === "port.certificate").length === 2,
      "the new certificate",
    );
    assert.equal(await served(port, second), fingerprintOf(second));
  });
});

Deno.test("openPort() keeps serving the old certificate while the new one is broken", async () => {
  await withTlsPort(async (port, files, first) => {
    await files.put({ key: makeCertificate("other").key });
    assert.equal(await port.reloadCertificates(), false);
    await port.logged("port.certificateNotTaken");
    assert.equal(await served(port, first), fingerprintOf(first));
  });
});

Deno.test("openPort() does not open with a certificate that does not work", async () => {
  await withFiles(async (files) => {
    await files.put({ key: makeCertificate("other").key });
    await assert.rejects(
      withPort(async () => {}, { tls: files.tls }),
      (error) => error instanceof PoolError && /tls\.key: .*is not the key of/.test(error.message),
    );
  });
});
