/**
 * A miner's own settings: shown to everybody, changed by a signature of the payout address alone.
 * No password, no address of a rig: both can be guessed.
 */
import { Hono } from "hono";
import { z } from "zod";
import { type Clock, isAddress, type Logger, type Shannon, unixSeconds } from "../base/mod.ts";
import { createSettings, type MinerSettings, noteAct, type ViewDeps } from "../ledger/mod.ts";
import {
  type SettingsMessage,
  type SettingsPool,
  settingsRefusal,
  typedDataOf,
} from "../payouts/mod.ts";

/** Largest message (bytes). */
const BODY_BYTES_MAX = 4_096;

/** What signed settings are checked with. */
export interface SettingsOptions {
  pool: SettingsPool;
  /** What is paid without a threshold of one's own, and the bounds of one (Shannon). */
  thresholdShannon: Shannon;
  thresholdMin: Shannon;
  thresholdMax: Shannon;
  /** Time between two changes (milliseconds). */
  cooldownMs: number;
}

/** What the door works with. */
export interface SettingsDeps extends ViewDeps {
  clock: Clock;
  log: Logger;
}

const amount = z.string().regex(/^\d{1,30}$/, "write a whole number as text");
const wholeNumber = z.union([z.int(), z.string().regex(/^\d{1,15}$/).transform(Number)]);

/** What is posted: the message's values as they were signed, and the signature. */
const posted = z.object({
  message: z.object({
    miner: z.string(),
    pool: z.string().optional(),
    thresholdShannon: amount,
    feeCeilingWei: amount,
    notify: z.string(),
    silentAfterSeconds: wholeNumber.default(0),
    nonce: wholeNumber,
    expiry: wholeNumber,
  }),
  signature: z.string(),
});

/** The routes below `/api/v2`; without options they say why there are none. */
export function settingsDoor(options: SettingsOptions | undefined, deps: SettingsDeps) {
  const settings = createSettings(deps);
  return new Hono()
    .get("/miners/:address/settings", async (context) => {
      if (options === undefined) return off();
      const address = context.req.param("address").toLowerCase();
      if (!isAddress(address)) return refused(400, "bad_address", "address: 0x and 40 hex digits");
      const own = (await settings.read([address])).get(address);
      return json(200, viewOf(own, address, options, deps.clock));
    })
    .post("/settings", async (context) => {
      if (options === undefined) return off();
      const text = await context.req.text();
      if (text.length > BODY_BYTES_MAX) {
        return refused(413, "too_large", "the message is too large");
      }
      const body = posted.safeParse(parseJson(text));
      if (!body.success) {
        const [issue] = body.error.issues;
        return refused(400, "bad_message", `${issue!.path.join(".")}: ${issue!.message}`);
      }
      const { message, signature } = body.data;
      return await change(options, deps, settings, {
        ...message,
        thresholdShannon: BigInt(message.thresholdShannon),
        feeCeilingWei: BigInt(message.feeCeilingWei),
      }, signature);
    });
}

async function change(
  options: SettingsOptions,
  deps: SettingsDeps,
  settings: ReturnType<typeof createSettings>,
  message: SettingsMessage,
  signature: string,
): Promise<Response> {
  const { pool, cooldownMs } = options;
  const now = unixSeconds(deps.clock);
  const reason = await settingsRefusal(message, signature, pool, options, now);
  if (reason !== undefined) return refused(400, "refused", reason);
  const { miner, thresholdShannon, feeCeilingWei, notify, silentAfterSeconds, nonce } = message;
  const before = (await settings.read([miner])).get(miner);
  const waitSeconds = before === undefined
    ? 0
    : Math.ceil(before.updatedAt + cooldownMs / 1000 - now);
  if (before !== undefined && nonce <= before.nonce) {
    return refused(409, "old_nonce", `nonce: above ${before.nonce}, a newer message was taken`);
  }
  if (waitSeconds > 0) {
    return refused(429, "cooling_down", `changed a moment ago: again in ${waitSeconds} s`, {
      "Retry-After": String(waitSeconds),
    });
  }
  // Keys cost nothing: settings of everybody who has one would fill the database.
  if (before === undefined && !await settings.isMiner(miner)) {
    return refused(404, "unknown_miner", "miner: it has sent no share yet, mine first");
  }
  const written = await settings.write(miner, {
    ...(thresholdShannon === 0n ? {} : { thresholdShannon }),
    ...(feeCeilingWei === 0n ? {} : { feeCeilingWei }),
    ...(notify === "" ? {} : { notify }),
    ...(silentAfterSeconds === 0 ? {} : { silentAfterSeconds }),
    ...{ nonce, updatedAt: now },
  });
  if (!written) return refused(409, "old_nonce", "nonce: a newer message was taken");
  await noteAct(deps, {
    ...{ who: miner, what: "settings.changed" },
    // Where alerts go is the miner's business alone.
    facts: { thresholdShannon, feeCeilingWei, notify: notify !== "", nonce },
  });
  deps.log.info("settings.changed", { login: miner, thresholdShannon, nonce });
  const own = (await settings.read([miner])).get(miner);
  return json(200, viewOf(own, miner, options, deps.clock));
}

/** What anybody may see, and what a wallet signs to change it. */
function viewOf(
  own: MinerSettings | undefined,
  miner: string,
  options: SettingsOptions,
  clock: Clock,
) {
  const { pool, thresholdShannon, thresholdMin, thresholdMax, cooldownMs } = options;
  const now = unixSeconds(clock);
  const template = typedDataOf({
    ...{ miner, thresholdShannon: own?.thresholdShannon ?? 0n },
    ...{ feeCeilingWei: own?.feeCeilingWei ?? 0n, notify: "" },
    silentAfterSeconds: own?.silentAfterSeconds ?? 0,
    nonce: Math.max(clock.now(), (own?.nonce ?? 0) + 1),
    expiry: now + 3_600,
  }, pool);
  return {
    thresholdShannon: String(own?.thresholdShannon ?? thresholdShannon),
    ownThreshold: own?.thresholdShannon !== undefined,
    feeCeilingWei: own?.feeCeilingWei === undefined ? null : String(own.feeCeilingWei),
    alerts: own?.notify !== undefined,
    silentAfterSeconds: own?.silentAfterSeconds ?? null,
    changedAtMs: own === undefined ? null : own.updatedAt * 1000,
    changeableAtMs: own === undefined ? now * 1000 : own.updatedAt * 1000 + cooldownMs,
    bounds: { thresholdMin: String(thresholdMin), thresholdMax: String(thresholdMax) },
    typedData: template,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function off(): Response {
  return refused(
    404,
    "settings_off",
    "settings are off here: the API's file must name payouts.address and the network",
  );
}

function refused(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return json(status, { error: { code, message } }, headers);
}

function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "Content-Type": "application/json", "Cache-Control": "no-store", ...headers },
  });
}
