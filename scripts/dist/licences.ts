/** Licences of third parties: found in what is on this machine, held against a list. */
import type { NpmPackage } from "./roots.ts";

/** Licences that may be combined with GPL-3.0-or-later and shipped. */
export const ALLOWED: readonly string[] = [
  ...["0BSD", "Apache-2.0", "BlueOak-1.0.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC"],
  ...["MIT", "MIT-0", "MPL-2.0", "PSF-2.0", "Unicode-3.0", "Unlicense", "Zlib"],
];

/** One third party's part. */
export interface ThirdParty {
  kind: "npm" | "cargo" | "runtime";
  name: string;
  version: string;
  /** An SPDX expression; empty when none is said. */
  licence: string;
  /** Texts of its licence files. */
  texts: string[];
  /** Checksum as its lock has it. */
  hash?: { alg: "SHA-256" | "SHA-512"; content: string };
}

/** Whether an SPDX expression leaves a choice of allowed licences. */
export function isAllowed(expression: string, allowed: readonly string[] = ALLOWED): boolean {
  const words = expression.replaceAll("/", " OR ").replaceAll(/[()]/g, " $& ").trim().split(/\s+/);
  const ors = (): boolean => {
    let value = ands();
    while (words[0] === "OR") {
      words.shift();
      value = ands() || value;
    }
    return value;
  };
  const ands = (): boolean => {
    let value = one();
    while (words[0] === "AND") {
      words.shift();
      value = one() && value;
    }
    return value;
  };
  const one = (): boolean => {
    const word = words.shift();
    if (word === "(") {
      const value = ors();
      words.shift();
      return value;
    }
    if (words[0] === "WITH") words.splice(0, 2);
    return word !== undefined && allowed.includes(word);
  };
  return ors() && words.length === 0;
}

/** Packages of npm with their licences, from their own folders. */
export async function npmParties(
  packages: readonly NpmPackage[],
  integrities: Record<string, { integrity: string }>,
): Promise<ThirdParty[]> {
  const seen = new Map<string, ThirdParty>();
  for (const { id, name, version, path } of packages) {
    if (seen.has(`${name}@${version}`)) continue;
    const { license, licenses } = JSON.parse(await Deno.readTextFile(`${path}/package.json`));
    const integrity = integrities[id]?.integrity;
    seen.set(`${name}@${version}`, {
      ...{ kind: "npm", name, version, texts: await licenceTexts(path) },
      licence: licenceOf(license ?? licenses),
      ...(integrity?.startsWith("sha512-")
        ? { hash: { alg: "SHA-512", content: hexOf(integrity.slice(7)) } as const }
        : {}),
    });
  }
  return [...seen.values()];
}

/** Whatever a package.json says, as an SPDX expression. */
export function licenceOf(said: unknown): string {
  if (typeof said === "string") return said;
  if (Array.isArray(said)) return said.map(licenceOf).join(" OR ");
  if (said !== null && typeof said === "object" && "type" in said) return String(said.type);
  return "";
}

interface CargoMetadata {
  packages: {
    id: string;
    name: string;
    version: string;
    license: string | null;
    source: string | null;
    manifest_path: string;
  }[];
  resolve: { root: string; nodes: { id: string; deps: CargoDependency[] }[] };
}

interface CargoDependency {
  pkg: string;
  dep_kinds: { kind: "dev" | "build" | null; target: string | null }[];
}

/** Crates of the verifier; `shipped`: those in the library alone, not those of its tests. */
export async function cargoParties(
  native: string,
  options: { shipped: boolean },
): Promise<ThirdParty[]> {
  const { success, stdout, stderr } = await new Deno.Command("cargo", {
    args: ["metadata", "--format-version", "1", "--locked", "--offline"],
    ...{ cwd: native, stdout: "piped", stderr: "piped" },
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const { packages, resolve }: CargoMetadata = JSON.parse(new TextDecoder().decode(stdout));
  const lock = await Deno.readTextFile(`${native}/Cargo.lock`);
  const wanted = new Set<string>();
  const open = [resolve.root];
  while (open.length > 0) {
    const id = open.pop()!;
    if (wanted.has(id)) continue;
    wanted.add(id);
    for (const { pkg, dep_kinds } of resolve.nodes.find((node) => node.id === id)?.deps ?? []) {
      if (!options.shipped || dep_kinds.some(({ kind }) => kind === null)) open.push(pkg);
    }
  }
  const parties: ThirdParty[] = [];
  for (const { id, name, version, license, source, manifest_path } of packages) {
    if (source === null || !wanted.has(id)) continue;
    const checksum = new RegExp(
      `name = "${name}"\nversion = "${version.replaceAll(".", "\\.").replaceAll("+", "\\+")}"` +
        `\nsource = "[^"]+"\nchecksum = "([0-9a-f]{64})"`,
    ).exec(lock)?.[1];
    parties.push({
      ...{ kind: "cargo", name, version, licence: license ?? "" },
      texts: await licenceTexts(manifest_path.replace(/\/Cargo\.toml$/, "")),
      ...(checksum === undefined ? {} : { hash: { alg: "SHA-256", content: checksum } as const }),
    });
  }
  return parties;
}

/** Names, licences and their texts, for people. */
export function noticeText(parties: readonly ThirdParty[]): string {
  return [
    "quarry contains the following works of others, under their own licences.\n",
    ...parties.map(({ kind, name, version, licence, texts }) =>
      [`${"=".repeat(78)}\n${name} ${version} (${kind}): ${licence}\n`, ...texts].join("\n")
    ),
  ].join("\n");
}

async function licenceTexts(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (isFile && /^(licen[cs]e|copying|notice)/i.test(name)) names.push(name);
  }
  return await Promise.all(names.sort().map((name) => Deno.readTextFile(`${folder}/${name}`)));
}

function hexOf(base64: string): string {
  return Uint8Array.fromBase64(base64).toHex();
}
