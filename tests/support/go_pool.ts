/** A Go pool's recorded database on a chain that has its blocks: in its own layout, or its fork's. */
import { startDevChain } from "../../scripts/dev_chain/start.ts";
import { createNode } from "../../modules/chain/mod.ts";
import type { Store } from "../../modules/ledger/mod.ts";
import { type KillNode, PAYER, POOL, WALLET_WEI } from "./kill_node.ts";
import { recorded } from "./old_pool.ts";

/** A key of the recording; sorted sets are [member, score] pairs. */
export interface GoKey {
  type: "zset" | "hash" | "string" | "list" | "set";
  value: [string, number][] | Record<string, string> | string | string[];
}

/** Keys by name. */
export type GoDatabase = Record<string, GoKey>;

/** Coins of a block, as the Go pool believed. */
export const GO_REWARD = "5";

/** Mines every block of the recorded pool anew, siblings included, and gives its database for them. */
export async function mineRecorded(stack: AsyncDisposableStack, prefix: string) {
  const text = await recorded("redis.json");
  const database = JSON.parse(text) as GoDatabase;
  const blocks = recordedBlocks(database);
  const mixes = new Map(blocks.map(({ nonce, mix }) => [BigInt(nonce), mix]));
  const dev = stack.use(
    await startDevChain({
      ...{ coinbase: POOL, alloc: { [PAYER]: WALLET_WEI }, baseFee: true, reward: GO_REWARD },
      pow: {
        hash: (_height, _header, nonce) =>
          Promise.resolve({ mix: Uint8Array.fromHex(mixes.get(nonce)!.slice(2)), result: 1n }),
      },
    }),
  );
  const node = createNode({ name: "dev", url: dev.url, timeoutMs: 10_000 });
  const hashes = new Map<string, string>();
  let header = "", height = 0;
  for (const block of blocks) {
    // Two nonces for one header are siblings: the second becomes an uncle.
    if (block.height !== height) header = (await node.getWork())!.headerHash;
    height = block.height;
    if (!await node.submitWork(block.nonce, header, block.mix)) throw new Error("Block refused");
    if (block.hash !== undefined) hashes.set(block.hash, dev.chain.head.hash);
  }
  let moved = JSON.stringify(database).replaceAll('"eth:', `"${prefix}:`);
  for (const [old, now] of hashes) moved = moved.replaceAll(old, now);
  const chain: KillNode = {
    ...{ url: dev.url, chainId: 1337 },
    mine(count) {
      dev.chain.mine(count);
      return Promise.resolve();
    },
    find: () => Promise.reject(new Error("nobody mines here any more")),
    transactionCount: (tag) => node.getTransactionCount(PAYER, tag),
  };
  return { chain, database: JSON.parse(moved) as GoDatabase };
}

interface RecordedBlock {
  height: number;
  nonce: string;
  mix: string;
  /** Where the recording has one. */
  hash?: string;
}

/** Candidates know their mix digest, the others get any. */
function recordedBlocks(database: GoDatabase): RecordedBlock[] {
  const rows = (key: string) => database[key]!.value as [string, number][];
  const blocks: RecordedBlock[] = ["eth:blocks:matured", "eth:blocks:immature"].flatMap((key) =>
    rows(key).map(([member, height]) => {
      const [, , nonce, hash] = member.split(":");
      return { height, nonce: nonce!, hash: hash!, mix: "0x" + "5a".repeat(32) };
    })
  );
  for (const [member, height] of rows("eth:blocks:candidates")) {
    const [nonce, , mix] = member.split(":");
    blocks.push({ height, nonce: nonce!, mix: mix! });
  }
  return blocks.sort((a, b) => a.height - b.height);
}

/** The same database as open-etc-pool-friends writes it: longer rows, and keys of its own. */
export function asFriends(database: GoDatabase, prefix: string): GoDatabase {
  const finder = "0x" + "11".repeat(20);
  const longer: [RegExp, (fields: string[]) => string[]][] = [
    [/^blocks:candidates$/, (row) => [...row, finder, "rig1", "pplns", "50000", "50000"]],
    [
      /^blocks:(immature|matured)$/,
      (row) => [...row.slice(0, 7), finder, row[7]!, "rig1", "pplns", "50000", "50000"],
    ],
    [/^payments:(all|0x)/, (row) => [...row, "21000000000000"]],
    [/^hashrate/, (row) => [...row, "50000", "host"]],
  ];
  const friends: GoDatabase = {
    [`${prefix}:lastshares`]: { type: "list", value: [finder, finder] },
    [`${prefix}:settings:${finder}`]: {
      type: "hash",
      value: { payoutthreshold: "500000000", miningType: "pplns", rig1: "1" },
    },
    [`${prefix}:minerShare:${finder}:rig1`]: { type: "hash", value: { valid: "9", stale: "1" } },
    [`${prefix}:charts:pool`]: { type: "zset", value: [["1795375310:2026-11-22 19_21:5", 1795]] },
  };
  for (const [key, { type, value }] of Object.entries(database)) {
    const change = longer.find(([pattern]) => pattern.test(key.slice(prefix.length + 1)))?.[1];
    friends[key] = change === undefined ? { type, value } : {
      type,
      value: (value as [string, number][]).map(
        ([member, score]): [string, number] => [change(member.split(":")).join(":"), score],
      ),
    };
  }
  return friends;
}

/** Writes a database as it is. */
export async function writeDatabase(store: Store, database: GoDatabase): Promise<void> {
  for (const [key, { type, value }] of Object.entries(database)) {
    if (type === "zset") {
      const pairs = (value as [string, number][]).flatMap((
        [member, score],
      ) => [`${score}`, member]);
      await store.command("ZADD", key, ...pairs);
    } else if (type === "hash") {
      await store.command("HSET", key, ...Object.entries(value as Record<string, string>).flat());
    } else if (type === "list") await store.command("RPUSH", key, ...value as string[]);
    else if (type === "set") await store.command("SADD", key, ...value as string[]);
    else await store.command("SET", key, value as string);
  }
}
