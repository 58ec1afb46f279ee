/** Hashes shares under any rule and height, with one verifier per algorithm. */
import { bytesToHex, hexToBytes, silentLogger } from "../../modules/base/mod.ts";
import {
  type ContextInfo,
  type EpochRule,
  openVerifier,
  type Verifier,
} from "../../modules/ethash/mod.ts";

/** What decides a hash. */
export interface Attempt {
  rule: EpochRule;
  height: number;
  header: string;
  nonce: bigint;
}

/** The proof of work of an attempt. */
export interface Proof {
  mix: string;
  result: bigint;
}

/** Hashes attempts; close it in the end. */
export class Computer {
  readonly #verifiers = new Map<string, Verifier>();

  /** The full proof of work; builds the epoch's cache when it is not there. */
  async prove(attempt: Attempt): Promise<Proof> {
    return (await this.proveAll(attempt, [attempt.nonce]))[0]!;
  }

  /** The same for many nonces of one header. */
  async proveAll(attempt: Attempt, nonces: bigint[]): Promise<Proof[]> {
    const verifier = await this.#prepared(attempt);
    const header = hexToBytes(attempt.header);
    return await Promise.all(nonces.map(async (nonce) => {
      const { mix, result } = await verifier.hash(attempt.height, header, nonce);
      return { mix: bytesToHex(mix), result };
    }));
  }

  /** The lowest of `count` nonces from the attempt's on that reaches a target. */
  async search(attempt: Attempt, target: bigint, count: number): Promise<bigint | undefined> {
    const verifier = await this.#prepared(attempt);
    const { height, nonce } = attempt;
    const headerHash = hexToBytes(attempt.header);
    const { solution } = await verifier.search({
      height,
      headerHash,
      target,
      startNonce: nonce,
      count,
    });
    return solution?.nonce;
  }

  /** Sizes and seed of an attempt's epoch. */
  async facts(attempt: Attempt): Promise<ContextInfo & { seed: string }> {
    const verifier = await this.#prepared(attempt);
    const seed = bytesToHex(verifier.seedHash(attempt.height));
    return { ...await verifier.info(attempt.height), seed };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#verifiers.values()].map((verifier) => verifier.close()));
  }

  async #prepared({ rule, height }: Attempt): Promise<Verifier> {
    const key = JSON.stringify(rule);
    let verifier = this.#verifiers.get(key);
    if (verifier === undefined) {
      verifier = openVerifier({ rule, log: silentLogger });
      this.#verifiers.set(key, verifier);
    }
    await verifier.prepare(height);
    return verifier;
  }
}
