/** Rows of found blocks in Redis: open-ethereum-pool's members, and open-etc-pool-friends' on reading. */
import { type Difficulty, InvariantError, type Wei } from "../base/mod.ts";

/** A found block that nobody has looked up in the chain yet. */
export interface Candidate {
  /** As recorded when it was found. */
  height: number;
  /** 0x hex as stored; it names the round's key. */
  nonce: string;
  headerHash: string;
  mixHash: string;
  /** Unix seconds. */
  foundAt: number;
  /** Difficulty of the network then. */
  difficulty: Difficulty;
  /** Sum of the round's shares as recorded. */
  totalShares: bigint;
  /** The stored member, exactly. */
  member: string;
}

/** An immature or matured block. */
export interface BlockRow {
  /** Height of the block, for an uncle of the block that includes it. */
  height: number;
  /** The uncle's own height; 0 when it is no uncle. */
  uncleHeight: number;
  orphan: boolean;
  nonce: string;
  /** "0x0" for an orphan. */
  hash: string;
  /** Unix seconds. */
  foundAt: number;
  difficulty: Difficulty;
  totalShares: bigint;
  rewardWei: Wei;
  /** The stored member, exactly. */
  member: string;
}

/** Reads a candidate: 6 fields, or 11 of open-etc-pool-friends. @throws {InvariantError} */
export function parseCandidate(member: string, score: string): Candidate {
  const fields = member.split(":");
  if (fields.length !== 6 && fields.length !== 11) throw unreadable("candidate", member);
  const [nonce, headerHash, mixHash, foundAt, difficulty, totalShares] = fields;
  return {
    height: whole(score, member),
    nonce: nonce!,
    headerHash: headerHash!,
    mixHash: mixHash!,
    foundAt: whole(foundAt, member),
    difficulty: integer(difficulty, member),
    totalShares: integer(totalShares, member),
    member,
  };
}

/** Reads an immature or matured block: 8 fields, or 13. @throws {InvariantError} */
export function parseBlockRow(member: string, score: string): BlockRow {
  const fields = member.split(":");
  if (fields.length !== 8 && fields.length !== 13) throw unreadable("block", member);
  const [uncleHeight, orphan, nonce, hash, foundAt, difficulty, totalShares] = fields;
  return {
    height: whole(score, member),
    uncleHeight: whole(uncleHeight, member),
    orphan: orphan === "1",
    nonce: nonce!,
    hash: hash!,
    foundAt: whole(foundAt, member),
    difficulty: integer(difficulty, member),
    totalShares: integer(totalShares, member),
    rewardWei: integer(fields.length === 13 ? fields[8] : fields[7], member),
    member,
  };
}

/** The eight-field member of an immature or matured block. */
export function blockMember(row: Omit<BlockRow, "height" | "member">): string {
  return [
    row.uncleHeight,
    row.orphan ? 1 : 0,
    row.nonce,
    row.hash,
    row.foundAt,
    row.difficulty,
    row.totalShares,
    row.rewardWei,
  ].join(":");
}

function whole(text: string | undefined, member: string): number {
  const value = Number(integer(text, member));
  if (!Number.isSafeInteger(value)) throw unreadable("number", member);
  return value;
}

function integer(text: string | undefined, member: string): bigint {
  if (text === undefined || !/^\d+$/.test(text)) throw unreadable("number", member);
  return BigInt(text);
}

function unreadable(what: string, member: string): InvariantError {
  return new InvariantError(`Cannot read a ${what} in a block's row: current value is "${member}"`);
}
