/** The Debian package: installed, its units checked and started as systemd would, removed, purged. */
import assert from "node:assert/strict";
import { startChild, until } from "../support/process.ts";
import { build, output, whyNotInstalled } from "./build.ts";
import { openWorld, type Parts, startAs } from "./world.ts";

const reason = whyNotInstalled();
const UNITS: Record<string, Parts> = {
  quarry: { mines: true, api: true, unlocks: true, pays: "payer-key" },
  "quarry-mining": { mines: true },
  "quarry-unlocker": { unlocks: true },
  "quarry-payouts": { pays: "payer-key" },
  "quarry-api": { api: true },
};
const SANDBOX = [
  ...[
    "Type=notify",
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    "PrivateTmp=yes",
    "User=quarry",
  ],
  ...["CapabilityBoundingSet=", "StateDirectory=quarry", "StandardOutput=journal"],
];
const folder = "/usr/lib/systemd/system";

async function dpkg(...args: string[]): Promise<string> {
  const { code, text } = await output("dpkg", args);
  assert.equal(code, 0, text);
  return text;
}

async function mode(path: string): Promise<string> {
  const { text } = await output("stat", ["--format", "%U:%G %a", path]);
  return text.trim();
}

/** What systemd would start. */
async function execStart(unit: string): Promise<string[]> {
  const text = await Deno.readTextFile(`${folder}/${unit}.service`);
  return /^ExecStart=(.*)$/m.exec(text)![1]!.split(" ");
}

