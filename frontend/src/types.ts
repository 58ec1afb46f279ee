/**
 * What the API answers, as Hono's typed client of the server's routes has it: a renamed field or route
 * fails here. Types alone: `client.ts` asks by itself, because of the ETags.
 */
import type { ClientResponse, hc } from "hono/client";
import type { ApiV2 } from "../../modules/api/v2/app.ts";

type Client = ReturnType<typeof hc<ApiV2>>;
/** The body of an answer that is well. */
type Body<Ask extends (...args: never[]) => unknown> =
  Extract<Awaited<ReturnType<Ask>>, ClientResponse<unknown, 200>> extends
    ClientResponse<infer Answer> ? Answer : never;
type Of = Client["miners"][":address"];

export type Pool = Body<Client["pool"]["$get"]>;
export type PoolHistory = Body<Client["pool"]["history"]["$get"]>;
export type Miners = Body<Client["miners"]["$get"]>;
export type Miner = Body<Of["$get"]>;
export type MinerHistory = Body<Of["history"]["$get"]>;
export type MinerPayments = Body<Of["payments"]["$get"]>;
export type MinerBlocks = Body<Of["blocks"]["$get"]>;
export type Credits = Body<Of["credits"]["$get"]>;
export type Blocks = Body<Client["blocks"]["$get"]>;
export type Payments = Body<Client["payments"]["$get"]>;
export type Status = Body<Client["status"]["$get"]>;
export type StatusHistory = Body<Client["status"]["history"]["$get"]>;
export type Connect = Body<Client["connect"]["$get"]>;
export type Block = Blocks["items"][number];
export type Payment = Payments["items"][number];
export type Credit = Credits["items"][number];
export type Worker = Miner["workers"][number];
export type Explorer = NonNullable<
  NonNullable<Pool["network"]>["explorer"]
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
