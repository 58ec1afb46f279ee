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

/** What a submission says, before its job and nonce are known for sure. Text is lower case. */
export interface Claim {
  /** Job id, in dialects that name the job. */
  jobId?: string;
  /** 0x and 64 digits, in dialects that name the header. */
  headerHash?: string;
  /** 0x and 16 digits, or bare digits that follow the session's extranonce. */
  nonce: string;
  mix?: string;
}

/** A claim that cannot be read, with the field that is wrong. */
export interface MalformedClaim {
  field: "params" | "job id" | "nonce" | "header hash" | "mix digest";
}

const JOB_ID = /^[0-9a-zA-Z]{1,32}$/;
const PART_OF_NONCE = /^(?:0x)?([0-9a-fA-F]{1,16})$/;

/**
 * Reads the three texts of eth_submitWork: nonce, header hash, mix digest. Upper-case hex is read
 * and made lower case, so that a share spelt in another way is still the same share.
 */
export function readClaim(params: unknown): Claim | MalformedClaim {
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

/** Reads a job id and the texts of eth_submitWork; some miners leave out 0x. */
export function readNamedClaim(params: unknown[]): Claim | MalformedClaim {
  const [jobId, ...texts] = params;
  if (typeof jobId !== "string" || !JOB_ID.test(jobId)) return { field: "job id" };
  const claim = readClaim(texts.map(prefixed));
  return "field" in claim ? claim : { ...claim, jobId: jobId.toLowerCase() };
}

/** Reads a job id and the digits of the nonce that follow the extranonce. */
export function readPartialClaim(jobId: unknown, nonce: unknown): Claim | MalformedClaim {
  if (typeof jobId !== "string" || !JOB_ID.test(jobId)) return { field: "job id" };
  const digits = typeof nonce === "string" ? PART_OF_NONCE.exec(nonce)?.[1] : undefined;
  if (digits === undefined) return { field: "nonce" };
  return { jobId: jobId.toLowerCase(), nonce: digits.toLowerCase() };
}

function prefixed(text: unknown): unknown {
  return typeof text === "string" && /^[0-9a-fA-F]+$/.test(text) ? "0x" + text : text;
}
