/** What miners have set for themselves: thresholds and fee ceilings, one JSON each. */
import { isAddress, type Shannon, type Wei } from "../base/mod.ts";
import { checkedScript } from "./checked_script.ts";
import type { Keys } from "./keys.ts";
import { type Store, StoreError } from "./redis.ts";
import { pairsOf } from "./scan.ts";
import writeSource from "./scripts/write_settings.lua" with { type: "text" };

const WRITE = checkedScript("write_settings", writeSource);
/** Logins asked for at once. */
const LOGINS_PER_READ = 500;

/** What one miner has set; the payer keeps it within the operator's bounds. */
export interface MinerSettings {
  /** Balance that is paid out. */
  thresholdShannon?: Shannon;
  /** Most that the gas of a payment may cost when the miner bears it. */
  feeCeilingWei?: Wei;
  /** E-mail address or https URL that is told of alerts. */
  notify?: string;
  /** Silence of a worker after which its miner is told (seconds). */
  silentAfterSeconds?: number;
  /** Grows with every change, so that an old message cannot undo a newer one. */
  nonce: number;
  /** Unix seconds. */
  updatedAt: number;
}

/** The ledger's settings of miners. */
export interface Settings {
  /** Those that are there, by login. @throws {StoreError} when one cannot be read */
  read(logins: readonly string[]): Promise<Map<string, MinerSettings>>;
  /** Everybody's, by login. @throws {StoreError} when one cannot be read */
  all(): Promise<Map<string, MinerSettings>>;
  /** Whether the pool has ever counted a share of this login: nobody else has settings to keep. */
  isMiner(login: string): Promise<boolean>;
  /** Stores them; false when the same nonce or a newer one is there already. */
  write(login: string, settings: MinerSettings): Promise<boolean>;
}

/** The settings of one pool. */
export function createSettings({ store, keys }: { store: Store; keys: Keys }): Settings {
  const key = keys.own.settings();
  return {
    async read(logins) {
      const all = new Map<string, MinerSettings>();
      for (let start = 0; start < logins.length; start += LOGINS_PER_READ) {
        const chunk = logins.slice(start, start + LOGINS_PER_READ);
        const reply = await store.command("HMGET", key, ...chunk);
        if (!Array.isArray(reply)) throw unreadable(chunk[0]!);
        for (const [i, text] of reply.entries()) {
          if (text !== null) all.set(chunk[i]!, settingsOf(chunk[i]!, String(text)));
        }
      }
      return all;
    },
    async all() {
      const all = new Map<string, MinerSettings>();
      let cursor = "0";
      do {
        const reply = await store.command("HSCAN", key, cursor, "COUNT", String(LOGINS_PER_READ));
        if (!Array.isArray(reply)) throw unreadable("everybody");
        cursor = String(reply[0]);
        for (const [login, text] of pairsOf(reply[1] ?? null)) {
          all.set(login, settingsOf(login, text));
        }
      } while (cursor !== "0");
      return all;
    },
    isMiner: async (login) => await store.command("EXISTS", keys.miner(login)) === 1,
    async write(login, settings) {
      const { thresholdShannon, feeCeilingWei, notify, silentAfterSeconds } = settings;
      const { nonce, updatedAt } = settings;
      if (!isAddress(login) || login !== login.toLowerCase()) throw unreadable(login);
      const text = JSON.stringify({
        ...(thresholdShannon === undefined ? {} : { thresholdShannon: `${thresholdShannon}` }),
        ...(feeCeilingWei === undefined ? {} : { feeCeilingWei: `${feeCeilingWei}` }),
        ...(notify === undefined ? {} : { notify }),
        ...(silentAfterSeconds === undefined ? {} : { silentAfterSeconds }),
        ...{ nonce, updatedAt },
      });
      return await store.script(WRITE, [key], [login, text, `${nonce}`]) === "ok";
    },
  };
}

function settingsOf(login: string, text: string): MinerSettings {
  try {
    const { thresholdShannon, feeCeilingWei, notify, silentAfterSeconds, nonce, updatedAt } = JSON
      .parse(text);
    if (!Number.isSafeInteger(nonce) || !Number.isSafeInteger(updatedAt)) throw unreadable(login);
    return {
      ...(thresholdShannon === undefined ? {} : { thresholdShannon: amountOf(thresholdShannon) }),
      ...(feeCeilingWei === undefined ? {} : { feeCeilingWei: amountOf(feeCeilingWei) }),
      ...(typeof notify === "string" ? { notify } : {}),
      ...(Number.isSafeInteger(silentAfterSeconds) ? { silentAfterSeconds } : {}),
      ...{ nonce, updatedAt },
    };
  } catch (cause) {
    throw unreadable(login, cause);
  }
}

function amountOf(text: unknown): bigint {
  if (typeof text === "string" && /^\d{1,30}$/.test(text)) return BigInt(text);
  throw new TypeError("an amount is no decimal text");
}

function unreadable(login: string, cause?: unknown): StoreError {
  return new StoreError(`Cannot read the settings of ${login}`, "refused", cause);
}
