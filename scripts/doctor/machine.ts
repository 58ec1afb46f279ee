/** This machine: file handles, ports, the state's folder, certificates and the native verifier. */
import { errorText, silentLogger } from "../../modules/base/mod.ts";
import { type Config, stateDir } from "../../modules/config/mod.ts";
import { openVerifier } from "../../modules/ethash/mod.ts";
import { type Check, checksOf } from "./check.ts";
import { judgeFiles, judgeProcessor, shellFacts, spaceChecks } from "./machine_facts.ts";

const { ok, note, fail } = checksOf("machine");
/** Handles beside those of connections. */
const HANDLES = 2_000;
const DAY_MS = 86_400_000;

/** Looks at everything here that the configuration uses. */
export async function machineChecks(config: Config): Promise<Check[]> {
  const { proxy } = config;
  const facts = shellFacts((name) => Deno.env.get(name));
  const mines = proxy.enabled || proxy.stratum.enabled;
  // First, because it makes the folder whose free space is asked for.
  const folder = await folderChecks(config);
  return [
    ...(mines ? [judgeFiles(facts, proxy.stratum.maxConn, HANDLES)] : []),
    ...(mines ? judgeProcessor(facts) : []),
    ...await spaceChecks(config),
    ...portChecks(config),
    ...folder,
    ...await certificateChecks(config),
    ...await verifierChecks(config),
  ];
}

function portChecks({ proxy, api, metrics, health }: Config): Check[] {
  const doors = [
    ...proxy.stratum.ports.map(({ listen }) => ["stratum", listen] as const),
    ...(proxy.enabled ? [["proxy.listen", proxy.listen] as const] : []),
    ...(api.enabled && !api.purgeOnly ? [["api.listen", api.listen] as const] : []),
    ...[["metrics.listen", metrics.listen] as const, ["health.listen", health.listen] as const],
  ];
  return doors.flatMap(([name, listen]) => {
    if (listen === undefined) return [];
    const { hostname, port } = listen;
    try {
      Deno.listen({ hostname, port }).close();
      return [ok(`${hostname}:${port} (${name}) is free`)];
    } catch (error) {
      if (error instanceof Deno.errors.AddrInUse) {
        return [note(`${hostname}:${port} (${name}) is in use`, "well if it is by this very pool")];
      }
      const mend = "an address of this machine, and a port above 1023 or CAP_NET_BIND_SERVICE";
      return [fail(`${hostname}:${port} (${name}) cannot be opened: ${errorText(error)}`, mend)];
    }
  });
}

async function folderChecks(config: Config): Promise<Check[]> {
  const dir = stateDir(config);
  try {
    await Deno.mkdir(dir, { recursive: true, mode: 0o700 });
    const probe = await Deno.makeTempFile({ dir, prefix: ".doctor-" });
    await Deno.remove(probe);
    const mode = ((await Deno.stat(dir)).mode ?? 0) & 0o777;
    if ((mode & 0o022) !== 0) {
      return [fail(
        `others may write to the journals' folder ${dir} (mode ${mode.toString(8)})`,
        `chmod 700 ${dir}`,
      )];
    }
    return [ok(`the journals' folder ${dir} can be written`)];
  } catch (error) {
    return [fail(
      `the journals' folder ${dir} cannot be written: ${errorText(error)}`,
      "let the pool's user own it, or set dataDir",
    )];
  }
}

async function certificateChecks({ proxy }: Config): Promise<Check[]> {
  const { X509Certificate } = await import("node:crypto");
  const files = new Set(
    proxy.stratum.ports.flatMap(({ tls }) => tls === undefined ? [] : [tls.cert]),
  );
  const checks: Check[] = [];
  for (const file of files) {
    try {
      const { validTo, subject } = new X509Certificate(await Deno.readTextFile(file));
      const days = Math.floor((Date.parse(validTo) - Date.now()) / DAY_MS);
      if (days < 0) checks.push(fail(`certificate ${subject} has expired`, `renew ${file}`));
      else if (days < 14) {
        checks.push(note(`certificate ${subject} expires in ${days} days`, `renew ${file}`));
      } else checks.push(ok(`certificate ${subject} is good for ${days} days`));
    } catch (error) {
      checks.push(
        fail(`certificate ${file} cannot be read: ${errorText(error)}`, "correct tls.cert"),
      );
    }
  }
  return checks;
}

async function verifierChecks({ proxy }: Config): Promise<Check[]> {
  if (!proxy.enabled && !proxy.stratum.enabled) return [];
  try {
    const verifier = openVerifier({ rule: { algorithm: "ethash" }, log: silentLogger });
    await verifier.close();
    return [ok("the verifier can be loaded")];
  } catch (error) {
    const mend = Deno.build.standalone
      ? "mend what it says, then look again"
      : "run scripts/setup, unless it says something else";
    return [fail(`the verifier cannot be loaded: ${errorText(error)}`, mend)];
  }
}
