/**
 * The auditor's own books of shares and rounds: what the ledger's rules say becomes of every share
 * that reached Redis, kept the slow way from the arguments of the scripts that ran.
 */
import { fail } from "./failure.ts";

/** Heights of which shares are remembered; those below the last seven are refused as stale anyway. */
const HEIGHTS_KEPT = 60;

type Sums = Map<string, bigint>;

/** A found block and the round that it pays. */
export interface Round {
  height: number;
  nonce: string;
  login: string;
  scheme: string;
  /** Login → share of the round; what went back to the current round has left it. */
  shares: Sums;
  /** As it was closed. */
  total: bigint;
  returned: bigint;
}

/** Everything that a loss of Redis's data takes back with it. */
export interface ShareState {
  highest: number;
  /** Accepted share → its height. */
  seen: Map<string, number>;
  submissions: Set<string>;
  /** Batch → the reply that it got. */
  replies: Map<string, string>;
  round: Sums;
  solo: Sums;
  roundShares: bigint;
  window: { number: number; sums: Sums; total: bigint }[];
  open: number;
  rounds: Map<string, Round>;
  accepted: bigint;
}

/** Rules of the PPLNS window (hashes). */
export interface WindowRules {
  width: bigint;
  leastSlice: bigint;
}

/** Books of shares. */
export class ShareModel {
  state: ShareState = {
    ...{ highest: 0, roundShares: 0n, open: 1, accepted: 0n },
    ...{ seen: new Map(), submissions: new Set(), replies: new Map(), round: new Map() },
    ...{ solo: new Map(), window: [], rounds: new Map() },
  };

  constructor(readonly rules: WindowRules) {}

  /** A copy, to go back to. */
  copy(): ShareState {
    return structuredClone(this.state);
  }

  /** Sees a script that ran in Redis, with its reply. */
  ran(name: string, keys: readonly string[], args: readonly string[], reply: unknown): void {
    if (name === "record_shares") this.#shares(keys[3]!, args.slice(12), String(reply));
    if (name === "record_candidate") this.#candidate(keys[3]!, args, String(reply));
    if (name === "orphan_block") this.#orphan(args, Number(reply));
  }

  /** Sums of the window by login. */
  windowSums(): Sums {
    const sums: Sums = new Map();
    for (const slice of this.state.window) for (const [who, n] of slice.sums) add(sums, who, n);
    return sums;
  }

  #shares(batch: string, rest: readonly string[], reply: string): void {
    const { state } = this;
    const shares = Array.from({ length: rest.length / 7 }, (_, i) => {
      const [, height, member, login, , difficulty, scheme] = rest.slice(i * 7, i * 7 + 7);
      return {
        height: Number(height),
        member: member!,
        login: login!,
        scheme: scheme!,
        difficulty: BigInt(difficulty!),
      };
    });
    const before = state.replies.get(batch);
    if (before !== undefined) return same(`repeated batch ${batch}`, before, reply);
    state.highest = Math.max(state.highest, ...shares.map(({ height }) => height));
    if (shares.some(({ scheme }) => scheme === "pplns")) this.#drop();
    let grown = false;
    const fates = shares.map(({ height, member, login, difficulty, scheme }) => {
      if (height + 7 <= state.highest) return "3";
      if (state.seen.has(member)) return "2";
      state.seen.set(member, height);
      this.#credit(login, difficulty, scheme);
      grown ||= scheme === "pplns";
      return "1";
    });
    if (grown) this.#close();
    for (const [member, height] of state.seen) {
      if (height <= state.highest - HEIGHTS_KEPT) state.seen.delete(member);
    }
    same(`fates of batch ${batch}`, fates.join(""), reply);
    state.replies.set(batch, reply);
  }

  #candidate(batch: string, args: readonly string[], reply: string): void {
    const { state } = this;
    const height = Number(args[3]), member = args[4]!, login = args[5]!, scheme = args[10]!;
    const difficulty = BigInt(args[7]!), field = args[9]!, nonce = member.split(":")[0]!;
    const before = state.replies.get(batch);
    if (before !== undefined) return same(`repeated candidate ${batch}`, before, reply);
    const known = state.submissions.has(field) || state.seen.has(member);
    same(`fate of candidate ${field}`, known ? "2" : "1", reply);
    state.replies.set(batch, reply);
    if (known) return;
    if (state.rounds.has(nonce)) fail(`nonce ${nonce} was used for two rounds by the simulation`);
    state.seen.set(member, height);
    state.submissions.add(field);
    if (scheme === "pplns") this.#drop();
    this.#credit(login, difficulty, scheme);
    let shares: Sums;
    if (scheme === "pplns") {
      this.#close();
      shares = this.windowSums();
    } else if (scheme === "solo") {
      shares = new Map([[login, state.solo.get(login)!]]);
      state.solo.delete(login);
    } else {
      shares = state.round;
      state.round = new Map();
    }
    if (scheme !== "solo") state.roundShares = 0n;
    state.highest = Math.max(state.highest, height);
    const total = sum(shares);
    state.rounds.set(nonce, { height, nonce, login, scheme, shares, total, returned: 0n });
  }

  /** Each share of an orphan's round goes back once, however often the script comes. */
  #orphan(args: readonly string[], reply: number): void {
    if (args[9] !== "1" || reply === 2) return;
    const nonce = args[3]!.split(":")[2]!;
    const round = this.state.rounds.get(nonce);
    if (round === undefined) return fail(`shares of an unknown round ${nonce} were returned`);
    if (round.scheme !== "prop") fail(`shares of a ${round.scheme} round ${nonce} were returned`);
    for (const login of args.slice(10)) {
      const share = round.shares.get(login);
      if (share === undefined) continue;
      round.shares.delete(login);
      round.returned += share;
      add(this.state.round, login, share);
      this.state.roundShares += share;
    }
  }

  #credit(login: string, difficulty: bigint, scheme: string): void {
    const { state } = this;
    state.accepted += difficulty;
    if (scheme !== "solo") state.roundShares += difficulty;
    if (scheme === "prop") add(state.round, login, difficulty);
    if (scheme === "solo") add(state.solo, login, difficulty);
    if (scheme !== "pplns") return;
    let slice = state.window.at(-1);
    if (slice?.number !== state.open) {
      slice = { number: state.open, sums: new Map(), total: 0n };
      state.window.push(slice);
    }
    add(slice.sums, login, difficulty);
    slice.total += difficulty;
  }

  /** The oldest slices leave while the others are enough. */
  #drop(): void {
    const { window, open } = this.state;
    let total = window.reduce((all, slice) => all + slice.total, 0n);
    while (window.length > 0 && window[0]!.number < open) {
      total -= window[0]!.total;
      if (total < this.rules.width) return;
      window.shift();
    }
  }

  #close(): void {
    if (this.state.window.at(-1)!.total >= this.rules.leastSlice) this.state.open++;
  }
}

/** Adds to one login's sum. */
export function add(sums: Sums, login: string, amount: bigint): void {
  sums.set(login, (sums.get(login) ?? 0n) + amount);
}

/** The sum over all logins. */
export function sum(sums: ReadonlyMap<string, bigint>): bigint {
  let total = 0n;
  for (const amount of sums.values()) total += amount;
  return total;
}

function same(what: string, expected: string, found: string): void {
  if (expected !== found) fail(`${what}: the script says ${found}, the auditor ${expected}`);
}
