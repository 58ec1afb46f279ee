/** What the API answers: the server's own types, so that a renamed field fails here. */
import type { z } from "zod";
import type * as shape from "../../modules/api/v2/schemas.ts";

export type {
  Block,
  Connect,
  Credit,
  Miner,
  Payment,
  Pool,
  Status,
} from "../../modules/api/v2/schemas.ts";

export type PoolHistory = z.infer<typeof shape.poolHistory>;
export type MinerHistory = z.infer<typeof shape.minerHistory>;
export type Miners = z.infer<typeof shape.miners>;
export type Blocks = z.infer<typeof shape.blocks>;
export type Payments = z.infer<typeof shape.payments>;
export type Credits = z.infer<typeof shape.credits>;
export type MinerBlocks = z.infer<typeof shape.minerBlocks>;
export type MinerPayments = z.infer<typeof shape.minerPayments>;
export type StatusHistory = z.infer<typeof shape.statusHistory>;
export type Worker = shape.Miner["workers"][number];
export type Explorer = NonNullable<
  NonNullable<shape.Pool["network"]>["explorer"]
>;

/** `/miners/:address/settings`. */
export interface Settings {
  thresholdShannon: string;
  ownThreshold: boolean;
  feeCeilingWei: string | null;
  alerts: boolean;
  silentAfterSeconds: number | null;
  changedAtMs: number | null;
  changeableAtMs: number;
  bounds: { thresholdMin: string; thresholdMax: string };
  typedData: {
    domain: unknown;
    types: unknown;
    primaryType: string;
    message: Record<string, string>;
  };
}
