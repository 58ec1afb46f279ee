/** Who is banned, why and until when; a ban ends by the clock, whenever anything is swept. */
import type { Clock } from "../base/mod.ts";

/** One address that is out. */
export interface Ban {
  /** IPv4 address or IPv6 /64. */
  address: string;
  reason: string;
  /** Milliseconds since 1970. */
  sinceMs: number;
  /** First millisecond (since 1970) in which the address may come again. */
  untilMs: number;
}

/** Bans held at most; beyond, the oldest go. */
export const BANS_MAX = 100_000;

/** The bans, in the order in which they began. */
export class BanList {
  readonly #bans = new Map<string, Ban>();

  /** @param timeoutMs length of a ban that begins (milliseconds) */
  constructor(public timeoutMs: number, readonly clock: Clock, readonly max = BANS_MAX) {}

  /** Bans held, ended ones included until the next sweep. */
  get size(): number {
    return this.#bans.size;
  }

  /** The ban of an address that lasts now. */
  find(address: string): Ban | undefined {
    const ban = this.#bans.get(address);
    return ban !== undefined && ban.untilMs > this.clock.now() ? ban : undefined;
  }

  /** Begins a ban; one that lasts is neither prolonged nor shortened, and undefined comes back. */
  add(address: string, reason: string): Ban | undefined {
    if (this.find(address) !== undefined) return undefined;
    const sinceMs = this.clock.now();
    const ban = { address, reason, sinceMs, untilMs: sinceMs + this.timeoutMs };
    // An ended ban of the same address stood further to the front.
    this.#bans.delete(address);
    if (this.#bans.size >= this.max) this.#makeRoom();
    this.#bans.set(address, ban);
    return ban;
  }

  /** Takes a ban that another worker began; one that lasts stays. */
  adopt(ban: Ban): void {
    if (this.find(ban.address) !== undefined) return;
    this.#bans.delete(ban.address);
    if (this.#bans.size >= this.max) this.#makeRoom();
    this.#bans.set(ban.address, ban);
  }

  /** Ends a ban. Gives whether there was one. */
  remove(address: string): boolean {
    const lasts = this.find(address) !== undefined;
    this.#bans.delete(address);
    return lasts;
  }

  /** The bans that last now, the one that ends first in front. */
  list(): Ban[] {
    const nowMs = this.clock.now();
    return [...this.#bans.values()].filter(({ untilMs }) => untilMs > nowMs)
      .sort((a, b) => a.untilMs - b.untilMs);
  }

  /** Drops what has ended. */
  sweep(): void {
    const nowMs = this.clock.now();
    for (const [address, { untilMs }] of this.#bans) {
      if (untilMs <= nowMs) this.#bans.delete(address);
    }
  }

  /** Many at once: a map that loses its first key at each addition is slow. */
  #makeRoom(): void {
    this.sweep();
    const kept = this.max - Math.ceil(this.max / 8);
    for (const address of this.#bans.keys()) {
      if (this.#bans.size <= kept) break;
      this.#bans.delete(address);
    }
  }
}
