/** Ports in processes and Deno workers of their own: many idle connections, no handles, one port for all. */
import assert from "node:assert/strict";
import { RawClient } from "../../../tests/support/port.ts";
import { type Child, startChild, until } from "../../../tests/support/process.ts";

const ECHO = new URL("../../../tests/fixtures/ports/echo.ts", import.meta.url);
const isLinux = Deno.build.os === "linux";

async function connect(port: number): Promise<RawClient> {
  return new RawClient(await Deno.connect({ hostname: "127.0.0.1", port }));
}

/** Starts the port as a program, with at most so many file handles. */
async function startEcho(handles: string): Promise<{ child: Child; port: number }> {
  const child = startChild("sh", [
    ...["-c", `ulimit -n ${handles}; exec "$0" run --allow-net --allow-read "$1"`],
    ...[Deno.execPath(), ECHO.pathname],
  ]);
  const port = await until("the port", () => /"port":(\d+)/.exec(child.output())?.[1]);
  return { child, port: Number(port) };
}

async function echoes(client: RawClient): Promise<boolean> {
  await client.send("{}\n");
  const answer = await client.read();
  return answer !== null && new TextDecoder().decode(answer) === "{}\n";
}

async function residentKib(pid: number): Promise<number> {
  return Number(/VmRSS:\s+(\d+)/.exec(await Deno.readTextFile(`/proc/${pid}/status`))![1]);
}

Deno.test("openPort() accepts again after it ran out of file handles, and says that it did", {
  ignore: !isLinux,
}, async () => {
  const { child, port } = await startEcho("150");
  await using _child = child;
  // The system takes more connections than the process has handles for.
  const clients = await Promise.all(Array.from({ length: 200 }, () => connect(port)));
  assert.ok(await echoes(clients[0]!));
  await until("the log line", () => child.output().includes("port.noFileHandles") || undefined);
  assert.match(child.output(), /raise LimitNOFILE/);
  for (const client of clients) client.close();
  const late = await connect(port);
  assert.ok(await echoes(late));
  late.close();
});

Deno.test(
  "openPort() holds 2,000 idle sessions in little memory",
  { ignore: !isLinux },
  async () => {
    const { child, port } = await startEcho("$(ulimit -Hn)");
    await using _child = child;
    const clients: RawClient[] = [];
    async function hold(count: number) {
      for (let i = 0; i < count; i += 100) {
        const batch = await Promise.all(Array.from({ length: 100 }, () => connect(port)));
        assert.ok((await Promise.all(batch.map(echoes))).every(Boolean));
        clients.push(...batch);
      }
    }
    // What the first ones cost is the program's own start.
    await hold(500);
    const before = await residentKib(child.pid);
    await hold(2_000);
    const each = (await residentKib(child.pid) - before) / 2_000;
    await Deno.stdout.write(
      new TextEncoder().encode(`${each.toFixed(1)} KiB for each of 2,000 idle sessions\n`),
    );
    assert.ok(each < 40, `${each} KiB`);
    for (const client of clients) client.close();
  },
);

Deno.test("openPort() shares a port between Deno workers", { ignore: !isLinux }, async () => {
  const workers = [1, 2, 3].map(() => new Worker(ECHO, { type: "module" }));
  const ask = (worker: Worker, message: unknown) =>
    new Promise<{ port: number; held: number }>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = reject;
      worker.postMessage(message);
    });
  try {
    const { port } = await ask(workers[0]!, 0);
    for (const worker of workers.slice(1)) {
      assert.equal((await ask(worker, port)).port, port);
    }
    const clients = await Promise.all(Array.from({ length: 150 }, () => connect(port)));
    assert.ok((await Promise.all(clients.map(echoes))).every(Boolean));
    const held = await Promise.all(workers.map((worker) => ask(worker, "held")));
    assert.equal(held.reduce((sum, { held }) => sum + held, 0), 150);
    for (const { held: count } of held) assert.ok(count > 20, `${count} of 150`);
    for (const client of clients) client.close();
  } finally {
    for (const worker of workers) worker.terminate();
  }
});
