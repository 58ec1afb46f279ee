/** The Debian package: the archive's tree below /usr/lib/quarry, units, samples, maintainer scripts. */
import { VERSION } from "../version.ts";
import { filesBelow, run } from "./archive.ts";
import { copyFolder, copyTo } from "./packages.ts";
import { ROOT } from "./roots.ts";

const LIBRARY_FOLDER = "/usr/lib/quarry";
/** Samples that become /etc/quarry/NAME.json. */
const SAMPLES: Record<string, string> = {
  ...{ pool: "example.json", mining: "mining.json", api: "api.json" },
  ...{ unlocker: "unlocker.json", payouts: "payouts.json" },
};
const ARCHITECTURES: Record<string, string> = { x86_64: "amd64", aarch64: "arm64" };

/** What the package is made from. */
export interface DebianSources {
  /** The tree of the archive. */
  tree: string;
  /** A folder to work in. */
  work: string;
  /** Where the package goes. */
  out: string;
  epoch: number;
}

/** Builds the package; gives its path. */
export async function buildDebian({ tree, work, out, epoch }: DebianSources): Promise<string> {
  const architecture = ARCHITECTURES[Deno.build.arch]!;
  const root = `${work}/deb`;
  await copyFolder(tree, root + LIBRARY_FOLDER);
  await Deno.chmod(`${root}${LIBRARY_FOLDER}/bin/quarry`, 0o755);
  await Deno.chmod(`${root}${LIBRARY_FOLDER}/bin/deno`, 0o755);
  await Deno.mkdir(`${root}/usr/bin`, { recursive: true });
  await Deno.symlink("../lib/quarry/bin/quarry", `${root}/usr/bin/quarry`);
  const units = `${root}/usr/lib/systemd/system`;
  await copyFolder(`${ROOT}/config/systemd`, units, (name) => name.endsWith(".service"));
  await copyTo(`${tree}/THIRD_PARTIES.txt`, `${root}/usr/share/doc/quarry/copyright`);
  await writeSamples(root);
  await writeControl(root, architecture);
  const file = `${out}/quarry_${VERSION}_${architecture}.deb`;
  await normalise(root);
  await run("dpkg-deb", ["--root-owner-group", "-Zgzip", "--build", root, file], {
    SOURCE_DATE_EPOCH: String(epoch),
  });
  return file;
}

async function writeSamples(root: string): Promise<void> {
  const folder = `${root}/etc/quarry`;
  await Deno.mkdir(folder, { recursive: true });
  for (const [name, sample] of Object.entries(SAMPLES)) {
    const text = await Deno.readTextFile(`${ROOT}/config/${sample}`);
    await Deno.writeTextFile(
      `${folder}/${name}.json`,
      text.replace('"./quarry.schema.json"', `"${LIBRARY_FOLDER}/config/quarry.schema.json"`)
        .replace('"dataDir": "data"', '"dataDir": "/var/lib/quarry"'),
    );
  }
  await copyTo(`${ROOT}/config/systemd/environment`, `${folder}/environment`);
}

async function writeControl(root: string, architecture: string): Promise<void> {
  const folder = `${root}/DEBIAN`;
  await copyFolder(`${ROOT}/config/systemd/debian`, folder);
  for (const name of ["postinst", "prerm", "postrm"]) await Deno.chmod(`${folder}/${name}`, 0o755);
  const conffiles = (await filesBelow(`${root}/etc`)).sort().map((path) => `/etc/${path}\n`);
  await Deno.writeTextFile(`${folder}/conffiles`, conffiles.join(""));
  let bytes = 0;
  for (const path of await filesBelow(root)) bytes += (await Deno.lstat(`${root}/${path}`)).size;
  await Deno.writeTextFile(
    `${folder}/control`,
    [
      ...["Package: quarry", `Version: ${VERSION}`, `Architecture: ${architecture}`],
      "Maintainer: The quarry maintainers <maintainers@quarry.invalid>",
      `Installed-Size: ${Math.ceil(bytes / 1024)}`,
      "Depends: libc6 (>= 2.34), libgcc-s1, adduser",
      ...["Recommends: redis-server (>= 5:7)", "Suggests: nginx, haproxy, ipset, nftables"],
      ...["Section: net", "Priority: optional"],
      "Description: mining pool for Ethash-family chains",
      " Stratum and HTTP getwork, shares checked by a native verifier, accounts in Redis,",
      " payments, JSON API and web page. Reads the configuration and the database of",
      " open-ethereum-pool. Deno and every library it needs are in the package.",
      "",
    ].join("\n"),
  );
}

/** Modes by rule, not by who built it; configuration is its group's alone, once there is one. */
async function normalise(root: string): Promise<void> {
  await run("chmod", ["--recursive", "u=rwX,go=rX", root]);
  await run("find", [`${root}/etc/quarry`, "-type", "f", "-exec", "chmod", "0640", "{}", "+"]);
}
