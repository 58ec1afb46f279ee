/** sd_notify over real datagram sockets, by path and by abstract name. */
import assert from "node:assert/strict";
import { createLogger, FakeClock, type LogRecord, silentLogger } from "../base/mod.ts";
import { openServiceManager, serviceSettings } from "./service_manager.ts";

const decoder = new TextDecoder();

async function withSocket(
  nameIn: (dir: string) => string,
  test: (socket: string, heard: () => Promise<string>, dir: string) => Promise<void>,
) {
  const dir = await Deno.makeTempDir({ prefix: "quarry-notify-" });
  const socket = nameIn(dir);
  const path = socket.replace(/^@/, "\0");
  const manager = Deno.listenDatagram({ transport: "unixpacket", path });
  try {
    await test(socket, async () => decoder.decode((await manager.receive())[0]), dir);
  } finally {
    manager.close();
    await Deno.remove(dir, { recursive: true });
  }
}

for (
  const [kind, nameIn] of [
    ["a path", (dir: string) => `${dir}/manager`],
    ["an abstract name", () => `@quarry-test-${crypto.randomUUID()}`],
  ] as const
) {
  Deno.test(`the service manager hears everything at ${kind}`, async () => {
    await withSocket(nameIn, async (socket, heard, dir) => {
      const ownSocket = socket.startsWith("@") ? `${socket}-own` : `${dir}/own`;
      // A leftover of a process that was killed.
      if (!ownSocket.startsWith("@")) await Deno.writeTextFile(ownSocket, "");
      const clock = new FakeClock();
      const service = openServiceManager({ socket, watchdogMs: 10_000 }, {
        ...{ ownSocket, clock, log: silentLogger },
      });
      await service.status("waiting\nfor a node");
      assert.equal(await heard(), "STATUS=waiting for a node");
      await service.ready("mining, api");
      assert.equal(await heard(), "READY=1\nSTATUS=mining, api");
      assert.equal(await heard(), "WATCHDOG=1");
      await clock.advance(5_000);
      assert.equal(await heard(), "WATCHDOG=1");
      await service.reloading();
      assert.match(await heard(), /^RELOADING=1\n/);
      await service.stopping();
      assert.match(await heard(), /^STOPPING=1\n/);
      service.close();
    });
  });
}

Deno.test("nobody to tell is no error, and somebody who is gone is one log line", async () => {
  const quiet = openServiceManager(serviceSettings(() => undefined, 1), {
    ...{ ownSocket: "/nowhere/own", clock: new FakeClock(), log: silentLogger },
  });
  await quiet.ready("all");
  quiet.close();
  const dir = await Deno.makeTempDir({ prefix: "quarry-notify-" });
  const records: LogRecord[] = [];
  const service = openServiceManager({ socket: `${dir}/gone` }, {
    ...{ ownSocket: `${dir}/own`, clock: new FakeClock() },
    log: createLogger((record) => records.push(record), "main"),
  });
  await service.ready("all");
  await service.stopping();
  service.close();
  assert.deepEqual(records.map(({ event }) => event), ["service.notTold"]);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("serviceSettings() reads the watchdog of this process alone", () => {
  const env = (values: Record<string, string>) => (name: string) => values[name];
  const common = { NOTIFY_SOCKET: "/run/n", WATCHDOG_USEC: "30000000" };
  assert.deepEqual(serviceSettings(env(common), 7), { socket: "/run/n", watchdogMs: 30_000 });
  assert.deepEqual(serviceSettings(env({ ...common, WATCHDOG_PID: "8" }), 7), { socket: "/run/n" });
  assert.deepEqual(serviceSettings(env({ NOTIFY_SOCKET: "vsock:2" }), 7), {});
});
