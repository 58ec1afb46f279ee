/**
 * The real Redis of a world as the auditor watches it: every script that ran is seen with its
 * reply, and what was written since a checkpoint can be lost, as after a crash or a failover.
 */
import type { Reply, Store } from "../../modules/ledger/mod.ts";
import { StoreError } from "../../modules/ledger/mod.ts";
import { fail } from "./failure.ts";
import type { ShareModel, ShareState } from "./share_model.ts";

/** The database that a checkpoint is kept in. */
const COPY_DATABASE = 1;
const CHECKPOINT = {
  name: "simulation_checkpoint",
  source: `redis.call("SELECT", ${COPY_DATABASE}) redis.call("FLUSHDB") redis.call("SELECT", 0)
for _, key in ipairs(redis.call("KEYS", "*")) do
  redis.call("COPY", key, key, "DB", ${COPY_DATABASE})
end
return 1`,
};

/** Redis with a memory of what it may forget. */
export interface Vault {
  /** What processes are given, behind their gates. */
  store: Store;
  /** From here on everything may be lost. */
  checkpoint(): Promise<void>;
  /** Whether there is a checkpoint to go back to. */
  readonly canLose: boolean;
  /** Loses everything since the checkpoint; connections are new. */
  lose(): Promise<void>;
  /** From here on nothing is lost any more. */
  keep(): void;
}

/**
 * Watches a store.
 *
 * @param durable whether WAITAOF answers that all is on disk, which is then never lost; otherwise it
 *   answers as a Redis without an append-only file
 * @param onFailure told of what the auditor did not expect of a script
 */
export function openVault(
  store: Store,
  model: ShareModel,
  durable: boolean,
  onFailure: (error: unknown) => void,
): Vault {
  let connection = 1;
  /** Lease → the token that may write. */
  let tokens = new Map<string, string>();
  let saved: { shares: ShareState; tokens: Map<string, string> } | undefined;

  async function checkpoint(): Promise<void> {
    await store.script(CHECKPOINT, [], []);
    saved = { shares: model.copy(), tokens: new Map(tokens) };
  }
  function watchLease(name: string, keys: string[], args: string[], reply: Reply): void {
    const [key = ""] = keys;
    if (name === "lease") {
      const [token] = reply as string[];
      if (args[0] === "acquire" && token !== "") tokens.set(key, token!);
    } else if (tokens.has(key) && args[0] !== tokens.get(key)) {
      fail(`${name} wrote under a lease that another process had taken`);
    }
  }
  async function command(...args: string[]): Promise<Reply> {
    // A loss means a new server or a new connection, which the payer looks at.
    if (args[0] === "CLIENT" && args[1] === "ID") return connection;
    if (args[0] === "WAITAOF") {
      if (!durable) {
        const cause = new Error("ERR WAITAOF cannot be used when appendonly is disabled");
        throw new StoreError("Redis refused WAITAOF", "refused", cause);
      }
      if (saved !== undefined) await checkpoint();
      return [1, 0];
    }
    return await store.command(...args);
  }
  return {
    store: {
      get ready() {
        return store.ready;
      },
      get connection() {
        return connection;
      },
      get server() {
        return `${store.server}:${connection}`;
      },
      command,
      multi: (commands) => store.multi(commands),
      async script(script, keys, args) {
        const reply = await store.script(script, keys, args);
        try {
          watchLease(script.name, keys, args, reply);
          model.ran(script.name, keys, args, reply);
        } catch (error) {
          // The process that called would take it for a failure of Redis.
          onFailure(error);
        }
        return reply;
      },
      close: () => Promise.resolve(),
    },
    checkpoint,
    get canLose() {
      return saved !== undefined;
    },
    async lose() {
      if (saved === undefined) return;
      await store.command("SWAPDB", "0", String(COPY_DATABASE));
      model.state = saved.shares;
      tokens = saved.tokens;
      saved = undefined;
      await store.command("SCRIPT", "FLUSH");
      connection++;
    },
    keep() {
      saved = undefined;
    },
  };
}
