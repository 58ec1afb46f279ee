/** Rows of shares, payments and nodes as open-ethereum-pool wrote them, read by their field count. */
import type { Difficulty, Shannon } from "../base/mod.ts";

/** A share of the old pool's hashrate sets. */
export interface OldShare {
  /** Empty when the row's key names the login. */
  login: string;
  worker: string;
  difficulty: Difficulty;
  /** Unix seconds. */
  atSeconds: number;
}

/** A payment that went out. */
export interface PaymentRow {
  txHash: string;
  /** Empty when the row's key names the login. */
  login: string;
  amountShannon: Shannon;
  /** Unix seconds. */
  atSeconds: number;
}

/**
 * A row of `P:hashrate`: `difficulty:login:worker:ms`, or six fields of open-etc-pool-friends.
 * Undefined when it is neither.
 */
export function parsePoolShare(member: string, score: string): OldShare | undefined {
  const fields = member.split(":");
  if (fields.length !== 4 && fields.length !== 6) return undefined;
  return oldShare(fields[0]!, fields[1]!, fields[2]!, score);
}

/**
 * A row of `P:hashrate:<login>`: `difficulty:worker:ms`, or five fields of open-etc-pool-friends.
 * Undefined when it is neither.
 */
export function parseMinerShare(
  login: string,
  member: string,
  score: string,
): OldShare | undefined {
  const fields = member.split(":");
  if (fields.length !== 3 && fields.length !== 5) return undefined;
  return oldShare(fields[0]!, login, fields[1]!, score);
}

/** A row of `P:payments:all`: `tx:login:amount`, or four fields. Undefined when it is neither. */
export function parsePoolPayment(member: string, score: string): PaymentRow | undefined {
  const fields = member.split(":");
  if (fields.length !== 3 && fields.length !== 4) return undefined;
  return payment(fields[0]!, fields[1]!, fields[2]!, score);
}

/** A row of `P:payments:<login>`: `tx:amount`, or three fields. Undefined when it is neither. */
export function parseMinerPayment(member: string, score: string): PaymentRow | undefined {
  const fields = member.split(":");
  if (fields.length !== 2 && fields.length !== 3) return undefined;
  return payment(fields[0]!, "", fields[1]!, score);
}

/** What an instance last said of its node, all values as stored. */
export type NodeRow = Record<string, string>;

/** The nodes in `P:nodes`, whose fields are `<name>:<property>`; sorted by name. */
export function parseNodes(fields: Record<string, string>): NodeRow[] {
  const nodes = new Map<string, NodeRow>();
  for (const [field, value] of Object.entries(fields)) {
    const colon = field.lastIndexOf(":");
    if (colon === -1) continue;
    const name = field.slice(0, colon);
    const node = nodes.get(name) ?? {};
    node[field.slice(colon + 1)] = value;
    nodes.set(name, node);
  }
  return [...nodes].sort(([a], [b]) => a < b ? -1 : 1).map(([, node]) => node);
}

function oldShare(
  difficulty: string,
  login: string,
  worker: string,
  score: string,
): OldShare | undefined {
  const atSeconds = Number(score);
  if (!isDecimal(difficulty) || !Number.isFinite(atSeconds)) return undefined;
  return { login, worker, difficulty: BigInt(difficulty), atSeconds: Math.floor(atSeconds) };
}

function payment(
  txHash: string,
  login: string,
  amount: string,
  score: string,
): PaymentRow | undefined {
  const atSeconds = Number(score);
  if (!isDecimal(amount) || !Number.isFinite(atSeconds)) return undefined;
  return { txHash, login, amountShannon: BigInt(amount), atSeconds: Math.floor(atSeconds) };
}

function isDecimal(text: string): boolean {
  return /^\d+$/.test(text);
}
