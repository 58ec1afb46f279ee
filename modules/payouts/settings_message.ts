/**
 * What a miner signs to change its settings: EIP-712 typed data, so that a wallet shows every value.
 *
 * The message names the pool by its paying address and the chain by its id: it counts nowhere else.
 */
import { type Hex, recoverTypedDataAddress } from "viem";
import { isAddress, type Shannon, type Wei } from "../base/mod.ts";

/** How far ahead a message may expire (seconds). */
export const EXPIRY_SECONDS_MAX = 86_400;
/** Longest address that is told of alerts (characters). */
const NOTIFY_LENGTH_MAX = 200;
/** EIP-712's fields, in the order in which wallets show them. */
const TYPES = {
  Settings: [
    { name: "miner", type: "address" },
    { name: "pool", type: "address" },
    { name: "thresholdShannon", type: "uint256" },
    { name: "feeCeilingWei", type: "uint256" },
    { name: "notify", type: "string" },
    { name: "silentAfterSeconds", type: "uint256" },
    { name: "nonce", type: "uint256" },
    { name: "expiry", type: "uint256" },
  ],
} as const;

/** The values of a message. */
export interface SettingsMessage {
  /** Lower-case login that they are for, and that must have signed. */
  miner: string;
  /** Balance that is paid out; 0 for the operator's. */
  thresholdShannon: Shannon;
  /** Most that the gas of a payment may cost when the miner bears it; 0 for no bound. */
  feeCeilingWei: Wei;
  /** An e-mail address or an https URL that is told of alerts; empty for none. */
  notify: string;
  /** Silence of a worker after which its miner is told; 0 for the pool's. */
  silentAfterSeconds: number;
  /** Greater than that of any message before; the time in milliseconds will do. */
  nonce: number;
  /** Unix seconds. */
  expiry: number;
}

/** The pool that a message is for. */
export interface SettingsPool {
  chainId: number;
  /** Lower-case paying address. */
  address: string;
}

/** What the operator allows. */
export interface SettingsBounds {
  /** Shannon. */
  thresholdMin: Shannon;
  thresholdMax: Shannon;
}

/** The typed data of a message, as `eth_signTypedData_v4` takes it; numbers as decimal text. */
export function typedDataOf(message: SettingsMessage, pool: SettingsPool) {
  return {
    domain: { name: "quarry", version: "1", chainId: pool.chainId },
    types: {
      EIP712Domain: [
        { name: "name", type: "string" },
        { name: "version", type: "string" },
        { name: "chainId", type: "uint256" },
      ],
      ...TYPES,
    },
    primaryType: "Settings" as const,
    message: {
      miner: message.miner,
      pool: pool.address,
      thresholdShannon: String(message.thresholdShannon),
      feeCeilingWei: String(message.feeCeilingWei),
      notify: message.notify,
      silentAfterSeconds: String(message.silentAfterSeconds),
      nonce: String(message.nonce),
      expiry: String(message.expiry),
    },
  };
}

/**
 * Why a message is refused, or undefined when it may be written.
 *
 * @param signature 65 bytes in hex, of the miner's own key: a contract cannot sign here
 */
export async function settingsRefusal(
  message: SettingsMessage,
  signature: string,
  pool: SettingsPool,
  bounds: SettingsBounds,
  nowSeconds: number,
): Promise<string | undefined> {
  const wrong = valuesRefusal(message, bounds, nowSeconds);
  if (wrong !== undefined) return wrong;
  const signer = await signerOf(message, signature, pool);
  if (signer === undefined) return "signature: it is no EIP-712 signature of 65 bytes";
  if (signer === message.miner) return undefined;
  return `signature: it is of ${signer}, not of ${message.miner}, over these values, this chain and ` +
    "this pool";
}

function valuesRefusal(
  message: SettingsMessage,
  { thresholdMin, thresholdMax }: SettingsBounds,
  nowSeconds: number,
): string | undefined {
  const { miner, thresholdShannon, feeCeilingWei, notify, silentAfterSeconds } = message;
  const { nonce, expiry } = message;
  if (!isAddress(miner) || miner !== miner.toLowerCase()) return "miner: give a lower-case address";
  if (thresholdShannon !== 0n && thresholdShannon < thresholdMin) {
    return `thresholdShannon: the least is ${thresholdMin}, or 0 for the pool's`;
  }
  if (thresholdShannon > thresholdMax) return `thresholdShannon: the most is ${thresholdMax}`;
  if (feeCeilingWei < 0n || feeCeilingWei >= 10n ** 27n) return "feeCeilingWei: out of bounds";
  if (!isNotify(notify)) return "notify: give an e-mail address or an https URL, or nothing";
  if (silentAfterSeconds !== 0 && !(silentAfterSeconds >= 300 && silentAfterSeconds <= 86_400)) {
    return "silentAfterSeconds: from 300 to 86400, or 0 for the pool's";
  }
  if (!Number.isSafeInteger(nonce) || nonce <= 0) return "nonce: give a whole number above 0";
  if (!Number.isSafeInteger(expiry) || expiry <= nowSeconds) {
    return "expiry: the message has expired";
  }
  if (expiry > nowSeconds + EXPIRY_SECONDS_MAX) return "expiry: at most a day from now";
  return undefined;
}

function isNotify(text: string): boolean {
  if (text === "") return true;
  if (text.length > NOTIFY_LENGTH_MAX || /[\s\p{Cc}]/u.test(text)) return false;
  if (/^[^@:/]+@[^@:/]+\.[^@:/.]+$/.test(text)) return true;
  return URL.canParse(text) && new URL(text).protocol === "https:" &&
    new URL(text).username === "" && new URL(text).password === "";
}

async function signerOf(
  message: SettingsMessage,
  signature: string,
  pool: SettingsPool,
): Promise<string | undefined> {
  if (!/^0x[0-9a-f]{130}$/i.test(signature)) return undefined;
  const { domain, primaryType } = typedDataOf(message, pool);
  const { miner, silentAfterSeconds, nonce, expiry, ...rest } = message;
  try {
    const signer = await recoverTypedDataAddress({
      ...{ domain, types: TYPES, primaryType, signature: signature as Hex },
      message: {
        ...rest,
        ...{ miner: miner as Hex, pool: pool.address as Hex },
        ...{ nonce: BigInt(nonce), expiry: BigInt(expiry) },
        silentAfterSeconds: BigInt(silentAfterSeconds),
      },
    });
    return signer.toLowerCase();
  } catch {
    return undefined;
  }
}
