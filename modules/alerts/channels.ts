/** The ways out: webhook, Telegram bot and SMTP; each tells one alert to one address. */
import { createHmac } from "node:crypto";
import nodemailer from "nodemailer";
import { PoolError } from "../base/mod.ts";
import type { AlertsConfig } from "../config/mod.ts";
import type { Alert } from "./watch.ts";

/** Longest wait for one delivery (milliseconds). */
const TIMEOUT_MS = 10_000;

/** Who is told, and how. */
export type Target =
  | { kind: "webhook"; url: string; secret?: string }
  | { kind: "telegram"; chat: string }
  | { kind: "mail"; to: string };

/** Tells alerts; rejects when one was not taken. */
export interface Channels {
  /** Whether there is a way to this kind of target. */
  has(kind: Target["kind"]): boolean;
  /** @throws {PoolError} that says what the other side answered; never a secret */
  tell(target: Target, alert: Alert, atMs: number): Promise<void>;
  close(): void;
}

/** The channels of a configuration. */
export function openChannels(
  config: Pick<AlertsConfig, "telegram" | "smtp">,
  pool: string,
): Channels {
  const { telegram, smtp } = config;
  const mail = smtp === undefined ? undefined : nodemailer.createTransport({
    ...{ host: smtp.host, port: smtp.port, secure: smtp.secure },
    ...(smtp.user === undefined ? {} : { auth: { user: smtp.user, pass: smtp.password ?? "" } }),
    ...{ connectionTimeout: TIMEOUT_MS, greetingTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS },
    // Nothing that a message says makes it read files or fetch addresses.
    ...{ disableFileAccess: true, disableUrlAccess: true },
  });

  async function tellTelegram(chat: string, alert: Alert): Promise<void> {
    if (telegram === undefined) throw new PoolError("alerts.telegram is not set");
    const url = `${telegram.api}/bot${telegram.token}/sendMessage`;
    await post(
      url,
      JSON.stringify({ chat_id: chat, text: `${pool}: ${alert.text}` }),
      {},
      "Telegram",
    );
  }

  async function tellMail(to: string, alert: Alert): Promise<void> {
    if (mail === undefined || smtp === undefined) throw new PoolError("alerts.smtp is not set");
    try {
      await mail.sendMail({
        ...{ from: smtp.from, to, subject: `${pool}: ${alert.text.slice(0, 80)}` },
        text: `${alert.text}\n\n${factsOf(alert)}\n`,
      });
    } catch (error) {
      const { code, responseCode } = error as { code?: string; responseCode?: number };
      throw new PoolError(`The mail server did not take a mail: ${responseCode ?? code}`);
    }
  }

  return {
    has: (kind) => kind === "webhook" || (kind === "telegram" ? telegram : mail) !== undefined,
    async tell(target, alert, atMs) {
      if (target.kind === "telegram") return await tellTelegram(target.chat, alert);
      if (target.kind === "mail") return await tellMail(target.to, alert);
      const body = JSON.stringify({ pool, atMs, ...alert });
      const headers: Record<string, string> = target.secret === undefined ? {} : {
        "X-Quarry-Signature": `sha256=${
          createHmac("sha256", target.secret).update(body).digest("hex")
        }`,
      };
      await post(target.url, body, headers, "The webhook");
    },
    close: () => mail?.close(),
  };
}

async function post(
  url: string,
  body: string,
  headers: Record<string, string>,
  who: string,
): Promise<void> {
  let response: Response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body,
      // A redirect could lead into the pool's own network.
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    // The reason would name the address, and Telegram's address holds the token.
    throw new PoolError(`${who} cannot be reached`);
  }
  await response.body?.cancel();
  if (!response.ok) throw new PoolError(`${who} answered ${response.status}`);
}

function factsOf({ facts }: Alert): string {
  return Object.entries(facts).map(([name, value]) => `${name}: ${value}`).join("\n");
}
