/** The pool's processes in a world: recorders, unlockers and payers, opened anew after each death. */
import type { Clock, Logger } from "../../modules/base/mod.ts";
import {
  acquireLease,
  type CandidateRecord,
  createAccounts,
  createPayments,
  createSettings,
  type Journal,
  type JournalEntry,
  type Keys,
  type Lease,
  openJournal,
  openRecorder,
  type Recorder,
  renewLease,
  type Role,
  type ShareRecord,
  type Store,
} from "../../modules/ledger/mod.ts";
import {
  createRun,
  openPaymentJournal,
  type PayerOptions,
  type PaymentJournal,
  type Run,
  type Signer,
} from "../../modules/payouts/mod.ts";
import { type UnlockDeps, unlockPass, type UnlockRules } from "../../modules/unlocker/unlock.ts";
import { Gate, type GateHooks } from "./gate.ts";
import type { SimulatedNode } from "./node.ts";

/** Life of a lease: longer than a world takes, since time-outs are the world's to decide. */
const LEASE_MS = 3_600_000;

/** What processes share. */
export interface Surroundings {
  store: Store;
  keys: Keys;
  /** The pool's time; it stands still while a process works. */
  now(): number;
  /** The auditor has found something: nobody waits any more. */
  ended(): boolean;
  log: Logger;
  hooks: GateHooks;
  /** Folder of the journals. */
  dir: string;
  pplnsWindowMilli: bigint;
}

/** A process's time: it waits as long as it is alive, which takes none. */
function clockOf(world: Surroundings, gate: Gate): Clock {
  return {
    now: () => world.now(),
    sleep(_ms, signal) {
      if (gate.dead || world.ended()) return Promise.reject(new Error("dead"));
      return signal?.aborted ? Promise.reject(signal.reason) : Promise.resolve();
    },
  };
}

/** One stratum worker's recorder; its journal outlives it. */
export class RecorderProcess {
  gate: Gate;
  #recorder: Recorder | undefined;
  #journal: Journal<JournalEntry> | undefined;
  #starts = 0;

  constructor(readonly world: Surroundings, readonly name: string) {
    this.gate = new Gate(name, world.hooks);
  }

  /** Starts it when it is not running, and replays its journal. */
  async start(): Promise<Recorder> {
    if (this.#recorder !== undefined && !this.gate.dead) return this.#recorder;
    await this.end();
    const { world } = this;
    this.gate = new Gate(this.name, world.hooks);
    this.#journal = await openJournal<JournalEntry>(`${world.dir}/${this.name}.journal`);
    this.#recorder = openRecorder({
      store: this.gate.wrap(world.store, "store"),
      keys: world.keys,
      clock: clockOf(world, this.gate),
      hashrateExpirationSeconds: 10_800,
      pplnsWindowMilli: world.pplnsWindowMilli,
      runId: `${this.name}-${++this.#starts}`,
      journal: this.gate.wrap(this.#journal, "file"),
      log: world.log,
    });
    await this.#recorder.replayed.catch(() => {});
    return this.#recorder;
  }

  /** Hands in shares at once; gives what each miner was told, "nothing" when the process died. */
  async record(shares: readonly ShareRecord[]): Promise<string[]> {
    const recorder = await this.start();
    const told = await Promise.allSettled(shares.map((share) => recorder.record(share)));
    if (this.gate.dead) await this.end();
    return told.map((one) => one.status === "fulfilled" ? one.value : "nothing");
  }

  /** Records a found block; "nothing" when the process died meanwhile. */
  async recordCandidate(candidate: CandidateRecord): Promise<string> {
    const recorder = await this.start();
    const fate = await recorder.recordCandidate(candidate).catch(() => "nothing");
    if (this.gate.dead) await this.end();
    return fate;
  }

  /** Ends it, dead or alive; what it did not finish is in its journal. */
  async end(): Promise<void> {
    if (!this.gate.dead) await this.#recorder?.close();
    this.gate.kill();
    this.#recorder = undefined;
    await this.#journal?.close();
    this.#journal = undefined;
  }
}

