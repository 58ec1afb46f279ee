/** The ledger's facts for one look, read at a bounded cost. */
import { type Clock, unixSeconds } from "../base/mod.ts";
import {
  type MinerSettings,
  readPaymentsSince,
  readPoolTables,
  readStatus,
  readWorkerRates,
  type ViewDeps,
} from "../ledger/mod.ts";
import type { AlertFacts, AlertState, WorkerFact } from "./watch.ts";

/** Matured blocks that are looked at: a block is news long before. */
const MATURED = 20;

/** Reads what is needed; of workers only those of miners who want to hear. @throws {StoreError} */
export async function readFacts(
  deps: ViewDeps & { clock: Clock },
  state: AlertState,
  settings: ReadonlyMap<string, MinerSettings>,
  options: { currency: string; silentAfterSeconds: number },
): Promise<AlertFacts> {
  const nowSeconds = unixSeconds(deps.clock);
  const tables = await readPoolTables(deps, { matured: MATURED, payments: 1 });
  const halted = new Map<string, { reason: string; mend: string }>();
  for (const [role, status] of Object.entries(await readStatus(deps))) {
    if (status.state === "halted") halted.set(role, status);
  }
  return {
    ...{ nowSeconds, currency: options.currency, halted },
    blocks: [...tables.candidates, ...tables.immature, ...tables.matured]
      .filter(({ foundAt }) => foundAt >= state.blocks.at)
      .map(({ height, nonce, foundAt }) => ({ height, nonce, foundAt })),
    payments: (await readPaymentsSince(deps, state.payments.at)).map((row) => ({
      ...{ login: row.login, amountShannon: row.amountShannon },
      ...{ transaction: row.txHash, at: row.atSeconds },
    })),
    workers: await workersOf(deps, settings, options.silentAfterSeconds),
  };
}

async function workersOf(
  deps: ViewDeps,
  settings: ReadonlyMap<string, MinerSettings>,
  standardSeconds: number,
): Promise<WorkerFact[]> {
  const facts: WorkerFact[] = [];
  for (const [login, { notify, silentAfterSeconds }] of settings) {
    if (notify === undefined) continue;
    for (const { worker, lastShareSeconds } of await readWorkerRates(deps, login)) {
      facts.push({
        ...{ login, worker, lastShareAt: lastShareSeconds },
        silentAfterSeconds: silentAfterSeconds ?? standardSeconds,
      });
    }
  }
  return facts;
}
