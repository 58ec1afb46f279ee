/**
 * Bans and connection limits per IP address, with open-ethereum-pool's settings.
 *
 * State is this process's own and bounded. Stale shares are no offence; neither is anything that
 * happens before a connection has said what it is.
 */
import type { Clock } from "../base/mod.ts";

/** Settings; names and meaning as in the configuration's `proxy.policy`. */
export interface PolicyOptions {
  banning: {
    enabled: boolean;
    /** Length of a ban (milliseconds). */
    timeoutMs: number;
    /** Percent of invalid among all shares since the last check that bans. */
    invalidPercent: number;
    /** Shares between two checks. */
    checkThreshold: number;
    /** Malformed requests that ban. */
    malformedLimit: number;
  };
  limits: {
    enabled: boolean;
    /** Connections allowed at first. */
    limit: number;
    /** Time after the start without the limit (milliseconds). */
    graceMs: number;
    /** Connections added for a valid share. */
    limitJump: number;
  };
  /** Entries idle for this long are forgotten (milliseconds). */
  resetIntervalMs: number;
}

/** Addresses remembered at most; the longest idle is forgotten first. */
export const POLICY_ADDRESSES_MAX = 100_000;
/** Connections that an address can earn by valid shares. */
const ALLOWANCE_MAX = 10_000;

interface Entry {
  lastSeenMs: number;
  malformed: number;
  valid: number;
  invalid: number;
  bannedUntilMs: number;
  /** Connections still allowed. */
  allowance: number;
}

/** Decides who may connect and who is out. */
export class Policy {
  readonly #entries = new Map<string, Entry>();
  readonly #startMs: number;
  #blacklist = new Set<string>();
  #whitelist = new Set<string>();

  constructor(readonly options: PolicyOptions, readonly clock: Clock) {
    this.#startMs = clock.now();
  }

  /** Takes new lists; on a failed read the caller keeps the old ones. */
  setLists(lists: { blacklist: Set<string>; whitelist: Set<string> }): void {
    this.#blacklist = lists.blacklist;
    this.#whitelist = lists.whitelist;
  }

  /** Whether a login (lower case) may not mine here. */
  isBlacklisted(login: string): boolean {
    return this.#blacklist.has(login);
  }

  /** Whether an address is banned now. */
  isBanned(ip: string): boolean {
    const entry = this.#entries.get(ip);
    return entry !== undefined && entry.bannedUntilMs > this.clock.now();
  }

  /** Whether a new connection of this address is accepted; counts it. */
  admit(ip: string): boolean {
    if (this.isBanned(ip)) return false;
    const { enabled, graceMs } = this.options.limits;
    if (!enabled || this.clock.now() - this.#startMs < graceMs || this.#whitelist.has(ip)) {
      return true;
    }
    const entry = this.#entry(ip);
    if (entry.allowance <= 0) return false;
    entry.allowance--;
    return true;
  }

  /** Counts a malformed request. Gives true when it bans. */
  onMalformed(ip: string): boolean {
    const entry = this.#entry(ip);
    entry.malformed++;
    return entry.malformed >= this.options.banning.malformedLimit && this.#ban(ip, entry);
  }

  /** Counts a share that was verified or failed verification. Gives true when it bans. */
  onShare(ip: string, valid: boolean): boolean {
    const entry = this.#entry(ip);
    if (valid) {
      entry.valid++;
      entry.allowance = Math.min(entry.allowance + this.options.limits.limitJump, ALLOWANCE_MAX);
    } else {
      entry.invalid++;
    }
    const total = entry.valid + entry.invalid;
    if (total < this.options.banning.checkThreshold) return false;
    const percent = 100 * entry.invalid / total;
    entry.valid = 0;
    entry.invalid = 0;
    return percent >= this.options.banning.invalidPercent && this.#ban(ip, entry);
  }

  /** Forgets what is idle; call it each `resetInterval`. */
  sweep(): void {
    const nowMs = this.clock.now();
    for (const [ip, entry] of this.#entries) {
      const idle = nowMs - entry.lastSeenMs >= this.options.resetIntervalMs;
      if (idle && entry.bannedUntilMs <= nowMs) this.#entries.delete(ip);
    }
  }

  #ban(ip: string, entry: Entry): boolean {
    if (!this.options.banning.enabled || this.#whitelist.has(ip)) return false;
    entry.bannedUntilMs = this.clock.now() + this.options.banning.timeoutMs;
    entry.malformed = 0;
    return true;
  }

  #entry(ip: string): Entry {
    let entry = this.#entries.get(ip);
    if (entry === undefined) {
      if (this.#entries.size >= POLICY_ADDRESSES_MAX) {
        this.#entries.delete(this.#entries.keys().next().value!);
      }
      entry = {
        ...{ lastSeenMs: 0, malformed: 0, valid: 0, invalid: 0, bannedUntilMs: 0 },
        allowance: this.options.limits.limit,
      };
    } else {
      this.#entries.delete(ip);
    }
    // Re-inserting keeps the map ordered by last use.
    this.#entries.set(ip, entry);
    entry.lastSeenMs = this.clock.now();
    return entry;
  }
}