Deno.test({
  name: `the Debian package installs, its units run as the system user, it goes without losing ` +
    `payments${reason === undefined ? "" : ` (skipped: ${reason})`}`,
  ignore: reason !== undefined,
  async fn(t) {
    const deb = await build("deb");
    await using stack = new AsyncDisposableStack();
    stack.defer(async () => {
      await output("dpkg", ["--purge", "quarry"]);
      await output("userdel", ["quarry"]);
      await Deno.remove("/var/lib/quarry", { recursive: true }).catch(() => {});
      await Deno.remove("/etc/quarry", { recursive: true }).catch(() => {});
    });
    await dpkg("--install", deb);

    await t.step("users, folders and modes", async () => {
      assert.equal(await mode("/var/lib/quarry"), "quarry:quarry 700");
      assert.equal(await mode("/etc/quarry/pool.json"), "root:quarry 640");
      assert.equal(await mode("/etc/quarry/environment"), "root:root 600");
      assert.equal(await mode("/etc/quarry/keys"), "root:root 700");
      assert.match((await output("getent", ["passwd", "quarry"])).text, /nologin$/m);
      const kept = await output("dpkg-query", ["--show", "--showformat=${Conffiles}", "quarry"]);
      assert.match(kept.text, /\/etc\/quarry\/payouts\.json/);
      // A second time nothing changes.
      await dpkg("--install", deb);
      assert.equal(await mode("/var/lib/quarry"), "quarry:quarry 700");
    });

    await t.step("units are right and sandboxed", async () => {
      const paths = Object.keys(UNITS).map((unit) => `${folder}/${unit}.service`);
      const verified = await output("systemd-analyze", ["verify", "--man=no", ...paths]);
      assert.equal(verified.code, 0, verified.text);
      assert.equal(verified.text, "");
      for (const path of paths) {
        const text = await Deno.readTextFile(path);
        const lines = text.split("\n");
        for (const line of SANDBOX) assert.ok(lines.includes(line), `${path}: ${line}`);
        for (const key of ["WatchdogSec", "MemoryMax", "LimitNOFILE", "SystemCallFilter"]) {
          assert.match(text, new RegExp(`^${key}=.`, "m"), `${path}: ${key}`);
        }
        const isPayer = path.includes("payouts");
        assert.equal(/^LoadCredential=/m.test(text), isPayer, path);
        const security = await output("systemd-analyze", ["security", "--offline=true", path]);
        const level = /Overall exposure level for \S+: ([\d.]+)/.exec(security.text)?.[1];
        Deno.stdout.writeSync(new TextEncoder().encode(`${path}: exposure ${level}\n`));
        assert.ok(Number(level) < 2, security.text);
      }
    });

    await using world = await openWorld();
    for (const [unit, parts] of Object.entries(UNITS)) {
      await t.step(`${unit}.service tells READY=1, feeds the watchdog and stops`, async () => {
        const [program, file] = await execStart(unit);
        const config = world.config(unit, "/var/lib/quarry", parts);
        await Deno.writeTextFile(file!, JSON.stringify(config));
        const runtime = await Deno.makeTempDir({ prefix: "quarry-run-" });
        await Deno.writeTextFile(`${runtime}/payer-key`, "0".repeat(63) + "1\n");
        assert.equal((await output("chown", ["-R", "quarry:quarry", runtime])).code, 0);
        // The manager's socket is outside of the service's folders, as systemd's is.
        const socket = `${world.dir}/${unit}.notify`;
        const manager = Deno.listenDatagram({ transport: "unixpacket", path: socket });
        await Deno.chmod(socket, 0o777);
        const heard: string[] = [];
        const listening = (async () => {
          for await (const [bytes] of manager) heard.push(new TextDecoder().decode(bytes));
        })().catch(() => {});
        try {
          await using service = startAs("quarry", {
            ...{ NOTIFY_SOCKET: socket, WATCHDOG_USEC: "1000000", RUNTIME_DIRECTORY: runtime },
            ...(parts.pays === undefined ? {} : { CREDENTIALS_DIRECTORY: runtime }),
          }, [program!, file!]);
          const told = (line: string) => heard.filter((text) => text.includes(line)).length;
          let ended: number | undefined;
          service.exit.then((code) => ended = code);
          await until(`${unit} to be ready and alive`, () => {
            if (ended !== undefined) throw new Error(`it ended with ${ended}`);
            return told("READY=1") === 1 && told("WATCHDOG=1") >= 2;
          }, 60_000).catch((error) => assert.fail(`${error}\n${service.output()}`));
          for (const [part, wanted] of [["payouts", parts.pays !== undefined]] as const) {
            const text = heard.find((one) => one.includes("READY=1"))!;
            assert.equal(text.includes(part), wanted, text);
          }
          assert.equal(await service.kill("SIGTERM"), 0, service.output());
          await until("its last word", () => told("STOPPING=1") === 1);
          assert.doesNotMatch(service.output(), /NotCapable|Requires \w+ access/);
        } finally {
          manager.close();
          await listening;
          await Deno.remove(runtime, { recursive: true });
        }
      });
    }

    await t.step(
      "removal keeps the state, a purge keeps a journal of payments and says so",
      async () => {
        const journal = "/var/lib/quarry/t-quarry/payments.journal";
        await Deno.mkdir("/var/lib/quarry/t-quarry", { recursive: true });
        await Deno.writeTextFile(journal, "{}\n");
        await dpkg("--remove", "quarry");
        assert.ok((await Deno.stat("/etc/quarry/pool.json")).isFile);
        assert.match(await dpkg("--purge", "quarry"), /payments\.journal/);
        assert.equal(await Deno.readTextFile(journal), "{}\n");
        await assert.rejects(Deno.stat("/etc/quarry/pool.json"));
        await assert.rejects(Deno.stat("/usr/lib/quarry"));
        await Deno.remove("/var/lib/quarry", { recursive: true });
        await dpkg("--install", deb);
        await dpkg("--purge", "quarry");
        await assert.rejects(Deno.stat("/var/lib/quarry"), "nothing of worth was left");
      },
    );
    await using gone = startChild("id", ["quarry"]);
    assert.equal(await gone.exit, 0, "the user stays, as files elsewhere may be its");
  },
});
