/** Puts a payer together from its configuration: node, key, journal, ledger. */
import { type Clock, errorText, type Logger, PoolError } from "../base/mod.ts";
import { createNode, type Network } from "../chain/mod.ts";
import type { PayoutsConfig, SignerConfig } from "../config/mod.ts";
import {
  acquireLease,
  backgroundSave,
  createAccounts,
  createPayments,
  createSettings,
  type Keys,
  type Lease,
  LEASE_LIFE_MS,
  readPayoutsPause,
  releaseLease,
  renewLease,
  type Store,
} from "../ledger/mod.ts";
import { HaltError } from "./halt.ts";
import { openPaymentJournal, type PaymentJournal } from "./journal.ts";
import type { PayerLease } from "./loop.ts";
import { createRun, type Run } from "./run.ts";
import type { KeyReader } from "./key_sources.ts";
import { openSigner, type Signer } from "./signer.ts";

/** What a payer is opened with; plain data, fit for a message to a Deno worker. */
export interface PayerSetup {
  /** Prefix of the Redis keys (the configuration's `coin`). */
  prefix: string;
  /** The chain to pay on. */
  network: Pick<Network, "chainId">;
  payouts: PayoutsConfig;
  /** What must be safe in Redis before a broadcast. */
  redis: { waitReplicas?: number };
  /** Path of the journal of signed payments. */
  journal: string;
}

/** What a payer is made of besides its setup. */
export interface OpenDeps {
  store: Store;
  keys: Keys;
  clock: Clock;
  log: Logger;
  /** Reads key material; inside the payer's worker alone. */
  read: KeyReader;
  event(name: string, facts: Record<string, unknown>): void;
  fetch?: typeof fetch;
}

/** The run of a payer, and the journal to close after it. */
export interface OpenedRun extends Run {
  close(): void;
}

/**
 * Opens the key, the node and the journal.
 *
 * @throws {HaltError} when the key is not right or the node's chain not the one to pay on
 * @throws {PoolError} when the journal cannot be read or the node is away
 */
export async function openRun(setup: PayerSetup, deps: OpenDeps): Promise<OpenedRun> {
  const { payouts, network } = setup;
  if (payouts.signer === undefined) {
    throw new HaltError("payouts.signer is missing", "name the key of payouts.address there");
  }
  const signer = signerOf(payouts.signer, payouts, deps);
  const node = createNode(
    { name: "payouts.daemon", url: payouts.daemon, timeoutMs: payouts.timeoutMs },
    deps.fetch === undefined ? {} : { fetch: deps.fetch },
  );
  const chainId = await node.chainId();
  if (chainId !== network.chainId) {
    throw new HaltError(
      `The node of payouts.daemon is on chain ${chainId}, the pool on ${network.chainId}`,
      "correct payouts.daemon or network",
    );
  }
  const genesis = await node.getBlock(0);
  if (genesis === undefined) throw new PoolError("The node does not know block 0 of its chain");
  const scope = { coin: setup.prefix, chainId, genesis: genesis.hash };
  const journal: PaymentJournal = openPaymentJournal(setup.journal, scope);
  const run = createRun({
    node,
    signer,
    journal,
    chainId,
    payments: createPayments({ ...deps, waitReplicas: setup.redis.waitReplicas ?? 0 }),
    ledgerServer: () => deps.store.server,
    ledgerKeepsAll: (setup.redis.waitReplicas ?? 0) > 0,
    pause: () => readPayoutsPause(deps),
    accounts: createAccounts(deps),
    settings: createSettings(deps),
    clock: deps.clock,
    log: deps.log,
    options: payouts,
    event: deps.event,
    newId: () => crypto.randomUUID(),
  }, payouts.bgsave ? { afterRun: () => backgroundSave(deps.store) } : {});
  return { ...run, close: () => journal.close() };
}

function signerOf(config: SignerConfig, payouts: PayoutsConfig, deps: OpenDeps): Signer {
  try {
    return openSigner(config, payouts.address, { ...deps, timeoutMs: payouts.timeoutMs });
  } catch (error) {
    throw new HaltError(errorText(error), "correct payouts.signer, its files or payouts.address");
  }
}

/** The payer's lease in Redis, held by this instance. */
export function payerLease(deps: { store: Store; keys: Keys }, holder: string): PayerLease {
  let held: Lease | undefined;
  return {
    async hold() {
      if (held !== undefined && await renewLease(deps, held, LEASE_LIFE_MS)) return held;
      held = undefined;
      const lease = await acquireLease(deps, "payer", holder, LEASE_LIFE_MS);
      if ("token" in lease) held = lease;
      return lease;
    },
    async release() {
      if (held !== undefined) await releaseLease(deps, held);
      held = undefined;
    },
  };
}
