/** The archive on a machine that has nothing: unpacked, checked, run by nobody, mined on. */
import assert from "node:assert/strict";
import { filesBelow, tarball } from "../../scripts/dist/archive.ts";
import { sourceEpoch, stage } from "../../scripts/dist/stage.ts";
import { startChild, until } from "../support/process.ts";
import { build, output } from "./build.ts";
import { fetched, openWorld, startAs } from "./world.ts";

let archivePath: Promise<string> | undefined;

/** Once for the tests of this file. */
function built(): Promise<string> {
  return archivePath ??= build("archive");
}

async function unpack(archive: string, to: string): Promise<string> {
  assert.equal((await output("tar", ["-xzf", archive, "-C", to])).code, 0);
  const [entry] = await Array.fromAsync(Deno.readDir(to));
  return `${to}/${entry!.name}`;
}

Deno.test("the archive has what is needed and nothing else, the same bytes each time", async () => {
  const archive = await built();
  const dir = await Deno.makeTempDir({ prefix: "quarry-archive-" });
  try {
    const root = await unpack(archive, dir);
    const files = await filesBelow(root);
    const needed = [
      ...["bin/quarry", "bin/deno", "main.ts", "deno.lock", "LICENSE", "THIRD_PARTIES.txt"],
      ...["modules/ledger/scripts/record_shares.lua", "modules/payouts/worker.ts"],
      ...["native/build/libquarry_ethash.so", "frontend/dist/index.html", "sbom.cdx.json"],
      ...["config/example.json", "config/systemd/quarry.service", "scripts/doctor.ts"],
    ];
    const redis = /^packages\/npm\/[^/]+\/redis\/[\d.]+\/package\.json$/;
    assert.ok(files.some((file) => redis.test(file)), "packages of npm");
    for (const file of needed) assert.ok(files.includes(file), `${file} is missing`);
    const foreign = files.filter((file) =>
      /_test\.tsx?$|^tests\/|^data\/|^native\/(src|target)|\/node_modules\/|^\.|\.d\.ts$/.test(
        file,
      ) ||
      /^packages\/.*\/(playwright-core|solc|axe-core|fast-check|smtp-server)\//.test(file) ||
      /^scripts\/(bench|demo|simulate|run_tests|tools|dist)/.test(file)
    );
    assert.deepEqual(foreign, []);
    const sums = await new Deno.Command("sha256sum", {
      args: ["--check", "--quiet", "--strict", "SHA256SUMS"],
      cwd: root,
    }).output();
    assert.equal(sums.code, 0);
    const bill = JSON.parse(await Deno.readTextFile(`${root}/sbom.cdx.json`));
    const purls = bill.components.map((component: { purl: string }) => component.purl);
    for (
      const part of ["pkg:npm/redis@", "pkg:cargo/libc@", "pkg:npm/preact@", "pkg:generic/deno@"]
    ) {
      assert.ok(purls.some((purl: string) => purl.startsWith(part)), part);
    }
    // Made again: the same files, which are packed into the same bytes whenever they were written.
    const again = `${dir}/again/${root.slice(root.lastIndexOf("/") + 1)}`;
    const epoch = await sourceEpoch();
    await stage(again, epoch);
    assert.equal(
      await Deno.readTextFile(`${again}/SHA256SUMS`),
      await Deno.readTextFile(`${root}/SHA256SUMS`),
    );
    await tarball(`${root}/modules`, `${dir}/one.tar.gz`, epoch);
    await tarball(`${again}/modules`, `${dir}/two.tar.gz`, epoch);
    const [one, two] = [
      await Deno.readFile(`${dir}/one.tar.gz`),
      await Deno.readFile(`${dir}/two.tar.gz`),
    ];
    assert.deepEqual(one, two);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("the archive runs without tools, PATH, home and writable folder, and is mined on", async () => {
  const archive = await built();
  await using world = await openWorld();
  const folder = `${world.dir}/a place`;
  await Deno.mkdir(folder);
  const root = await unpack(archive, folder);
  await Deno.mkdir(`${world.dir}/state`);
  await Deno.chmod(`${world.dir}/state`, 0o777);
  const file = `${world.dir}/config.json`;
  const config = world.config("one", `${world.dir}/state`, {
    ...{ mines: true, api: true, unlocks: true },
  });
  await Deno.writeTextFile(file, JSON.stringify(config));
  const nothing = { PATH: "" };
  await using version = startAs("nobody", nothing, [`${root}/bin/quarry`, "--version"]);
  assert.equal(await version.exit, 0, version.output());
  assert.match(version.output(), /^quarry \d+\.\d+\.\d+ /);
  await using pool = startAs("nobody", nothing, [`${root}/bin/quarry`, file]);
  const page = await fetched(pool, `http://127.0.0.1:${world.ports.api}/`);
  assert.match(await page.text(), /<html/);
  await until("statistics", async () => {
    const stats = await fetched(pool, `http://127.0.0.1:${world.ports.api}/api/stats`);
    return "minersTotal" in await stats.json();
  });
  await using miner = startChild(Deno.execPath(), [
    ...["run", "-A", "scripts/cpu_miner.ts", "--login", "0x" + "ab".repeat(20)],
    ...["--worker", "w", "--url", `stratum+tcp://127.0.0.1:${world.ports.stratum}`],
  ]);
  await until("a share", () => pool.output().includes('"share.first"'), 90_000)
    .catch((error) => assert.fail(`${error}: ${miner.output()}\n${pool.output().slice(-3_000)}`));
  await miner.kill("SIGTERM");
  await using audit = startAs("nobody", nothing, [`${root}/bin/quarry`, "audit", file]);
  assert.equal(await audit.exit, 0, audit.output());
  assert.equal(await pool.kill("SIGTERM"), 0, pool.output().slice(-3_000));
  assert.doesNotMatch(pool.output(), /NotCapable|Requires \w+ access/);
});
