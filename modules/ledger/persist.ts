/** Waits until what was written before is safe: on the server's own disk, and on its replicas. */
import { errorText, PoolError } from "../base/mod.ts";
import { type Reply, type Store, StoreError } from "./redis.ts";

/** Longest wait for disk and for replicas each (milliseconds); below the store's own time-out. */
const WAIT_MS = 2_000;

/** Runs a write, then waits until it and all before it are safe. @throws {PoolError} */
export type PersistAfter = (write: () => Promise<void>, what: string) => Promise<void>;

/**
 * WAITAOF where the server has it (Redis 7.2 and later) and keeps an append-only file, WAIT for as
 * many replicas as are asked for. Both speak of what their own connection wrote, so that another
 * connection in between makes the answer worthless.
 */
export function createPersist(store: Store, waitReplicas: number): PersistAfter {
  let hasWaitAof = true;
  async function waitForDisk(what: string): Promise<void> {
    if (!hasWaitAof) return;
    let reply: Reply;
    try {
      reply = await store.command("WAITAOF", "1", "0", String(WAIT_MS));
    } catch (error) {
      const said = error instanceof StoreError && error.fate === "refused"
        ? errorText(error.cause)
        : "";
      if (/unknown command/i.test(said)) hasWaitAof = false;
      // Without an append-only file the operator has chosen what a crash may cost.
      else if (!/appendonly is disabled/i.test(said)) throw error;
      return;
    }
    if (Array.isArray(reply) && Number(reply[0]) >= 1) return;
    throw new PoolError(`Redis has ${what} not on its disk yet: it is not broadcast`);
  }
  async function waitForReplicas(what: string): Promise<void> {
    if (waitReplicas === 0) return;
    const have = Number(await store.command("WAIT", String(waitReplicas), String(WAIT_MS)));
    if (have >= waitReplicas) return;
    throw new PoolError(
      `${have} of ${waitReplicas} replicas (redis.waitReplicas) have ${what}: it is not broadcast ` +
        "until enough of them are there",
    );
  }
  return async (write, what) => {
    const [connection, number] = [await store.command("CLIENT", "ID"), store.connection];
    await write();
    await waitForDisk(what);
    await waitForReplicas(what);
    // Another server may give the same id.
    if (await store.command("CLIENT", "ID") !== connection || store.connection !== number) {
      throw new PoolError(`The connection to Redis changed while it kept ${what}: tried again`);
    }
  };
}

/** Makes a write count only when enough replicas have it. */
export type Replicated = <T>(write: () => Promise<T>) => Promise<T>;

/**
 * Waits for replicas after a write. When they do not have it in time its fate is unknown, although
 * the server has it: whoever asks again under the same id gets the same reply, and waits again.
 *
 * @param waitReplicas 0 waits for none
 */
export function createReplicated(store: Store, waitReplicas: number): Replicated {
  if (waitReplicas === 0) return (write) => write();
  return async (write) => {
    const { connection } = store;
    const result = await write();
    const have = Number(await store.command("WAIT", String(waitReplicas), String(WAIT_MS)));
    if (have >= waitReplicas && store.connection === connection) return result;
    throw new StoreError(
      `${have} of ${waitReplicas} replicas (redis.waitReplicas) have it`,
      "unknown",
    );
  };
}
