/**
 * What differs between the configuration that runs and the file as it is now.
 *
 * Some values may be taken over while miners are there; all others want a restart, and are named so
 * at every comparison until there was one.
 */
import type { Config } from "./types.ts";

/** One value that differs. */
export interface ConfigChange {
  /** The key as the file spells it ("payouts.threshold"); ports by their address. */
  key: string;
  /** As text; secrets are masked, "" where there is none. */
  before: string;
  after: string;
  /** Whether it can be taken over now. */
  live: boolean;
}

/** Paths of the built configuration whose values are taken over by running parts. */
const LIVE = [
  /^log\.level$/,
  /^proxy\.(difficulty|niceHashMinDifficulty|maxWorkers|loginTimeoutMs|askedDifficulty\.\w+)$/,
  /^proxy\.stratum\.timeoutMs$/,
  /^proxy\.stratum\.ports\[[^\]]+\]\.(difficulty|varDiff\.\w+)$/,
  /^proxy\.policy\.banning\.(enabled|timeoutMs|invalidPercent|checkThreshold|malformedLimit)$/,
  /^proxy\.policy\.limits\.\w+$/,
  /^api\.(rateLimit|notice|poolName|publicHost|accent\.\w+)$/,
  /^payouts\.(threshold|minThreshold|dailyCap|reserve)Shannon$/,
  /^payouts\.(intervalMs|maxFeeWei|requirePeers)$/,
  // Not where they go: a running worker has rights for the addresses that it began with.
  /^alerts\.(all|silentAfterMs|intervalMs|webhook\.secret|telegram\.(token|chat))$/,
  /^alerts\.smtp\.(user|password|from|to)$/,
];
const SECRET = /password|secret|token|webhook\.url$|^redis\.tls\./i;

/** The values that run, which take over what may be taken over. */
export class RunningConfig {
  readonly #values: Map<string, string>;

  constructor(config: Config) {
    this.#values = valuesOf(config);
  }

  /** What a newer reading of the file has otherwise, sorted by key. */
  compare(newer: Config): ConfigChange[] {
    return this.#differences(valuesOf(newer)).map(([path, before, after]) => ({
      key: keyOf(path),
      before: shown(path, before),
      after: shown(path, after),
      live: this.#isLive(path, before, after),
    })).sort((a, b) => a.key < b.key ? -1 : 1);
  }

  /** The parts have taken over what is live of it. */
  adopt(newer: Config): void {
    for (const [path, before, after] of this.#differences(valuesOf(newer))) {
      if (!this.#isLive(path, before, after)) continue;
      if (after === undefined) this.#values.delete(path);
      else this.#values.set(path, after);
    }
  }

  #differences(newer: Map<string, string>) {
    const paths = new Set([...this.#values.keys(), ...newer.keys()]);
    return [...paths].map((path) => [path, this.#values.get(path), newer.get(path)] as const)
      .filter(([, before, after]) => before !== after);
  }

  #isLive(path: string, before: string | undefined, after: string | undefined): boolean {
    if (!LIVE.some((pattern) => pattern.test(path))) return false;
    // What an address holds is counted from the start, or not at all.
    if (path === "proxy.policy.limits.perAddress") return before !== "0" && after !== "0";
    // A port that was not opened takes over nothing.
    const port = /^proxy\.stratum\.ports\[[^\]]+\]/.exec(path)?.[0];
    if (port !== undefined) return this.#values.has(`${port}.difficulty`) && !port.endsWith(":0]");
    // A part that does not run takes over nothing.
    const part = /^(alerts(\.\w+)?)\./.exec(path)?.[1];
    return part === undefined || [...this.#values.keys()].some((one) => one.startsWith(`${part}.`));
  }
}

/** Every value by its path; ports by their address, nodes by their name. */
function valuesOf(config: Config): Map<string, string> {
  const values = new Map<string, string>();
  function visit(value: unknown, path: string): void {
    if (value === undefined) return;
    if (Array.isArray(value) && value.some((one) => typeof one === "object")) {
      value.forEach((one, i) => visit(one, `${path}[${nameOf(one) ?? i}]`));
    } else if (value !== null && typeof value === "object" && !Array.isArray(value)) {
      for (const [key, inner] of Object.entries(value)) {
        visit(inner, path === "" ? key : `${path}.${key}`);
      }
    } else {
      values.set(path, Array.isArray(value) ? value.join(", ") : String(value));
    }
  }
  visit(config, "");
  return values;
}

function nameOf(one: { listen?: { hostname: string; port: number }; name?: string }) {
  return one.listen === undefined ? one.name : `${one.listen.hostname}:${one.listen.port}`;
}

/** Units are this room's; the file has none. */
function keyOf(path: string): string {
  return path.replace(/(Ms|Shannon|Wei|Bytes|Milli|Millionths)$/, "")
    .replace("proxy.stratum.ports[", "port[").replace("upstreams[", "upstream[");
}

function shown(path: string, text: string | undefined): string {
  if (text === undefined) return "";
  if (SECRET.test(path)) return "(secret)";
  const url = text.replace(/^(\w+:\/\/)[^/@]*@/, "$1(secret)@");
  return /Ms$/.test(path) ? `${text} ms` : url;
}
