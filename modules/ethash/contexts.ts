/** The few contexts a verifier holds: this epoch's, the last one's and the next one's. */
import type { Logger } from "../base/mod.ts";
import { type Epoch, sameContext } from "./epochs.ts";
import { VerifierClosedError } from "./errors.ts";
import { type NativeLibrary, PREFER_DATASET } from "./library.ts";

/** An open context. */
export interface Context {
  readonly epoch: Epoch;
  readonly handle: number;
  /** Flags for its hashing calls: the dataset when there is one. */
  readonly flags: number;
}

interface Slot {
  epoch: Epoch;
  ready: Promise<Context>;
  context?: Context;
  /** Calls that were promised this context and are not done. */
  users: number;
  retired: boolean;
  /** Called when a user is done. */
  done: () => void;
}

/** Opens contexts once, keeps the wanted ones, closes the others when their last call is done. */
export class EpochContexts {
  #library: NativeLibrary;
  #log: Logger;
  #slots: Slot[] = [];
  #building = new Set<Promise<unknown>>();
  #closed = false;
  #onClosed: (handle: number) => void;

  /** @param onClosed called when a context has been closed */
  constructor(library: NativeLibrary, log: Logger, onClosed: (handle: number) => void = () => {}) {
    this.#library = library;
    this.#log = log;
    this.#onClosed = onClosed;
  }

  /** The context of an epoch, built off the event loop unless it is there already. */
  ensure(epoch: Epoch): Promise<Context> {
    if (this.#closed) return Promise.reject(new VerifierClosedError());
    return this.#slotOf(epoch).ready;
  }

  /** The contexts that are built, of the epochs given and in their order. */
  built(epochs: Epoch[]): Context[] {
    return epochs.flatMap((epoch) =>
      this.#slots.find((slot) => sameContext(slot.epoch, epoch))?.context ?? []
    );
  }

  /**
   * The context of an epoch if it is built, and the function that says when the caller is done
   * with it: what `use` does, without waiting and without promises.
   */
  take(epoch: Epoch): { context: Context; done: () => void } | undefined {
    const slot = this.#slots.find((slot) => sameContext(slot.epoch, epoch));
    if (this.#closed || slot?.context === undefined) return undefined;
    slot.users++;
    return { context: slot.context, done: slot.done };
  }

  /** Runs `work` with the context of an epoch, which stays open until the work is done. */
  async use<T>(epoch: Epoch, work: (context: Context) => Promise<T>): Promise<T> {
    if (this.#closed) throw new VerifierClosedError();
    const slot = this.#slotOf(epoch);
    slot.users++;
    try {
      return await work(slot.context ?? await slot.ready);
    } finally {
      slot.done();
    }
  }

  /** Whether the context of an epoch is built. */
  isReady(epoch: Epoch): boolean {
    return this.#slots.some((slot) => sameContext(slot.epoch, epoch) && slot.context);
  }

  /** Keeps only the contexts of these epochs; the others close after their last call. */
  retain(epochs: Epoch[]): void {
    for (const slot of this.#slots) {
      slot.retired = !epochs.some((epoch) => sameContext(epoch, slot.epoch));
      this.#closeIfDone(slot);
    }
  }

  /** Closes every context at once: searches end early, batches in flight end normally. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const slot of [...this.#slots]) this.#closeSlot(slot);
    await Promise.allSettled(this.#building);
  }

  #slotOf(epoch: Epoch): Slot {
    const known = this.#slots.find((slot) => sameContext(slot.epoch, epoch));
    if (known !== undefined) {
      known.retired = false;
      return known;
    }
    const done = () => {
      slot.users--;
      this.#closeIfDone(slot);
    };
    const ready = this.#build(epoch);
    const slot: Slot = { epoch, ready, users: 0, retired: false, done };
    this.#slots.push(slot);
    const settled = slot.ready.then(
      (context) => {
        slot.context = context;
        if (this.#closed) this.#closeSlot(slot);
        this.#closeIfDone(slot);
      },
      // Its callers get the error; the next call builds anew.
      () => this.#forget(slot),
    );
    this.#building.add(settled);
    settled.finally(() => this.#building.delete(settled));
    return slot;
  }

  async #build(epoch: Epoch): Promise<Context> {
    const startMs = performance.now();
    const handle = await this.#library.openContext(epoch);
    const tookMs = Math.round(performance.now() - startMs);
    this.#log.info("epoch.ready", {
      algorithm: epoch.algorithm,
      epoch: epoch.epoch,
      seedRounds: epoch.seedRounds,
      tookMs,
    });
    return { epoch, handle, flags: PREFER_DATASET };
  }

  #closeIfDone(slot: Slot): void {
    if (slot.retired && slot.users === 0 && slot.context) this.#closeSlot(slot);
  }

  #closeSlot(slot: Slot): void {
    if (slot.context === undefined || !this.#slots.includes(slot)) return;
    this.#forget(slot);
    this.#library.closeContext(slot.context.handle);
    this.#onClosed(slot.context.handle);
    this.#log.debug("epoch.closed", { epoch: slot.epoch.epoch });
  }

  #forget(slot: Slot): void {
    this.#slots = this.#slots.filter((other) => other !== slot);
  }
}