/** Takes or prolongs a role as the loops do; undefined while another process has it. */
async function holdLease(
  deps: { store: Store; keys: Keys },
  role: Role,
  holder: string,
  held: Lease | undefined,
): Promise<Lease | undefined> {
  if (held !== undefined && await renewLease(deps, held, LEASE_MS)) return held;
  const lease = await acquireLease(deps, role, holder, LEASE_MS);
  return "token" in lease ? lease : undefined;
}

/** An unlocker; it keeps nothing but its lease. */
export class UnlockerProcess {
  gate: Gate;
  #lease: Lease | undefined;

  constructor(
    readonly world: Surroundings,
    readonly name: string,
    readonly nodes: { node: SimulatedNode; confirmWith: SimulatedNode | undefined },
    readonly rules: UnlockRules,
    readonly chunk: number,
  ) {
    this.gate = new Gate(name, world.hooks);
  }

  /** One pass, if it is the unlocker; false when it is not. */
  async pass(): Promise<boolean> {
    if (this.gate.dead) {
      const { name, world } = this;
      this.gate = new Gate(name, world.hooks);
      this.#lease = undefined;
    }
    const { world, gate } = this;
    const store = gate.wrap(world.store, "store");
    const deps: UnlockDeps = {
      ...{ store, keys: world.keys, clock: clockOf(world, gate), log: world.log },
      ...{ node: gate.wrap(this.nodes.node.node, "node"), chunk: this.chunk },
      ...(this.nodes.confirmWith === undefined
        ? {}
        : { confirmWith: gate.wrap(this.nodes.confirmWith.node, "node") }),
    };
    this.#lease = await holdLease(deps, "unlocker", this.name, this.#lease);
    if (this.#lease === undefined) return false;
    await unlockPass(deps, this.rules, this.#lease);
    return true;
  }
}

/** What a payer is set up with. */
export interface PayerSettings {
  node: SimulatedNode;
  signer: Signer;
  options: PayerOptions;
  genesis: string;
  chainId: number;
  newId(): string;
}

/** A payer; its journal outlives it and is shared with its spare on the same machine. */
export class PayerProcess {
  gate: Gate;
  #lease: Lease | undefined;
  #open: { run: Run; journal: PaymentJournal } | undefined;

  constructor(
    readonly world: Surroundings,
    readonly name: string,
    readonly settings: PayerSettings,
  ) {
    this.gate = new Gate(name, world.hooks);
  }

  /** One step as the payer's loop takes it; false when another process is the payer. */
  async step(): Promise<boolean> {
    if (this.gate.dead) {
      this.end();
      this.gate = new Gate(this.name, this.world.hooks);
    }
    const { world, gate } = this;
    const deps = { store: gate.wrap(world.store, "store"), keys: world.keys };
    const before = this.#lease?.token;
    this.#lease = await holdLease(deps, "payer", this.name, this.#lease);
    // With a new token somebody else may have been the payer meanwhile, and written the journal.
    if (this.#lease?.token !== before) this.#close();
    if (this.#lease === undefined) return false;
    this.#open ??= this.#openRun();
    await this.#open.run.step(this.#lease);
    return true;
  }

  /** Ends it. */
  end(): void {
    this.gate.kill();
    this.#lease = undefined;
    this.#close();
  }

  /** Another process is the payer: what this one remembers is worth nothing. */
  forget(): void {
    this.#close();
  }

  #close(): void {
    this.#open?.journal.close();
    this.#open = undefined;
  }

  #openRun(): { run: Run; journal: PaymentJournal } {
    const { world, gate, settings } = this;
    const { keys } = world;
    const store = gate.wrap(world.store, "store");
    const journal = openPaymentJournal(`${world.dir}/payments.journal`, {
      ...{ coin: keys.prefix, chainId: settings.chainId, genesis: settings.genesis },
    });
    const run = createRun({
      node: gate.wrap(settings.node.node, "node"),
      payments: createPayments({ store, keys }),
      accounts: createAccounts({ store, keys }),
      settings: createSettings({ store, keys }),
      journal: gate.wrap(journal, "file"),
      signer: gate.wrap(settings.signer, "signer"),
      clock: clockOf(world, gate),
      log: world.log,
      ...{ options: settings.options, chainId: settings.chainId, newId: settings.newId },
      event: () => {},
    });
    return { run, journal };
  }
}
