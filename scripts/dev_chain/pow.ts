/** Real Ethash for the development chain: the pool's own verifier, opened at the first solution. */
import type { Logger } from "../../modules/base/mod.ts";
import type { PowCheck } from "./chain.ts";

/** What the chain uses of the verifier. */
interface Verifier extends PowCheck {
  prepare(height: number): Promise<void>;
  close(): void | Promise<void>;
}

/** A check through the native verifier, and its end. */
export function openPow(log: Logger): PowCheck & { close(): Promise<void> } {
  let opening: Promise<Verifier> | undefined;
  async function open(): Promise<Verifier> {
    const path = new URL("../../modules/ethash/mod.ts", import.meta.url).href;
    const { openVerifier } = await import(path);
    return await openVerifier({ rule: { algorithm: "ethash" }, log });
  }
  return {
    async hash(height, headerHash, nonce) {
      opening ??= open();
      const verifier = await opening;
      await verifier.prepare(height);
      return await verifier.hash(height, headerHash, nonce);
    },
    async close() {
      await (await opening)?.close();
    },
  };
}
