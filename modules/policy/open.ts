/** A policy with its firewall: bans are logged and handed on, with a bound on both. */
import type { Clock, Logger } from "../base/mod.ts";
import { count } from "../metrics/mod.ts";
import { type CommandRunner, runCommand } from "./command.ts";
import { openFirewall } from "./firewall.ts";
import { BAN_REASONS, Policy, type PolicyDeps, type PolicyOptions } from "./policy.ts";
import { ShareRate } from "./share_rate.ts";

/** Bans logged a second, and at once. */
const LOGGED = { perSecond: 1, burst: 20 };

/** A policy that has to be closed. */
export interface OpenPolicy {
  policy: Policy;
  /** Ends with the firewall commands in flight. */
  close(): Promise<void>;
}

/**
 * Opens a policy; with `banning.firewall` its bans reach the firewall's set too.
 *
 * @param deps `run` is the system's commands unless given; `onBan` and `onLift` hear everything too
 */
export function openPolicy(
  options: PolicyOptions,
  deps:
    & { clock: Clock; log: Logger; run?: CommandRunner }
    & Pick<PolicyDeps, "proxies" | "counts" | "onBan" | "onLift">,
): OpenPolicy {
  const { clock, log, run = runCommand } = deps;
  const { firewall: set } = options.banning;
  const workers = options.workers ?? 1;
  const firewall = set && openFirewall({ ...set, workers }, { run, clock, log });
  const logged = new ShareRate(LOGGED.perSecond, clock.now(), LOGGED.burst);
  let unlogged = 0;
  // From zero on, or the first ban would be no increase to whoever watches.
  for (const reason of Object.values(BAN_REASONS)) count("quarry_bans_total", { reason }, 0);
  const policy = new Policy(options, clock, {
    ...deps,
    onBan(ban, mixed) {
      deps.onBan?.(ban, mixed);
      if (!mixed) firewall?.ban(ban);
      count("quarry_bans_total", { reason: ban.reason });
      if (!logged.take(clock.now())) {
        unlogged++;
        return;
      }
      const seconds = Math.ceil((ban.untilMs - ban.sinceMs) / 1000);
      const { address, reason } = ban;
      log.info("policy.banned", {
        address,
        reason,
        seconds,
        ...(unlogged > 0 ? { unlogged } : {}),
      });
      unlogged = 0;
    },
    onLift(address, ended) {
      deps.onLift?.(address, ended);
      firewall?.lift(address);
    },
  });
  return { policy, close: async () => await firewall?.close() };
}
