/** The tree that is installed: Deno, code, packages, verifier, page, samples, licences, checksums. */
import { libraryFileName } from "../../modules/ethash/mod.ts";
import { VERSION } from "../version.ts";
import { sumsOf } from "./archive.ts";
import { cargoParties, noticeText, npmParties, type ThirdParty } from "./licences.ts";
import { copyFolder, copyPackages, copyTo, runtimeConfig, runtimeLock } from "./packages.ts";
import { FILES, FOLDERS, type NpmPackage, reach, ROOT, ROOTS } from "./roots.ts";
import { sbomText } from "./sbom.ts";

/** As in the archive's name. */
export const PLATFORM = `${Deno.build.os}-${Deno.build.arch}`;

/** Puts everything into `tree`, a folder that is not there yet. */
export async function stage(tree: string, epoch: number): Promise<void> {
  const packages = await stageCode(tree, ROOTS);
  for (const path of FILES) await copyTo(`${ROOT}/${path}`, `${tree}/${path}`);
  await copyTo(`${ROOT}/scripts/quarry`, `${tree}/bin/quarry`);
  await Deno.chmod(`${tree}/bin/quarry`, 0o755);
  await copyTo(Deno.execPath(), `${tree}/bin/deno`);
  await Deno.chmod(`${tree}/bin/deno`, 0o755);
  await copyPackages(packages, `${tree}/packages`);
  const parties = await shippedParties(packages);
  await Deno.writeTextFile(`${tree}/THIRD_PARTIES.txt`, noticeText(parties));
  await Deno.writeTextFile(
    `${tree}/sbom.cdx.json`,
    sbomText({ version: VERSION, epoch }, parties),
  );
  await Deno.writeTextFile(`${tree}/SHA256SUMS`, await sumsOf(tree));
}

/** What runs: modules, verifier, page, samples, and which packages they need. */
export async function stageCode(tree: string, roots: readonly string[]): Promise<NpmPackage[]> {
  const { modules, packages } = await reach(roots);
  await Deno.mkdir(tree, { recursive: true });
  for (const path of modules.filter((path) => path !== "deno.json")) {
    await copyTo(`${ROOT}/${path}`, `${tree}/${path}`);
  }
  const library = `native/build/${libraryFileName()}`;
  if (!await isThere(library)) throw new Error("The verifier is missing: run deno task native");
  if (!await isThere("frontend/dist")) {
    throw new Error("The page is missing: run deno task frontend");
  }
  await copyTo(`${ROOT}/${library}`, `${tree}/${library}`);
  for (const path of FOLDERS) {
    if (await isThere(path)) await copyFolder(`${ROOT}/${path}`, `${tree}/${path}`);
  }
  const [config, lock] = await Promise.all(
    ["deno.json", "deno.lock"].map((name) => Deno.readTextFile(`${ROOT}/${name}`)),
  );
  await Deno.writeTextFile(`${tree}/deno.json`, runtimeConfig(config!, packages));
  await Deno.writeTextFile(`${tree}/deno.lock`, runtimeLock(lock!, packages));
  return packages;
}

/** Everybody whose work is in the tree. */
export async function shippedParties(packages: readonly NpmPackage[]): Promise<ThirdParty[]> {
  const lock = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.lock`));
  const page = JSON.parse(await Deno.readTextFile(`${ROOT}/frontend/package-lock.json`));
  const ofPage = Object.entries<{ dev?: boolean; version: string; integrity: string }>(
    page.packages,
  )
    .filter(([path, { dev }]) => path !== "" && dev !== true)
    .map(([path, { version, integrity }]) => ({
      ...{ id: path, name: path.replace(/^.*node_modules\//, ""), version, integrity },
      ...{ dependencies: [], path: `${ROOT}/frontend/${path}` },
    }));
  const integrities = Object.fromEntries(ofPage.map(({ id, integrity }) => [id, { integrity }]));
  const all = [
    { ...await runtimeParty() },
    ...await npmParties([...packages, ...ofPage], { ...lock.npm, ...integrities }),
    ...await cargoParties(`${ROOT}/native`, { shipped: true }),
  ];
  return all.sort((a, b) => `${a.kind} ${a.name}` < `${b.kind} ${b.name}` ? -1 : 1);
}

async function runtimeParty(): Promise<ThirdParty> {
  const text = await Deno.readTextFile(`${ROOT}/scripts/tools/node_modules/deno/LICENSE`);
  const bytes = await Deno.readFile(Deno.execPath());
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return {
    ...{ kind: "runtime", name: "deno", version: Deno.version.deno, licence: "MIT", texts: [text] },
    hash: { alg: "SHA-256", content: digest.toHex() },
  };
}

/** Seconds since 1970 that every file is given. */
export async function sourceEpoch(): Promise<number> {
  const given = Deno.env.get("SOURCE_DATE_EPOCH");
  if (given !== undefined && /^\d+$/.test(given)) return Number(given);
  const { success, stdout } = await new Deno.Command("git", {
    args: ["log", "-1", "--format=%ct"],
    ...{ cwd: ROOT, stdout: "piped", stderr: "null" },
  }).output();
  if (success) return Number(new TextDecoder().decode(stdout));
  throw new Error("The time of the sources is unknown: build from git, or set SOURCE_DATE_EPOCH");
}

/** The verifier chooses its instructions at run time; one built for this machine would not. */
export function refuseTunedBuild(): void {
  for (const name of ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"]) {
    if (!/target-(cpu|feature)/.test(Deno.env.get(name) ?? "")) continue;
    throw new Error(`${name} chooses a processor: unset it and run deno task native --force`);
  }
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(`${ROOT}/${path}`).then(() => true, () => false);
}
