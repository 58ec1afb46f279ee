/** One step of the payer at a time: recover, settle, carry on, pay the next, or plan a run. */
import { PoolError } from "../base/mod.ts";
import type { Lease, Payment, PayoutsPause } from "../ledger/mod.ts";
import { payBatch } from "./batch.ts";
import { finishReserved, pay } from "./pay.ts";
import type { Payer, PayerOptions } from "./payer.ts";
import type { PlannedPayment } from "./plan.ts";
import { planRun } from "./plan_run.ts";
import { recover } from "./recover.ts";
import { createSettler } from "./settle.ts";

/** Pause between two looks at open payments (milliseconds). */
const POLL_MS = 5_000;

/** What a step came to. */
export interface StepResult {
  /** Pause before the next step (milliseconds). */
  waitMs: number;
  /** What is being waited for; empty while there is something to do. */
  reason: string;
  /** What somebody has to do so that it goes on; missing: nothing. */
  mend?: string;
  /** Milliseconds since 1970 of the next run. */
  nextRunMs?: number;
}

/** The payer as a machine that is stepped. */
export interface Run {
  /**
   * Does one thing. After any error the next step recovers first.
   *
   * @throws {HaltError} for what needs a human, anything else for what passes by itself
   */
  step(lease: Lease): Promise<StepResult>;
  /** Has the next run begin at the next step. */
  runNow(): void;
  /** Takes other options for the runs to come; the one under way ends as it began. */
  adopt(options: PayerOptions): void;
}

/**
 * A machine that runs at once and then in its interval; the next payment goes out when fewer than
 * `payouts.inFlight` wait for a receipt, and final booking does not hold the queue up.
 */
export function createRun(payer: Payer, deps: { afterRun?: () => Promise<void> } = {}): Run {
  const settler = createSettler(payer);
  let recovered = false;
  /** The Redis that ledger, journal and chain were compared on. */
  let server: string | undefined;
  let queue: PlannedPayment[] = [];
  let underWay = false;
  let nextRunMs = payer.clock.now();
  let lastRunMs: number | undefined;
  /** Options that the next run begins with. */
  let next: PayerOptions | undefined;

  async function step(lease: Lease): Promise<StepResult> {
    const present = payer.ledgerServer?.();
    if (recovered && present !== server) {
      payer.log.warn("payouts.redis.changed", { note: "compared with the journal and the chain" });
      // Balances were planned with what the former server knew.
      queue = [];
      recovered = false;
    }
    if (!recovered) await recover(payer, lease);
    recovered = true;
    server = present;
    const open = await settler.settle(lease);
    const pause = await payer.pause?.();
    if (pause !== undefined) return paused(pause);
    const held = holding(open, payer.signer.byNode ? 1 : payer.options.inFlight);
    if (held !== undefined) {
      return { waitMs: POLL_MS, reason: `waiting for a receipt of ${held.signed!.hash}` };
    }
    const reserved = open.find((one) => one.signed === undefined);
    if (reserved !== undefined) {
      await finishReserved(payer, lease, reserved);
      return { waitMs: 0, reason: "" };
    }
    const size = batchSize(payer);
    if (size > 1 && queue.length > 1) {
      const outcome = await payBatch(payer, lease, queue.slice(0, size));
      const paid = queue.splice(0, size);
      if (outcome !== "sent") payer.log.info("batch.left", { payments: paid.length, outcome });
      return { waitMs: 0, reason: "" };
    }
    const first = queue[0];
    if (first !== undefined) {
      const outcome = await pay(payer, lease, first);
      queue.shift();
      if (outcome !== "sent") payer.log.info("payment.left", { login: first.login, outcome });
      return { waitMs: 0, reason: "" };
    }
    if (underWay) await endRun();
    if (payer.clock.now() >= nextRunMs) return await beginRun(lease, open);
    const waitMs = nextRunMs - payer.clock.now();
    return { waitMs: open.length > 0 ? Math.min(waitMs, POLL_MS) : waitMs, reason: "next run" };
  }

  /** What is signed was settled above; the rest of the run is planned anew after the pause. */
  function paused({ reason }: PayoutsPause): StepResult {
    queue = [];
    if (underWay) nextRunMs = payer.clock.now();
    underWay = false;
    return {
      waitMs: POLL_MS,
      // Miners read it too: who it was is in the audit log.
      reason: `paused by the operator${reason === "" ? "" : `: ${reason}`}`,
      mend: "quarry admin CONFIG payouts resume",
    };
  }

  async function beginRun(lease: Lease, open: readonly Payment[]): Promise<StepResult> {
    await recover(payer, lease);
    payer.options = next ?? payer.options;
    next = undefined;
    await checkNode(payer);
    const { plan } = await planRun(payer, open);
    if (plan.shortWei > 0n) {
      payer.log.warn("payouts.wallet.short", {
        shortWei: plan.shortWei,
        address: payer.signer.address,
        unpaid: plan.skipped.filter(({ reason }) => reason === "wallet").length,
      });
    }
    payer.log.info("payouts.run", { payments: plan.payments.length, skipped: plan.skipped });
    queue = plan.payments;
    underWay = queue.length > 0;
    lastRunMs = payer.clock.now();
    nextRunMs = lastRunMs + payer.options.intervalMs;
    return { waitMs: 0, reason: "" };
  }

  async function endRun(): Promise<void> {
    underWay = false;
    payer.log.info("payouts.run.done", {});
    await deps.afterRun?.();
  }

  return {
    async step(lease) {
      try {
        return { ...await step(lease), nextRunMs };
      } catch (error) {
        recovered = false;
        throw error;
      }
    },
    runNow() {
      nextRunMs = payer.clock.now();
    },
    adopt(options) {
      next = options;
      // A shorter interval counts from the run before.
      if (lastRunMs !== undefined) nextRunMs = lastRunMs + options.intervalMs;
    },
  };
}

/** The payment that no further one may follow yet: one that no node took, or the oldest of many. */
function holding(open: readonly Payment[], inFlight: number): Payment | undefined {
  const unmined = open.filter((one) => one.signed !== undefined && one.mined === undefined)
    .toSorted((a, b) => a.signed!.nonce - b.signed!.nonce);
  const transactions = new Set(unmined.map(({ signed }) => signed!.nonce));
  return unmined.find(({ state }) => state === "signed") ??
    (transactions.size >= inFlight ? unmined[0] : undefined);
}

/** Payments that may go out in one transaction. */
function batchSize({ options, signer }: Payer): number {
  return options.batch === undefined || signer.byNode ? 1 : options.batch.size;
}

/** Refuses a node that does not see the whole chain. @throws {PoolError} */
export async function checkNode(
  payer: Pick<Payer, "node" | "options" | "chainId">,
): Promise<void> {
  const { node, options } = payer;
  const chainId = await node.chainId();
  if (chainId !== payer.chainId) {
    throw mendable(
      `Node ${node.name} is on chain ${chainId}, not ${payer.chainId}`,
      "correct payouts.daemon or network",
    );
  }
  if (await node.syncing()) {
    throw mendable(
      `Node ${node.name} is still syncing`,
      "wait until it is synced, or name another in payouts.daemon",
    );
  }
  const peers = await node.peerCount();
  if (peers < options.requirePeers) {
    throw mendable(
      `Node ${node.name} has ${peers} peers, payouts.requirePeers is ${options.requirePeers}`,
      "open the node's port 30303 in the firewall, or lower payouts.requirePeers",
    );
  }
}

function mendable(reason: string, mend: string): PoolError {
  return new PoolError(reason, { facts: { mend } });
}
