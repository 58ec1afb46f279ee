/** Commands of the firewall: their words, their bounds, real processes, and the real kernel. */
import assert from "node:assert/strict";
import process from "node:process";
import fc from "fast-check";
import { createLogger, FakeClock, type LogRecord, silentLogger, systemClock } from "../base/mod.ts";
import { policyAddress } from "./address.ts";
import type { Ban } from "./bans.ts";
import { type CommandRunner, runCommand } from "./command.ts";
import { firewallCommand, type FirewallOptions, openFirewall, WAITING_MAX } from "./firewall.ts";

const IPSET: FirewallOptions = { kind: "ipset", set: "blacklist" };
const NFT: FirewallOptions = { kind: "nftables", family: "inet", table: "quarry", set: "banned" };

function banOf(address: string, clock: { now(): number }, seconds = 1800): Ban {
  const sinceMs = clock.now();
  return { address, reason: "test", sinceMs, untilMs: sinceMs + seconds * 1000 };
}

/** A runner whose commands end when the test says so. */
function heldRunner() {
  const running: { args: readonly string[]; end: (error?: Error) => void }[] = [];
  const run: CommandRunner = (_, args) =>
    new Promise((resolve, reject) => {
      running.push({ args, end: (error) => error ? reject(error) : resolve() });
    });
  return { running, run };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("firewallCommand() writes ipset's and nft's words", () => {
  const command = (options: FirewallOptions, address: string, seconds?: number) =>
    firewallCommand(options, address, seconds)?.args.join(" ");
  assert.equal(
    command(IPSET, "192.0.2.7", 1800),
    "-exist add blacklist 192.0.2.7 timeout 1800",
  );
  assert.equal(
    command(IPSET, "2001:db8::/64", 5),
    "-exist add blacklist6 2001:db8::/64 timeout 5",
  );
  assert.equal(command(IPSET, "192.0.2.7"), "-exist del blacklist 192.0.2.7");
  const v4 = "element inet quarry banned { 192.0.2.7 }";
  assert.equal(
    command(NFT, "192.0.2.7", 1800),
    `add ${v4}; delete ${v4}; add element inet quarry banned { 192.0.2.7 timeout 1800s }`,
  );
  const v6 = "element inet quarry banned6 { 2001:db8::/64 }";
  assert.equal(command(NFT, "2001:db8::/64"), `add ${v6}; delete ${v6}`);
  const ip6: FirewallOptions = { ...NFT, family: "ip6" };
  assert.match(command(ip6, "2001:db8::/64", 9)!, /^add element ip6 quarry banned \{/);
  assert.equal(command(ip6, "192.0.2.7", 9), undefined);
  assert.equal(command({ ...NFT, family: "ip" }, "2001:db8::/64", 9), undefined);
});

Deno.test("firewallCommand() writes nothing but addresses, and never the machine's own", () => {
  const bad = ["", "x", "127.0.0.1", "0.0.0.0", "::/64", "2001:db8::1", "fe80::%a/64", "1.2.3"];
  for (const text of [...bad, "1.2.3.4; flush ruleset", "1.2.3.4 }", "-h", "1.2.3.4/0"]) {
    const written = (options: FirewallOptions) => firewallCommand(options, text, 1800);
    assert.ok(written(IPSET) === undefined && written(NFT) === undefined, text);
  }
  const address = fc.oneof(fc.ipV4(), fc.ipV6().map(policyAddress));
  const spoilt = fc.tuple(address, fc.string()).map((parts) => parts.join(""));
  fc.assert(fc.property(fc.oneof(address, spoilt, fc.string()), (text) => {
    const command = firewallCommand(NFT, text, 1800);
    const element = "\\{ [\\da-f.:/]+( timeout 1800s)? \\}";
    const one = `(add|delete) element inet quarry banned6? ${element}`;
    if (command !== undefined) assert.match(command.args[0]!, new RegExp(`^${one}(; ${one}){2}$`));
  }));
});

Deno.test("openFirewall() keeps commands in flight at its number of workers, in order", async () => {
  const { running, run } = heldRunner();
  const clock = new FakeClock();
  const firewall = openFirewall({ ...IPSET, workers: 2 }, { run, clock, log: silentLogger });
  for (let i = 1; i <= 5; i++) firewall.ban(banOf(`192.0.2.${i}`, clock));
  const started = () => running.map(({ args }) => args[3]);
  assert.deepEqual(started(), ["192.0.2.1", "192.0.2.2"]);
  running[1]!.end();
  await turn();
  assert.deepEqual(started().slice(2), ["192.0.2.3"]);
  const closing = firewall.close();
  running[0]!.end();
  running[2]!.end(new Error("fails"));
  await closing;
  assert.equal(running.length, 3, "what waited is dropped");
});

Deno.test("openFirewall() gives the rest of a ban as timeout when its command had to wait", async () => {
  const { running, run } = heldRunner();
  const clock = new FakeClock();
  const firewall = openFirewall({ ...IPSET, workers: 1 }, { run, clock, log: silentLogger });
  firewall.ban(banOf("192.0.2.1", clock));
  firewall.ban(banOf("192.0.2.2", clock));
  firewall.ban(banOf("192.0.2.3", clock, 60));
  await clock.advance(60_000);
  running[0]!.end();
  await turn();
  assert.deepEqual(running[1]!.args.slice(-2), ["timeout", "1740"]);
  running[1]!.end();
  await turn();
  assert.equal(running.length, 2, "a ban that has ended needs no command");
  await firewall.close();
});

Deno.test("openFirewall() carries out the newest wish for an address, one at a time", async () => {
  const { running, run } = heldRunner();
  const clock = new FakeClock();
  const firewall = openFirewall({ ...IPSET, workers: 8 }, { run, clock, log: silentLogger });
  firewall.ban(banOf("192.0.2.1", clock));
  firewall.lift("192.0.2.1");
  firewall.ban(banOf("192.0.2.1", clock));
  firewall.lift("192.0.2.1");
  assert.equal(running.length, 1, "not while the first is in flight");
  running[0]!.end();
  await turn();
  assert.deepEqual(running.map(({ args }) => args[1]), ["add", "del"]);
  running[1]!.end();
  await firewall.close();
});

Deno.test("openFirewall() with one worker is not blocked by a flood of bans (open-ethereum-pool stops after 64)", async () => {
  const { running, run } = heldRunner();
  const clock = new FakeClock();
  const lines: LogRecord[] = [];
  const log = createLogger((line) => lines.push(line), "test");
  const firewall = openFirewall({ ...IPSET, workers: 1 }, { run, clock, log });
  for (let i = 0; i < 100_000; i++) {
    firewall.ban(banOf(`198.${i >> 16}.${i >> 8 & 255}.${i & 255}`, clock));
  }
  assert.equal(running.length, 1);
  assert.equal(lines.length, 1, "failures are logged once a minute");
  await clock.advance(60_000);
  firewall.ban(banOf("203.0.113.1", clock));
  assert.equal(lines[1]!.facts.failures, 100_000 - WAITING_MAX - 1);
  const closing = firewall.close();
  running[0]!.end();
  await closing;
});

Deno.test("openFirewall() logs failing commands once a minute, with their number", async () => {
  const clock = new FakeClock();
  const lines: LogRecord[] = [];
  const log = createLogger((line) => lines.push(line), "test");
  const run: CommandRunner = () => Promise.reject(new Error("ipset ended with 1: no set"));
  const firewall = openFirewall({ ...IPSET, workers: 4 }, { run, clock, log });
  for (let i = 0; i < 50; i++) {
    firewall.ban(banOf("192.0.2.1", clock));
    await turn();
  }
  assert.equal(lines.length, 1);
  assert.deepEqual([lines[0]!.event, lines[0]!.facts.error], [
    "firewall.failed",
    "ipset ended with 1: no set",
  ]);
  await clock.advance(60_000);
  firewall.ban(banOf("192.0.2.1", clock));
  await turn();
  assert.equal(lines[1]!.facts.failures, 50);
  await firewall.close();
});

/** Writes an executable shell script and gives its path. */
async function script(folder: string, name: string, text: string): Promise<string> {
  const path = `${folder}/${name}`;
  await Deno.writeTextFile(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return path;
}

Deno.test("runCommand() hands each argument on as it is, without a shell", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await script(
      folder,
      "ipset",
      `for one in "$@"; do printf '[%s]' "$one"; done > ${folder}/args`,
    );
    const run: CommandRunner = (program, ...rest) => runCommand(`${folder}/${program}`, ...rest);
    const clock = systemClock;
    const firewall = openFirewall({ ...IPSET, workers: 1 }, { run, clock, log: silentLogger });
    firewall.ban(banOf("192.0.2.7", clock));
    await firewall.close();
    assert.equal(
      await Deno.readTextFile(`${folder}/args`),
      "[-exist][add][blacklist][192.0.2.7][timeout][1800]",
    );
    await run("ipset", ["$(id)", "a b", "`id`", ";id"], 5_000);
    assert.equal(await Deno.readTextFile(`${folder}/args`), "[$(id)][a b][`id`][;id]");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("runCommand() fails with what the command wrote, its exit code, or its absence", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const failing = await script(folder, "failing", "echo no such set >&2; exit 3");
    await assert.rejects(runCommand(failing, [], 5_000), /failing ended with 3: no such set/);
    const loud = await script(folder, "loud", "head -c 300000 /dev/zero | tr '\\0' x >&2; exit 1");
    await assert.rejects(
      runCommand(loud, [], 5_000),
      ({ message }: Error) => message.length < 1_000 && /ended with 1: xxx/.test(message),
    );
    await assert.rejects(runCommand(`${folder}/none`, [], 5_000), /is it installed\?/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("runCommand() ends a command that takes too long", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const hanging = await script(
      folder,
      "hanging",
      `trap '' TERM; echo $$ > ${folder}/pid; read x < ${folder}/fifo`,
    );
    await runCommand("mkfifo", [`${folder}/fifo`], 5_000);
    await assert.rejects(runCommand(hanging, [], 500), /hanging took longer than 500 ms/);
    const pid = Number(await Deno.readTextFile(`${folder}/pid`));
    assert.throws(() => process.kill(pid, 0), /ESRCH/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test({
  name: "runCommand() without the permission names the mend and asks nobody",
  permissions: { run: false },
  async fn() {
    await assert.rejects(runCommand("ipset", [], 5_000), /--allow-run=ipset/);
  },
});

/** A network namespace of its own, with its firewall, and its end. */
async function namespace() {
  const child = new Deno.Command("unshare", {
    args: ["--user", "--map-root-user", "--net", "sh", "-c", "echo ready; read x"],
    ...{ stdin: "piped", stdout: "piped", stderr: "null" },
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  const enter = ["--target", String(child.pid), "--user", "--net", "--preserve-credentials"];
  const run: CommandRunner = (program, args, timeoutMs) =>
    runCommand("nsenter", [...enter, program, ...args], timeoutMs);
  const output = async (program: string, ...args: string[]) => {
    const command = new Deno.Command("nsenter", { args: [...enter, program, ...args] });
    return new TextDecoder().decode((await command.output()).stdout);
  };
  const close = async () => {
    await child.stdin.close();
    await reader.cancel();
    await child.status;
  };
  return { run, output, close };
}

/** Whether the program is here and the kernel lets it list its sets. */
function works(program: string, ...args: string[]): boolean {
  try {
    const { success } = new Deno.Command("unshare", {
      args: ["--user", "--map-root-user", "--net", program, ...args],
      ...{ stdin: "null", stdout: "null", stderr: "null" },
    }).outputSync();
    return success;
  } catch {
    return false;
  }
}

Deno.test({
  name: "the kernel's nftables set holds a ban for its time, renews it and lets it go",
  ignore: !works("nft", "list", "ruleset"),
  async fn() {
    const { run, output, close } = await namespace();
    try {
      await run("nft", ["add table inet quarry"], 5_000);
      await run("nft", ["add set inet quarry banned { type ipv4_addr; flags timeout; }"], 5_000);
      const six = "add set inet quarry banned6 { type ipv6_addr; flags interval, timeout; }";
      await run("nft", [six], 5_000);
      const lines: LogRecord[] = [];
      const log = createLogger((line) => lines.push(line), "test");
      const elements = async () => {
        const text = await output("nft", "list", "table", "inet", "quarry");
        return [...text.matchAll(/([\da-f.:/]+) timeout (\w+)/g)].map((m) => `${m[1]} ${m[2]}`);
      };
      const does = async (work: (firewall: ReturnType<typeof openFirewall>) => void) => {
        const deps = { run, clock: systemClock, log };
        const firewall = openFirewall({ ...NFT, workers: 2 }, deps);
        work(firewall);
        await firewall.close();
      };
      await does((firewall) => {
        firewall.ban(banOf("192.0.2.7", systemClock, 60));
        firewall.ban(banOf("2001:db8::/64", systemClock, 120));
      });
      assert.deepEqual(await elements(), ["192.0.2.7 1m", "2001:db8::/64 2m"]);
      await does((firewall) => firewall.ban(banOf("192.0.2.7", systemClock, 1800)));
      await does((firewall) => firewall.lift("2001:db8::/64"));
      await does((firewall) => firewall.lift("192.0.2.200"));
      assert.deepEqual(await elements(), ["192.0.2.7 30m"]);
      assert.deepEqual(lines, []);
    } finally {
      await close();
    }
  },
});

Deno.test({
  name: "the kernel's ipset set holds a ban for its time, renews it and lets it go",
  ignore: !works("ipset", "list"),
  async fn() {
    const { run, output, close } = await namespace();
    try {
      await run("ipset", ["create", "blacklist", "hash:ip", "timeout", "0"], 5_000);
      const six = ["create", "blacklist6", "hash:net", "family", "inet6", "timeout", "0"];
      await run("ipset", six, 5_000);
      const lines: LogRecord[] = [];
      const log = createLogger((line) => lines.push(line), "test");
      const members = async (set: string) => {
        const text = await output("ipset", "list", set);
        return text.split("Members:\n")[1]!.trim();
      };
      const does = async (work: (firewall: ReturnType<typeof openFirewall>) => void) => {
        const deps = { run, clock: systemClock, log };
        const firewall = openFirewall({ ...IPSET, workers: 2 }, deps);
        work(firewall);
        await firewall.close();
      };
      await does((firewall) => {
        firewall.ban(banOf("192.0.2.7", systemClock, 60));
        firewall.ban(banOf("2001:db8::/64", systemClock, 40_000_000));
      });
      assert.match(await members("blacklist"), /^192\.0\.2\.7 timeout (60|59)$/);
      assert.match(await members("blacklist6"), /^2001:db8::\/64 timeout 21474\d\d$/);
      await does((firewall) => firewall.ban(banOf("192.0.2.7", systemClock, 1800)));
      await does((firewall) => firewall.lift("2001:db8::/64"));
      assert.match(await members("blacklist"), /^192\.0\.2\.7 timeout 1(800|799)$/);
      assert.equal(await members("blacklist6"), "");
      assert.deepEqual(lines, []);
      await does((firewall) => firewall.lift("192.0.2.200"));
    } finally {
      await close();
    }
  },
});
