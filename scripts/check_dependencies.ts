/**
 * Dependencies are pinned, locked and of allowed licences; works from what is on this machine.
 *
 * Every package of deno.lock, every crate of Cargo.lock and every package of the page and the tools
 * is looked at, those of tests too. Prints what is wrong and ends with 1 then.
 */
import { cargoParties, isAllowed, licenceOf, npmParties } from "./dist/licences.ts";
import { type NpmPackage, ROOT } from "./dist/roots.ts";

/** What a deno.json pins badly: versions are exact, so that only a commit changes one. */
export function loosePins(imports: Record<string, string>): string[] {
  return Object.entries(imports)
    .filter(([, specifier]) => !/^npm:(@[^/@]+\/)?[^/@]+@\d+\.\d+\.\d+(-[\w.]+)?$/.test(specifier))
    .map(([name, specifier]) => `deno.json: ${name} is ${specifier}: write an exact version`);
}

/** The same for a package.json. */
export function loosePackages(file: string, text: string): string[] {
  const { dependencies = {}, devDependencies = {} } = JSON.parse(text);
  return Object.entries<string>({ ...dependencies, ...devDependencies })
    .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    .map(([name, version]) => `${file}: ${name} is ${version}: write an exact version`);
}

/** What is wrong with licences: none, or one that is not on the list. */
export function badLicences(
  parties: readonly { name: string; version: string; licence: string }[],
): string[] {
  return parties
    .filter(({ licence }) => !isAllowed(licence))
    .map(({ name, version, licence }) =>
      `${name} ${version}: licence "${licence}" is not on the list in scripts/dist/licences.ts`
    );
}

async function denoProblems(): Promise<string[]> {
  const config = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  const lock = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.lock`));
  const problems = loosePins(config.imports);
  if (config.lock?.frozen !== true) problems.push("deno.json: lock.frozen is not true");
  for (const specifier of Object.values<string>(config.imports)) {
    if (!(specifier in lock.specifiers)) problems.push(`deno.lock: ${specifier} is missing`);
  }
  const packages: NpmPackage[] = [];
  const cache = await cacheFolder();
  for (const [id, { integrity }] of Object.entries<{ integrity?: string }>(lock.npm)) {
    if (!integrity?.startsWith("sha512-")) problems.push(`deno.lock: ${id} has no sha512`);
    const [, name, version] = /^(@?[^@]+)@([^_]+)/.exec(id)!;
    const path = `${cache}/${name}/${version}`;
    packages.push({ id, name: name!, version: version!, dependencies: [], path });
  }
  return [...problems, ...badLicences(await npmParties(packages, lock.npm))];
}

async function cacheFolder(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const cache: string = JSON.parse(new TextDecoder().decode(stdout)).npmCache;
  // One folder for each registry; there is one.
  const [registry] = await Array.fromAsync(Deno.readDir(cache));
  return `${cache}/${registry?.name ?? "missing"}`;
}

/** Locks of npm say licences and checksums themselves. */
async function npmProblems(folder: string): Promise<string[]> {
  const file = `${folder}/package.json`;
  const lock = JSON.parse(await Deno.readTextFile(`${ROOT}/${folder}/package-lock.json`));
  const parties = Object.entries<{ version: string; license?: unknown; integrity?: string }>(
    lock.packages,
  ).filter(([path]) => path !== "").map(([path, { version, license, integrity }]) => ({
    ...{ name: path.replace(/^.*node_modules\//, ""), version, licence: licenceOf(license) },
    locked: integrity?.startsWith("sha512-") ?? false,
  }));
  return [
    ...loosePackages(file, await Deno.readTextFile(`${ROOT}/${file}`)),
    ...parties.filter(({ locked }) => !locked).map(({ name }) =>
      `${folder}: ${name} has no sha512`
    ),
    ...badLicences(parties),
  ];
}

async function cargoProblems(): Promise<string[]> {
  const parties = await cargoParties(`${ROOT}/native`, { shipped: false });
  const unlocked = parties.filter(({ hash }) => hash === undefined);
  return [
    ...unlocked.map(({ name }) => `Cargo.lock: ${name} has no checksum`),
    ...badLicences(parties),
  ];
}

if (import.meta.main) {
  const problems = [
    ...await denoProblems(),
    ...await npmProblems("frontend"),
    ...await npmProblems("scripts/tools"),
    ...await cargoProblems(),
  ];
  Deno.stdout.writeSync(new TextEncoder().encode(problems.map((one) => one + "\n").join("")));
  Deno.exit(problems.length === 0 ? 0 : 1);
}
