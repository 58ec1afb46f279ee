/** Who may ask `/api/v2` and how often: address behind proxies, rate limit, headers of every reply. */
import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { secureHeaders } from "hono/secure-headers";
import ipaddr from "ipaddr.js";
import type { Clock } from "../../base/mod.ts";
import { policyAddress, proxiesOf } from "../../policy/mod.ts";
import { refused } from "./refused.ts";

/** What the door needs to know. */
export interface GuardOptions {
  /** Requests a minute from one address; 0: no limit. */
  rateLimit: number;
  /** Origins whose pages may ask; "*" for all. */
  cors: readonly string[];
  /** CIDR ranges whose X-Forwarded-For is believed. */
  trustedProxies: readonly string[];
}

/** What the server says of a request beside the request itself. */
export interface Peer {
  /** The socket's address. */
  peer?: string;
}

/** Addresses remembered at most; the one that asked longest ago is forgotten first. */
const ADDRESSES_MAX = 50_000;

/** Finds the address that a request is from, as policy counts it: IPv4, or an IPv6 /64. */
export function addressReader(trustedProxies: readonly string[]) {
  const proxies = proxiesOf(trustedProxies);
  return (peer: string | undefined, forwardedFor: string | undefined): string => {
    if (peer === undefined) return "";
    // Only the last entry was written by our own proxy; all before it is a claim.
    const last = forwardedFor?.split(",").at(-1)?.trim() ?? "";
    const behind = proxies.has(peer) && ipaddr.isValid(last);
    return policyAddress(behind ? last : peer);
  };
}

/** A bucket of requests per address that fills again by the minute. */
export class RateLimit {
  #perMinute: number;
  readonly #clock: Clock;
  /** In order of use. */
  readonly #left = new Map<string, { requests: number; atMs: number }>();

  constructor(perMinute: number, clock: Clock) {
    this.#perMinute = perMinute;
    this.#clock = clock;
  }

  /** Allows so many from now on. */
  adjust(perMinute: number): void {
    this.#perMinute = perMinute;
  }

  /** Takes one request; gives the seconds to wait, 0 when it may pass. */
  take(address: string): number {
    if (this.#perMinute === 0) return 0;
    const nowMs = this.#clock.now();
    const known = this.#left.get(address) ?? { requests: this.#perMinute, atMs: nowMs };
    const filled = known.requests + (nowMs - known.atMs) * this.#perMinute / 60_000;
    const requests = Math.min(this.#perMinute, filled);
    this.#left.delete(address);
    this.#left.set(address, { requests: requests < 1 ? requests : requests - 1, atMs: nowMs });
    if (this.#left.size > ADDRESSES_MAX) this.#left.delete(this.#left.keys().next().value!);
    return requests < 1 ? Math.ceil((1 - requests) * 60 / this.#perMinute) : 0;
  }
}

/** The middlewares of every path below `/api/v2`, in their order. */
export function guards(options: GuardOptions, clock: Clock): MiddlewareHandler[] {
  const limit = new RateLimit(options.rateLimit, clock);
  const addressOf = addressReader(options.trustedProxies);
  const limited: MiddlewareHandler = async function limited(context, next) {
    const { peer } = (context.env ?? {}) as Peer;
    // It may have been changed.
    limit.adjust(options.rateLimit);
    const waitSeconds = limit.take(addressOf(peer, context.req.header("x-forwarded-for")));
    if (waitSeconds === 0) return await next();
    return refused(
      429,
      "too_many_requests",
      `more than ${options.rateLimit} requests a minute: again in ${waitSeconds} s`,
      { "Retry-After": String(waitSeconds) },
    );
  };
  const { cors: origins } = options;
  return [
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        // For the reference alone, whose style lies beside it.
        styleSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
      xFrameOptions: "DENY",
      referrerPolicy: "no-referrer",
      crossOriginResourcePolicy: origins.length > 0 ? "cross-origin" : "same-origin",
      // Whether it comes over TLS is the business of what stands in front.
      strictTransportSecurity: false,
    }),
    cors({
      origin: origins.includes("*") ? "*" : [...origins],
      allowMethods: ["GET", "HEAD", "POST", "OPTIONS"],
      allowHeaders: ["Content-Type", "If-None-Match"],
      exposeHeaders: ["ETag", "Retry-After", "X-Next-Cursor"],
      maxAge: 600,
    }),
    limited,
  ];
}
