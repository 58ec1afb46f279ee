/** This machine: file handles, ports, the state's folder, certificates and the native verifier. */
import { errorText, silentLogger } from "../../modules/base/mod.ts";
import { type Config, stateDir } from "../../modules/config/mod.ts";
import { openVerifier } from "../../modules/ethash/mod.ts";
import { type Check, checksOf } from "./check.ts";

const { ok, note, fail } = checksOf("machine");
/** Handles beside those of connections. */
const HANDLES = 2_000;
const DAY_MS = 86_400_000;

/** Looks at everything here that the configuration uses. */
export async function machineChecks(config: Config): Promise<Check[]> {
  const checks = [
    ...await handleChecks(config),
    ...portChecks(config),
    ...await folderChecks(config),
    ...await certificateChecks(config),
    ...await verifierChecks(config),
  ];
  return checks.length > 0 ? checks : [ok("handles, ports, folders and verifier")];
}

async function handleChecks({ proxy }: Config): Promise<Check[]> {
  if (!proxy.stratum.enabled) return [];
  const limits = await Deno.readTextFile("/proc/self/limits").catch(() => "");
  const limit = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
  const wanted = 2 * proxy.stratum.maxConn + HANDLES;
  return limit >= wanted ? [] : [fail(
    `${limit} file handles, proxy.stratum.maxConn of ${proxy.stratum.maxConn} wants ${wanted}`,
    `ulimit -n ${wanted}, or LimitNOFILE=${wanted} in the unit`,
  )];
}

function portChecks({ proxy, api }: Config): Check[] {
  const wanted = [
    ...proxy.stratum.ports.map(({ listen }) => ["stratum", listen] as const),
    ...(proxy.enabled ? [["proxy.listen", proxy.listen] as const] : []),
    ...(api.enabled && !api.purgeOnly ? [["api.listen", api.listen] as const] : []),
  ];
  return wanted.flatMap(([name, { hostname, port }]) => {
    try {
      Deno.listen({ hostname, port }).close();
      return [];
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
    return [];
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
      }
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
    return [];
  } catch (error) {
    return [fail(`the verifier cannot be loaded: ${errorText(error)}`, "run scripts/setup")];
  }
}
