/**
 * Makes what operators install: `deno task dist`.
 *
 *   deno task dist [--out DIR] [--no-deb]
 *
 * DIR (dist) then has quarry-VERSION-PLATFORM.tar.gz, with everything that quarry needs to run on a
 * machine without tools and without network, a Debian package of the same, and their checksums. The
 * same sources give the same bytes; times are the last commit's, or SOURCE_DATE_EPOCH.
 */
import { parseArgs } from "node:util";
import { buildDebian } from "./dist/debian.ts";
import { PLATFORM, refuseTunedBuild, sourceEpoch, stage } from "./dist/stage.ts";
import { tarball, writeSums } from "./dist/archive.ts";
import { ROOT } from "./dist/roots.ts";
import { VERSION } from "./version.ts";

const USAGE = "Usage: deno task dist [--out DIR] [--no-deb]";

/** What was made. */
export interface Made {
  archive?: string;
  deb?: string;
}

/** Builds archive and package into a folder. */
export async function makeDist(
  out: string,
  options: { archive?: boolean; deb?: boolean },
): Promise<Made> {
  refuseTunedBuild();
  const epoch = await sourceEpoch();
  const name = `quarry-${VERSION}-${PLATFORM}`;
  await Deno.mkdir(out, { recursive: true });
  const work = await Deno.makeTempDir({ dir: out, prefix: ".stage-" });
  try {
    const tree = `${work}/${name}`;
    await stage(tree, epoch);
    const made: Made = {};
    if (options.archive ?? true) {
      made.archive = `${out}/${name}.tar.gz`;
      await tarball(tree, made.archive, epoch);
    }
    if (options.deb ?? true) made.deb = await buildDebian({ tree, work, out, epoch });
    await writeSums(out, Object.values(made));
    return made;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

if (import.meta.main) {
  const say = (text: string) => Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
  try {
    const { values } = parseArgs({
      args: Deno.args,
      options: {
        ...{ out: { type: "string" }, "no-deb": { type: "boolean" } },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) {
      say(USAGE);
      Deno.exit(0);
    }
    const made = await makeDist(values.out ?? `${ROOT}/dist`, { deb: !values["no-deb"] });
    say(Object.values(made).join("\n"));
  } catch (error) {
    const isUsage = (error as { code?: string }).code?.startsWith("ERR_PARSE_ARGS") ?? false;
    say(isUsage ? `${(error as Error).message}\n${USAGE}` : (error as Error).message);
    Deno.exit(isUsage ? 2 : 1);
  }
}
