/** Nonces already seen per job in this process: the cheap first half of the duplicate check. */

/** Jobs remembered; the oldest is dropped with its nonces. */
const SEEN_JOBS_MAX = 64;
/** Nonces remembered per job; beyond it the ledger alone decides. */
const SEEN_NONCES_MAX = 200_000;

/** Remembers header and nonce pairs, bounded. */
export class SeenNonces {
  readonly #jobs = new Map<string, Set<string>>();

  /** Whether a nonce was noted. */
  has(headerHash: string, nonce: string): boolean {
    return this.#jobs.get(headerHash)?.has(nonce) ?? false;
  }

  /** Notes a nonce. */
  add(headerHash: string, nonce: string): void {
    let nonces = this.#jobs.get(headerHash);
    if (nonces === undefined) {
      if (this.#jobs.size >= SEEN_JOBS_MAX) this.#jobs.delete(this.#jobs.keys().next().value!);
      nonces = new Set();
      this.#jobs.set(headerHash, nonces);
    }
    if (nonces.size < SEEN_NONCES_MAX) nonces.add(nonce);
  }

  /** Forgets a nonce that was not counted after all, so that it may come again. */
  forget(headerHash: string, nonce: string): void {
    this.#jobs.get(headerHash)?.delete(nonce);
  }
}
