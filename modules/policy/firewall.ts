/**
 * Tells a firewall's set of bans: ipset or nftables, by their own commands.
 *
 * Nothing waits for it: a ban holds inside the pool whatever happens here. Commands in flight and
 * waiting are bounded; of one address only the newest wish is carried out, one command at a time.
 */
import ipaddr from "ipaddr.js";
import { type Clock, errorText, type Logger } from "../base/mod.ts";
import type { Ban } from "./bans.ts";
import type { CommandRunner } from "./command.ts";

/** The set that receives banned addresses. */
export type FirewallOptions =
  | { kind: "ipset"; set: string }
  | { kind: "nftables"; family: "ip" | "ip6" | "inet"; table: string; set: string };

/** A firewall's set. */
export interface Firewall {
  /** Puts an address into the set, for as long as its ban still lasts. */
  ban(ban: Ban): void;
  /** Takes an address out of the set. */
  lift(address: string): void;
  /** Ends with what is in flight; what waits is dropped. */
  close(): Promise<void>;
}

/** Addresses that wait for their command at most. */
export const WAITING_MAX = 1_000;
/** A command may take this long (milliseconds). */
const COMMAND_TIMEOUT_MS = 5_000;
/** Failures are logged this often at most (milliseconds). */
const FAILURES_LOGGED_MS = 60_000;
/** Ranges that no firewall is told of: the pool's own connections come from there. */
const OWN = ["loopback", "unspecified"];
/** The longest timeout that ipset takes (seconds); a longer ban goes on inside the pool. */
const TIMEOUT_MAX_SECONDS = 2_147_483;

/**
 * Opens a firewall's set; nothing is run before the first ban.
 *
 * @param workers commands in flight at most
 */
export function openFirewall(
  options: FirewallOptions & { workers: number },
  deps: { run: CommandRunner; clock: Clock; log: Logger },
): Firewall {
  const { run, clock, log } = deps;
  /** Address → end of its ban (milliseconds since 1970), undefined to take it out. */
  const waiting = new Map<string, number | undefined>();
  const inFlight = new Map<string, Promise<void>>();
  let closed = false;
  let failures = 0;
  let loggedMs = -Infinity;

  function want(address: string, untilMs: number | undefined): void {
    if (closed) return;
    if (waiting.size >= WAITING_MAX && !waiting.has(address)) {
      return failed(`${waiting.size} addresses are waiting already`);
    }
    waiting.set(address, untilMs);
    startNext();
  }

  function startNext(): void {
    for (const [address, untilMs] of waiting) {
      if (inFlight.size >= options.workers) return;
      if (inFlight.has(address)) continue;
      waiting.delete(address);
      inFlight.set(
        address,
        carryOut(address, untilMs).finally(() => {
          inFlight.delete(address);
          if (!closed) startNext();
        }),
      );
    }
  }

  async function carryOut(address: string, untilMs: number | undefined): Promise<void> {
    const seconds = untilMs === undefined ? undefined : Math.ceil((untilMs - clock.now()) / 1000);
    if (seconds !== undefined && seconds <= 0) return;
    const command = firewallCommand(options, address, seconds);
    if (command === undefined) return;
    try {
      await run(command.program, command.args, COMMAND_TIMEOUT_MS);
    } catch (error) {
      failed(errorText(error));
    }
  }

  function failed(error: string): void {
    failures++;
    const nowMs = clock.now();
    if (nowMs - loggedMs < FAILURES_LOGGED_MS) return;
    log.warn("firewall.failed", { error, failures, state: "banned inside the pool alone" });
    failures = 0;
    loggedMs = nowMs;
  }

  return {
    ban: ({ address, untilMs }) => want(address, untilMs),
    lift: (address) => want(address, undefined),
    async close() {
      closed = true;
      waiting.clear();
      await Promise.all(inFlight.values());
    },
  };
}

/**
 * The command that puts an address into the set for so many seconds, or takes it out.
 *
 * Gives undefined for what is no address, for the machine's own, and for a family that the set
 * cannot hold. The address is written anew from its numbers: nothing of the text that came in reaches the command.
 */
export function firewallCommand(
  options: FirewallOptions,
  address: string,
  seconds: number | undefined,
): { program: string; args: string[] } | undefined {
  const element = elementOf(address);
  if (element === undefined) return undefined;
  const timeout = seconds === undefined ? undefined : Math.min(seconds, TIMEOUT_MAX_SECONDS);
  if (options.kind === "ipset") {
    const set = element.ipv6 ? `${options.set}6` : options.set;
    const tail = timeout === undefined ? [] : ["timeout", String(timeout)];
    const verb = timeout === undefined ? "del" : "add";
    return { program: "ipset", args: ["-exist", verb, set, element.text, ...tail] };
  }
  const { family, table } = options;
  if (family !== "inet" && (family === "ip6") !== element.ipv6) return undefined;
  const set = family === "inet" && element.ipv6 ? `${options.set}6` : options.set;
  const where = `element ${family} ${table} ${set}`;
  // One transaction: an element is added before it is deleted, as only what is there may be
  // deleted, and deleted before it is added, as an older timeout would stay.
  const commands = [`add ${where} { ${element.text} }`, `delete ${where} { ${element.text} }`];
  if (timeout !== undefined) commands.push(`add ${where} { ${element.text} timeout ${timeout}s }`);
  return { program: "nft", args: [commands.join("; ")] };
}

function elementOf(address: string): { text: string; ipv6: boolean } | undefined {
  const bare = address.replace(/\/64$/, "");
  const ipv6 = bare !== address;
  const valid = ipv6
    ? ipaddr.IPv6.isValid(bare) && !bare.includes("%")
    : ipaddr.IPv4.isValidFourPartDecimal(bare);
  if (!valid) return undefined;
  const parsed = ipaddr.parse(bare);
  if (OWN.includes(parsed.range())) return undefined;
  return { text: ipv6 ? `${parsed}/64` : parsed.toString(), ipv6 };
}
