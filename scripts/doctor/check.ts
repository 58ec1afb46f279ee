/** One thing that the doctor looked at. */
import type { Verdict } from "../../modules/ledger/mod.ts";

/** A verdict and the part of the pool it is about. */
export interface Check extends Verdict {
  part: "redis" | "nodes" | "money" | "machine" | "pool";
}

/** Makes the checks of one part. */
export function checksOf(part: Check["part"]) {
  return {
    ok: (finding: string): Check => ({ part, state: "ok", finding, mend: "" }),
    note: (finding: string, mend: string): Check => ({ part, state: "note", finding, mend }),
    fail: (finding: string, mend: string): Check => ({ part, state: "fail", finding, mend }),
  };
}
