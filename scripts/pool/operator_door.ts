/** The operator's socket over the parts of a running pool. */
import { type AdminDoor, type AdminParts, serveAdmin } from "../../modules/api/mod.ts";
import { type Logger, systemClock } from "../../modules/base/mod.ts";
import { type Config, plain } from "../../modules/config/mod.ts";
import { serviceSettings } from "../../modules/workers/mod.ts";
import { VERSION } from "../version.ts";
import type { Handles, Operation } from "./operation.ts";

/** Opens it, if the configuration has one. The pool goes on without it: miners come first. */
export async function openOperatorDoor(
  config: Config,
  deps: {
    log: Logger;
    handles: Handles;
    operation: Operation;
    /** Names of the parts that run. */
    names(): string[];
    /** Ends the process as a signal does. */
    stop(): void;
  },
): Promise<AdminDoor | undefined> {
  const { log, operation, names, stop, handles: { mining, payer, unlocker } } = deps;
  const path = config.api.adminSocket;
  if (path === undefined) return undefined;
  const pool: AdminParts = {
    ...{ ...operation, stop, parts: names },
    ...{ instance: config.name, version: VERSION, scheme: config.scheme },
    startedAtMs: systemClock.now(),
    service: serviceSettings((name) => Deno.env.get(name), Deno.pid),
    ...(mining === undefined ? {} : { mining }),
    ...(unlocker && { unlocker: { runNow: () => unlocker.send({ kind: "run" }) } }),
    ...(payer && {
      payer: {
        runNow: () => payer.worker.send({ kind: "run" }),
        look: () => payer.worker.send({ kind: "look" }),
      },
    }),
  };
  try {
    return await serveAdmin({ path, prefix: config.coin, redis: plain(config.redis) }, {
      ...{ log: log.for("admin"), clock: systemClock, pool },
    });
  } catch (error) {
    log.error("admin.notOpened", { path, error });
    return undefined;
  }
}
