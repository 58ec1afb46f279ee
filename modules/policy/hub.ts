/**
 * The main thread's part of policy: what one worker decides reaches the others and the firewall.
 *
 * A ban is known to every worker as soon as its message has passed the main thread, and to the
 * firewall by one command. Connections used up or earned are exchanged a few times a second.
 */
import type { Clock, Logger } from "../base/mod.ts";
import type { Ban } from "./bans.ts";
import { BANS_MAX } from "./bans.ts";
import { type CommandRunner, runCommand } from "./command.ts";
import { openFirewall } from "./firewall.ts";
import type { PolicyOptions } from "./policy.ts";

/** What workers tell each other by way of the main thread; plain data. */
export type PolicyMessage =
  /** @param mixed whether a firewall must not close the address */
  | { kind: "ban"; ban: Ban; mixed: boolean; byHand?: true }
  /** A ban was ended by hand. */
  | { kind: "unban"; address: string }
  /** A firewall must let an address in again. @param ended whether the ban is over too */
  | { kind: "lift"; address: string; ended: boolean }
  /** Changes of connection allowances since the last message, by address. */
  | { kind: "allowances"; changes: [string, number][] };

/** The hub of one process. */
export interface PolicyHub {
  /** Takes a worker's message. */
  hear(worker: number, message: PolicyMessage): void;
  /** The bans that last, for a worker that has just started. */
  welcome(worker: number): void;
  /** Has every worker ban an address, whatever ban lasts. */
  impose(ban: Ban, mixed: boolean): void;
  /** Has every worker end a ban; gives whether there was one. */
  unban(address: string): boolean;
  /** The bans that last now, the one that ends first in front. */
  list(): Ban[];
  /** Ends with the firewall commands in flight. */
  close(): Promise<void>;
}

/** Opens the hub; `run` is the system's commands unless given. */
export function openPolicyHub(
  { banning: { firewall: set }, workers: commands = 1 }: Pick<PolicyOptions, "banning" | "workers">,
  deps: {
    clock: Clock;
    log: Logger;
    workers: number;
    tell(worker: number, message: PolicyMessage): void;
    run?: CommandRunner;
  },
): PolicyHub {
  const { clock, run = runCommand } = deps;
  const firewall = set && openFirewall({ ...set, workers: commands }, { ...deps, run });
  const bans = new Map<string, Ban & { mixed: boolean; lifted: boolean }>();

  function others(worker: number, message: PolicyMessage): void {
    for (let i = 0; i < deps.workers; i++) if (i !== worker) deps.tell(i, message);
  }

  function ban(worker: number, message: Extract<PolicyMessage, { kind: "ban" }>): void {
    const { address } = message.ban;
    const known = bans.get(address);
    // Two workers may find at once; the first one's ban holds.
    if (known !== undefined && known.untilMs > clock.now()) return;
    bans.delete(address);
    if (bans.size >= BANS_MAX) forget();
    bans.set(address, { ...message.ban, mixed: message.mixed, lifted: false });
    if (!message.mixed) firewall?.ban(message.ban);
    others(worker, message);
  }

  function lift(address: string, ended: boolean): void {
    const known = bans.get(address);
    if (known === undefined || known.untilMs <= clock.now() || known.lifted) {
      if (ended) bans.delete(address);
      return;
    }
    firewall?.lift(address);
    known.lifted = true;
    if (ended) bans.delete(address);
  }

  /** What has ended goes, else what ends first. */
  function forget(): void {
    const nowMs = clock.now();
    for (const [address, { untilMs }] of bans) if (untilMs <= nowMs) bans.delete(address);
    for (const address of bans.keys()) {
      if (bans.size <= BANS_MAX * 7 / 8) return;
      bans.delete(address);
    }
  }

  function lasting() {
    const nowMs = clock.now();
    return [...bans.values()].filter(({ untilMs }) => untilMs > nowMs)
      .sort((a, b) => a.untilMs - b.untilMs);
  }

  return {
    hear(worker, message) {
      if (message.kind === "ban") ban(worker, message);
      else if (message.kind === "lift") lift(message.address, message.ended);
      else others(worker, message);
    },
    impose(wanted, mixed) {
      bans.delete(wanted.address);
      ban(-1, { kind: "ban", ban: wanted, mixed, byHand: true });
    },
    unban(address) {
      const known = bans.get(address);
      bans.delete(address);
      // The firewall may hold one from before a restart.
      firewall?.lift(address);
      others(-1, { kind: "unban", address });
      return known !== undefined && known.untilMs > clock.now();
    },
    list: () => lasting().map(({ mixed: _, lifted: __, ...ban }) => ban),
    welcome(worker) {
      for (const { mixed, lifted: _, ...ban } of lasting()) {
        deps.tell(worker, { kind: "ban", ban, mixed });
      }
    },
    close: async () => await firewall?.close(),
  };
}
