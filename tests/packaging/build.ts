/** How tests of this folder build what is installed, and run it. */
import { makeDist } from "../../scripts/dist.ts";
import { ROOT } from "../../scripts/dist/roots.ts";

/** Builds into dist/test, which the next build replaces; gives the path. */
export async function build(what: "archive" | "deb"): Promise<string> {
  const out = `${ROOT}/dist/test/${what}`;
  await Deno.remove(out, { recursive: true }).catch(() => {});
  return (await makeDist(out, { archive: what === "archive", deb: what === "deb" }))[what]!;
}

/** Runs a program to its end. */
export async function output(
  program: string,
  args: string[],
  env?: Record<string, string>,
): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    ...(env === undefined ? {} : { env, clearEnv: true }),
    ...{ stdin: "null", stdout: "piped", stderr: "piped" },
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** Why a test of the system's package tools cannot run here; undefined: it can. */
export function whyNotInstalled(): string | undefined {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return "needs root";
  for (const program of ["dpkg", "systemd-analyze", "setpriv"]) {
    if (!["/usr/bin", "/bin"].some((folder) => isFile(`${folder}/${program}`))) {
      return `needs ${program}`;
    }
  }
  return isFile("/etc/quarry/pool.json") ? "quarry is installed here" : undefined;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
