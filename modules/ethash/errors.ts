/** Operating errors of the verifier. */
import { PoolError } from "../base/mod.ts";
import { STATUS, statusName } from "./status.ts";

/** The native library is missing, of another version, or answered with an error code. */
export class VerifierError extends PoolError {
  override readonly name: string = "VerifierError";
}

/** Too many shares are waiting: the caller answers "busy" and does not buffer. */
export class VerifierBusyError extends VerifierError {
  override readonly name = "VerifierBusyError";

  constructor(queuedMax: number) {
    super("Cannot verify now: the verifier's queue is full", { facts: { queuedMax } });
  }
}

/** The verifier was closed before the call was done. */
export class VerifierClosedError extends VerifierError {
  override readonly name = "VerifierClosedError";

  constructor() {
    super("Cannot verify: the verifier is closed");
  }
}

const MENDS: Record<string, string> = {
  OUT_OF_MEMORY: "the light cache does not fit into memory, free some or lower verifier.dag",
  TOO_MANY_HANDLES: "too many contexts are open in this process, close unused verifiers",
  IO: "the dataset file cannot be read or written, check path, rights and disk space",
  INVALID_DATASET: "the dataset file is not that of this epoch, delete it and generate it again",
  TIER_UNAVAILABLE: "QUARRY_ETHASH_TIER asks for instructions that this processor lacks, unset it",
  NO_DATASET: "no dataset is attached to this epoch",
};

/** Turns a negative status into an error that names the action. */
export function statusError(action: string, code: number): VerifierError {
  if (code === STATUS.CLOSED) return new VerifierClosedError();
  const status = statusName(code);
  const mend = MENDS[status];
  return new VerifierError(`Cannot ${action}: ${mend ?? `native status is ${status}`}`, {
    facts: { status },
  });
}
