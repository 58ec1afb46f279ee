/**
 * Bans and connection limits per IP address, with open-ethereum-pool's settings.
 *
 * State is this process's own and bounded. Stale shares are no offence; neither is anything that
 * happens before a connection has said what it is. Who is white-listed is never refused.
 */
import type { Clock } from "../base/mod.ts";
import { plainAddress, policyAddress } from "./address.ts";
import { type Ban, BanList } from "./bans.ts";
import type { FirewallOptions } from "./firewall.ts";
import type { Proxies } from "./proxies.ts";
import { RecentMap } from "./recent.ts";
import type { SharedCounts } from "./shared_counts.ts";

/** Settings; names and meaning as in the configuration's `proxy.policy`. */
export interface PolicyOptions {
  /** Firewall commands in flight. */
  workers?: number;
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
    /** The firewall's set; undefined: bans happen inside the pool alone. */
    firewall?: FirewallOptions;
  };
  limits: {
    enabled: boolean;
    /** Connections allowed at first, and earned back evenly over `resetIntervalMs`. */
    limit: number;
    /** Time after the start without the limit (milliseconds). */
    graceMs: number;
    /** Connections added for a valid share. */
    limitJump: number;
    /** Connections held at once; 0 or undefined: no cap. Needs `release`. */
    perAddress?: number;
    /** Submissions a second of one session, for {@linkcode ShareRate}. */
    sharesPerSecond?: number;
  };
  /** Entries idle for this long are forgotten, malformed requests too (milliseconds). */
  resetIntervalMs: number;
  /** Whether other workers of the process take part, so that changes are kept for them. */
  shared?: boolean;
}

/** What is told of bans. */
export interface PolicyDeps {
  /**
   * A ban begins.
   *
   * @param mixed whether the /64 holds a white-listed address too, so that a firewall must not
   * close it
   */
  onBan?(ban: Ban, mixed: boolean): void;
  /** A firewall must let this address in again. @param ended whether the ban is over too */
  onLift?(address: string, ended: boolean): void;
  /** Our own proxies, which are never banned or limited. */
  proxies?: Proxies;
  /** What the other workers hold by address; missing: this one is the only one. */
  counts?: SharedCounts;
}

/** Why an address is banned by itself. */
export const BAN_REASONS = { malformed: "malformed requests", shares: "invalid shares" };
/** Addresses remembered at most; the longest idle are forgotten first. */
export const POLICY_ADDRESSES_MAX = 100_000;
/** Connections that an address can earn by valid shares. */
const ALLOWANCE_MAX = 10_000;
/** Addresses whose changes are kept for the other workers between two exchanges. */
const CHANGES_MAX = 10_000;

interface Entry {
  lastSeenMs: number;
  malformed: number;
  malformedMs: number;
  valid: number;
  invalid: number;
  /** Connections still allowed. */
  allowance: number;
  allowanceMs: number;
}

/** Decides who may connect and who is out. Addresses count as IPv4 or as IPv6 /64. */
export class Policy {
  readonly #entries = new RecentMap<Entry>(POLICY_ADDRESSES_MAX);
  /** Address → connections held; empty without a cap. */
  readonly #held = new Map<string, number>();
  readonly #bans: BanList;
  /** Address → connections earned less those used up, not yet told. */
  readonly #changes = new Map<string, number>();
  readonly #startMs: number;
  #blacklist = new Set<string>();
  #whitelist = new Set<string>();
  /** What the white-listed addresses count as. */
  #whiteKeys = new Set<string>();

  constructor(
    readonly options: PolicyOptions,
    readonly clock: Clock,
    readonly deps: PolicyDeps = {},
  ) {
    this.#startMs = clock.now();
    this.#bans = new BanList(options.banning.timeoutMs, clock);
  }

