/** Real Ethash for the development chain: the pool's own verifier, opened at the first solution. */
import type { Logger } from "../../modules/base/mod.ts";
import { openVerifier } from "../../modules/ethash/mod.ts";
import type { PowCheck } from "./chain.ts";

/** A check through the native verifier, and its end. */
export function openPow(log: Logger): PowCheck & { close(): Promise<void> } {
  let verifier: ReturnType<typeof openVerifier> | undefined;
  return {
    async hash(height, headerHash, nonce) {
      verifier ??= openVerifier({ rule: { algorithm: "ethash" }, log });
      await verifier.prepare(height);
      return await verifier.hash(height, headerHash, nonce);
    },
    async close() {
      await verifier?.close();
    },
  };
}
