/** Whom an alert goes to: the operator's channels, and what its miner has set. */
import ipaddr from "ipaddr.js";
import type { AlertsConfig } from "../config/mod.ts";
import type { Target } from "./channels.ts";
import type { Alert } from "./watch.ts";

/** Finds the addresses of a host. @throws when there are none */
export type Resolve = (host: string) => Promise<string[]>;

/**
 * The targets of an alert. Miners hear of their own payments and workers; the operator of blocks and
 * of loops that halt, and of everything else only when the configuration says so.
 *
 * @param notify what the miner has set: an e-mail address or an https URL
 */
export async function targetsOf(
  alert: Alert,
  config: AlertsConfig,
  notify: string | undefined,
  resolve: Resolve,
): Promise<Target[]> {
  const targets: Target[] = [];
  if (alert.login === undefined || config.all) targets.push(...operatorTargets(config));
  if (alert.login === undefined || notify === undefined) return targets;
  if (!notify.startsWith("https://")) {
    if (config.smtp !== undefined) targets.push({ kind: "mail", to: notify });
  } else if (config.minerWebhooks && await isPublic(new URL(notify).hostname, resolve)) {
    targets.push({ kind: "webhook", url: notify });
  }
  return targets;
}

function operatorTargets({ webhook, telegram, smtp }: AlertsConfig): Target[] {
  return [
    ...(webhook === undefined ? [] : [{ kind: "webhook" as const, ...webhook }]),
    ...(telegram === undefined ? [] : [{ kind: "telegram" as const, chat: telegram.chat }]),
    ...(smtp?.to === undefined ? [] : [{ kind: "mail" as const, to: smtp.to }]),
  ];
}

/** Whether every address of a host is a public one: a stranger's URL must not reach our own network. */
async function isPublic(host: string, resolve: Resolve): Promise<boolean> {
  try {
    const bare = host.replace(/^\[|\]$/g, "");
    const found = ipaddr.isValid(bare) ? [bare] : await resolve(bare);
    return found.length > 0 && found.every((one) => ipaddr.process(one).range() === "unicast");
  } catch {
    return false;
  }
}
