/** The section of alerts; secrets come from the file, from files of their own or the environment. */
import type { ConfigContext } from "./build.ts";
import type { Findings } from "./findings.ts";
import type { RawConfig } from "./schema.ts";
import { type RawSecret, resolveSecret } from "./secrets.ts";
import type { AlertsConfig } from "./types.ts";

type RawAlerts = NonNullable<RawConfig["alerts"]>;

/** Undefined when the file has no such section. */
export function buildAlerts(
  { alerts }: RawConfig,
  context: ConfigContext,
  found: Findings,
): AlertsConfig | undefined {
  if (alerts === undefined) return undefined;
  const secretOf = (path: string, value: RawSecret) =>
    resolveSecret(`alerts.${path}`, value, context, found);
  const { webhook, telegram, smtp, all, minerWebhooks, silentAfter, interval } = alerts;
  return {
    ...(webhook === undefined ? {} : {
      webhook: {
        url: webhook.url,
        ...(webhook.secret === undefined
          ? {}
          : { secret: secretOf("webhook.secret", webhook.secret) }),
      },
    }),
    ...(telegram === undefined
      ? {}
      : { telegram: { ...telegram, token: secretOf("telegram.token", telegram.token) } }),
    ...(smtp === undefined ? {} : { smtp: smtpOf(smtp, secretOf) }),
    ...{ all, minerWebhooks, silentAfterMs: silentAfter, intervalMs: interval },
  };
}

function smtpOf(
  { user, password, to, ...plain }: NonNullable<RawAlerts["smtp"]>,
  secretOf: (path: string, value: RawSecret) => string,
): NonNullable<AlertsConfig["smtp"]> {
  return {
    ...plain,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password: secretOf("smtp.password", password) }),
    ...(to === undefined ? {} : { to }),
  };
}
