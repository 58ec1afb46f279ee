/** The rights of the Deno workers: each has what its own work needs, and nothing of the others'. */
import { realPathOf } from "./real_path.ts";
import { type Config, stateDir } from "../config/mod.ts";
import { keyRights } from "../payouts/mod.ts";
import { addressesIn, alertsNet, both, type Net, nodesNet, redisNet } from "./addresses.ts";

/** A Deno worker of quarry. */
export type WorkerName = "stratum" | "unlocker" | "payouts" | "stats" | "alerts";

/** What a worker's rights depend on besides the configuration. */
export interface Surroundings {
  /** The native verifier's file. */
  library: string;
  env(name: string): string | undefined;
}

/** Rights of a Deno worker, every kind of them said. */
export type WorkerRights = Required<Omit<Deno.PermissionOptionsObject, "import">> & {
  import: boolean;
};

/** The least rights that a worker's work needs. */
export function workerRights(
  name: WorkerName,
  config: Config,
  { library, env }: Surroundings,
): WorkerRights {
  const { redis } = config;
  const socket = redis.endpoint.startsWith("/") ? [redis.endpoint] : [];
  const state = stateDirs(config);
  switch (name) {
    case "stats":
      return rights({ net: redisNet(redis), read: socket, write: socket });
    case "unlocker": {
      const daemons = addressesIn([config.unlocker.daemon, config.unlocker.confirmWith]);
      return rights({
        ...{ net: both(redisNet(redis), nodesNet(config), daemons), read: socket, write: socket },
      });
    }
    case "alerts":
      return rights({
        ...{ net: both(redisNet(redis), alertsNet(config.alerts)), read: socket, write: socket },
      });
    case "payouts": {
      const { signer, daemon } = config.payouts;
      const { files, variables } = keyRights(signer, env);
      return rights({
        net: both(redisNet(redis), addressesIn([daemon, signer?.kind === "remote" && signer.url])),
        ...{ read: [...socket, ...files, ...state], write: [...socket, ...state], env: variables },
      });
    }
    case "stratum": {
      const { proxy, verifier } = config;
      const certificates = proxy.stratum.ports.flatMap(({ tls }) => tls && [tls.cert, tls.key]);
      const dataset = verifier.dag === "file" ? [verifier.dir] : [];
      return rights({
        net: both(redisNet(redis), nodesNet(config), addressesIn(proxy)),
        read: [...socket, ...state, ...dataset, library, ...certificates.filter((one) => !!one)],
        ...{ write: [...socket, ...state, ...dataset], ffi: [library] },
      });
    }
  }
}

/** The state folder, and where it is when it is a link: a spare shares the first one's journal so. */
export function stateDirs(config: Config): string[] {
  const dir = stateDir(config);
  return [...new Set([dir, realPathOf(dir)])];
}

function rights(
  some: {
    net: Net;
    read: (string | undefined)[];
    write: string[];
    env?: string[];
    ffi?: string[];
  },
): WorkerRights {
  const list = (items: (string | undefined)[] = []) => {
    const named = items.filter((item) => item !== undefined);
    return named.length > 0 ? named : false;
  };
  return {
    net: some.net === "any" ? true : list(some.net),
    ...{ read: list(some.read), write: list(some.write), env: list(some.env) },
    ...{ ffi: list(some.ffi), run: false, sys: false, import: false },
  };
}