  /** Addresses remembered, banned ones not counted. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Takes new lists: logins of the black one, IP addresses and IPv6 /64s of the white one; on a
   * failed read the caller keeps the old ones. Bans of white-listed addresses end.
   */
  setLists(lists: { blacklist: Set<string>; whitelist: Set<string> }): void {
    this.#blacklist = new Set([...lists.blacklist].map((login) => login.toLowerCase()));
    this.#whitelist = new Set([...lists.whitelist].map(plainAddress));
    const before = this.#whiteKeys;
    this.#whiteKeys = new Set();
    for (const ip of this.#whitelist) {
      const key = policyAddress(ip);
      this.#whiteKeys.add(key);
      if (before.has(key) || this.#bans.find(key) === undefined) continue;
      // The others of a /64 stay out.
      if (key === ip) this.#bans.remove(key);
      this.deps.onLift?.(key, key === ip);
    }
  }

  /** Takes a ban that another worker began. */
  adopt(ban: Ban): void {
    this.#bans.adopt(ban);
    this.#entries.delete(ban.address);
  }

  /** Takes a ban by hand: it replaces one that lasts. White-listed addresses are not refused. */
  impose(ban: Ban): void {
    this.#bans.remove(ban.address);
    this.adopt(ban);
  }

  /** Whether a ban could hold for an address, and whether a firewall must not close it. */
  standing(ip: string): { white: boolean; mixed: boolean } {
    const key = policyAddress(ip);
    const mixed = this.#whiteKeys.has(key) || this.deps.proxies?.touches(key) === true;
    return { white: this.#isWhite(ip, key), mixed };
  }

  /**
   * Takes other settings; bans that last end when they would have. A cap on connections at once is
   * only ever moved: what is held is counted from the start or not at all.
   */
  adjust({ banning, limits }: Pick<PolicyOptions, "banning" | "limits">): void {
    const { firewall: _, ...bans } = banning;
    Object.assign(this.options.banning, bans);
    const { perAddress = 0 } = this.options.limits;
    const isCapped = perAddress > 0 && (limits.perAddress ?? 0) > 0;
    Object.assign(this.options.limits, limits, isCapped ? {} : { perAddress });
    this.#bans.timeoutMs = banning.timeoutMs;
  }

  /** Changes of the allowances since the last call, for the other workers. */
  takeChanges(): [string, number][] {
    const changes = [...this.#changes].filter(([, change]) => change !== 0);
    this.#changes.clear();
    return changes;
  }

  /** Takes changes of the allowances that other workers made. */
  applyChanges(changes: readonly [string, number][]): void {
    const { limit } = this.options.limits;
    for (const [key, change] of changes) {
      const entry = this.#entry(key);
      // One worker's excess is not the other's debt for long.
      entry.allowance = Math.max(-limit, Math.min(entry.allowance + change, ALLOWANCE_MAX));
    }
  }

  /** Whether a login (lower case) may not mine here. */
  isBlacklisted(login: string): boolean {
    return this.#blacklist.has(login);
  }

  /** Whether an address is banned now. */
  isBanned(ip: string): boolean {
    const key = policyAddress(ip);
    return this.#bans.find(key) !== undefined && !this.#isWhite(ip, key);
  }

  /** Whether a new connection of this address is accepted; counts it. */
  admit(ip: string): boolean {
    const key = policyAddress(ip);
    const { enabled, graceMs, perAddress = 0 } = this.options.limits;
    const isWhite = this.#isWhite(ip, key);
    if (!isWhite && this.#bans.find(key) !== undefined) return false;
    // Counted before it is compared: two workers at once may both refuse, never both accept.
    const held = perAddress > 0 ? this.#hold(key) : 0;
    const nowMs = this.clock.now();
    const isLimited = enabled && nowMs - this.#startMs >= graceMs;
    if (isWhite || held <= perAddress && (!isLimited || this.#spend(key, nowMs))) return true;
    if (perAddress > 0) this.release(ip);
    return false;
  }

  /** An admitted connection of this address is closed. */
  release(ip: string): void {
    const key = policyAddress(ip);
    const held = this.#held.get(key);
    if (held === undefined) return;
    this.deps.counts?.add(key, -1);
    if (held > 1) this.#held.set(key, held - 1);
    else this.#held.delete(key);
  }

  /** Counts a malformed request. Gives true when the address is banned, now or before. */
  onMalformed(ip: string): boolean {
    const key = policyAddress(ip);
    if (this.#isWhite(ip, key)) return false;
    if (this.#bans.find(key) !== undefined) return true;
    const entry = this.#entry(key);
    const nowMs = this.clock.now();
    if (nowMs - entry.malformedMs >= this.options.resetIntervalMs) entry.malformed = 0;
    entry.malformedMs = nowMs;
    entry.malformed++;
    if (entry.malformed < this.options.banning.malformedLimit) return false;
    return this.#ban(key, BAN_REASONS.malformed);
  }

  /**
   * Counts a share that was verified or failed verification. Gives true when the address is
   * banned, now or before.
   */
  onShare(ip: string, valid: boolean): boolean {
    const key = policyAddress(ip);
    if (this.#isWhite(ip, key)) return false;
    if (this.#bans.find(key) !== undefined) return true;
    const entry = this.#entry(key);
    if (valid) {
      entry.valid++;
      const { enabled, limitJump } = this.options.limits;
      entry.allowance = Math.min(entry.allowance + limitJump, ALLOWANCE_MAX);
      if (enabled) this.#note(key, limitJump);
    } else {
      entry.invalid++;
    }
    const { checkThreshold, invalidPercent } = this.options.banning;
    const total = entry.valid + entry.invalid;
    if (total < checkThreshold) return false;
    const percent = 100 * entry.invalid / total;
    entry.valid = 0;
    entry.invalid = 0;
    return percent >= invalidPercent && this.#ban(key, BAN_REASONS.shares);
  }

  /**
   * Bans an address for the configured time; a ban that lasts already stays as it is.
   *
   * Gives whether it is banned: a white-listed address never is, and without `banning.enabled` none.
   */
  ban(ip: string, reason: string): boolean {
    const key = policyAddress(ip);
    return !this.#isWhite(ip, key) && this.#ban(key, reason);
  }

  /** Ends a ban and forgets what led to it. Gives whether there was one. */
  unban(ip: string): boolean {
    const key = policyAddress(ip);
    this.#entries.delete(key);
    // The firewall may hold one from before a restart.
    this.deps.onLift?.(key, true);
    return this.#bans.remove(key);
  }

  /** The bans that last now, the one that ends first in front. */
  bans(): Ban[] {
    return this.#bans.list();
  }

  /** Forgets what is idle or has ended; call it each `resetInterval`. Bans end without it. */
  sweep(): void {
    const nowMs = this.clock.now();
    this.#bans.sweep();
    this.#entries.deleteWhere(({ lastSeenMs }) =>
      nowMs - lastSeenMs >= this.options.resetIntervalMs
    );
  }

  #isWhite(ip: string, key: string): boolean {
    if (this.deps.proxies?.has(ip)) return true;
    if (!this.#whiteKeys.has(key)) return false;
    return this.#whitelist.has(key) || this.#whitelist.has(plainAddress(ip));
  }

  #ban(key: string, reason: string): boolean {
    if (!this.options.banning.enabled) return false;
    const ban = this.#bans.add(key, reason);
    if (ban === undefined) return true;
    this.#entries.delete(key);
    this.deps.onBan?.(ban, this.standing(key).mixed);
    return true;
  }

  /** Takes one connection of the allowance, which fills up to `limit` by itself. */
  #spend(key: string, nowMs: number): boolean {
    const { limit } = this.options.limits;
    const entry = this.#entry(key);
    const earned = Math.max(0, nowMs - entry.allowanceMs) * limit / this.options.resetIntervalMs;
    entry.allowanceMs = nowMs;
    if (entry.allowance < limit) entry.allowance = Math.min(limit, entry.allowance + earned);
    if (entry.allowance < 1) return false;
    entry.allowance--;
    this.#note(key, -1);
    return true;
  }

  /** Counts a connection; gives how many all workers hold of the address now. */
  #hold(key: string): number {
    const own = (this.#held.get(key) ?? 0) + 1;
    this.#held.set(key, own);
    this.deps.counts?.add(key, 1);
    return own + (this.deps.counts?.others(key) ?? 0);
  }

  /** Keeps a change of an allowance for the other workers, when there are any. */
  #note(key: string, change: number): void {
    if (!this.options.shared) return;
    if (this.#changes.size >= CHANGES_MAX && !this.#changes.has(key)) return;
    this.#changes.set(key, (this.#changes.get(key) ?? 0) + change);
  }

  #entry(key: string): Entry {
    const nowMs = this.clock.now();
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = {
        ...{ lastSeenMs: nowMs, malformed: 0, malformedMs: nowMs, valid: 0, invalid: 0 },
        ...{ allowance: this.options.limits.limit, allowanceMs: nowMs },
      };
      this.#entries.set(key, entry);
    }
    entry.lastSeenMs = nowMs;
    return entry;
  }
}
