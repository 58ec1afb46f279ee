/** What a miner claims: parsed and canonical, but not yet believed. */
import { isHash, isNonce } from "../base/mod.ts";

/** A claim, whatever dialect it came in. Text is lower case. */
export interface Submission {
  /** The address that is to be credited. */
  login: string;
  worker: string;
  /** Where it came from, for policy and log. */
  ip: string;
  /** 0x and 16 digits. */
  nonce: string;
  headerHash: string;
  /** The claimed mix digest; dialects without one leave it out and it is computed. */
  mix?: string;
}

/** A claim that cannot be read, with the field that is wrong. */
export interface MalformedClaim {
  field: "params" | "nonce" | "header hash" | "mix digest";
}

/**
 * Reads the three texts of eth_submitWork. Upper-case hex is read and made lower case, so that a
 * share spelt in another way is still the same share.
 */
export function readClaim(
  params: unknown,
): { nonce: string; headerHash: string; mix: string } | MalformedClaim {
  if (!Array.isArray(params) || params.length !== 3) return { field: "params" };
  const [nonce, headerHash, mix] = params as unknown[];
  if (!isNonce(nonce)) return { field: "nonce" };
  if (!isHash(headerHash)) return { field: "header hash" };
  if (!isHash(mix)) return { field: "mix digest" };
  return {
    nonce: nonce.toLowerCase(),
    headerHash: headerHash.toLowerCase(),
    mix: mix.toLowerCase(),
  };
}
