/** Reads a database as open-ethereum-pool does, strictly: every key, type, field count and integer. */
import { listOf, recordOf, type Store } from "../../modules/ledger/mod.ts";

/** What the members of a sorted set, or the values of a hash, are joined of. */
type Shape = readonly ("int" | "hex" | "login" | "text" | "bit")[];

/** Keys below the prefix: pattern, type, and shape of members or values by field. */
const FAMILIES: readonly [RegExp, string, Shape | ((field: string) => Shape | undefined)][] = [
  [/^nodes$/, "hash", (field) => NODE[field.slice(field.lastIndexOf(":") + 1)]],
  [/^pow$/, "zset", ["hex", "hex", "hex"]],
  [/^shares:round(Current|\d+:0x[0-9a-f]+)$/, "hash", login(["int"])],
  [/^stats$/, "hash", (field) => STATS[field]],
  [/^finders$/, "zset", ["login"]],
  [/^miners:0x[0-9a-f]{40}$/, "hash", (field) => MINER.includes(field) ? ["int"] : undefined],
  [/^hashrate$/, "zset", ["int", "login", "text", "int"]],
  [/^hashrate:0x[0-9a-f]{40}$/, "zset", ["int", "text", "int"]],
  [/^blocks:candidates$/, "zset", ["hex", "hex", "hex", "int", "int", "int"]],
  [
    /^blocks:(immature|matured)$/,
    "zset",
    ["int", "bit", "hex", "hex", "int", "int", "int", "int"],
  ],
  [/^credits:(immature:)?\d+:0x[0-9a-f]{64}$/, "hash", login(["int"])],
  [/^credits:all$/, "zset", ["hex", "int", "int"]],
  [/^finances$/, "hash", (field) => FINANCES[field]],
  [/^payments:lock$/, "string", ["login", "int"]],
  [/^payments:pending$/, "zset", ["login", "int"]],
  [/^payments:all$/, "zset", ["hex", "login", "int"]],
  [/^payments:0x[0-9a-f]{40}$/, "zset", ["hex", "int"]],
  [/^(blacklist|whitelist)$/, "set", ["text"]],
];

const NODE: Record<string, Shape> = {
  ...{ name: ["text"], height: ["int"], difficulty: ["int"], lastBeat: ["int"] },
};
const STATS: Record<string, Shape> = { roundShares: ["int"], lastBlockFound: ["int"] };
const MINER = ["lastShare", "blocksFound", "immature", "balance", "pending", "paid"];
const FINANCES: Record<string, Shape> = {
  ...{ immature: ["int"], balance: ["int"], pending: ["int"], paid: ["int"] },
  ...{ totalMined: ["int"], lastCreditHeight: ["int"], lastCreditHash: ["hex"] },
};

const PARTS: Record<Shape[number], RegExp> = {
  int: /^-?(0|[1-9]\d*)$/,
  hex: /^0x[0-9a-f]+$/,
  login: /^0x[0-9a-f]{40}$/,
  text: /^[^:]*$/,
  bit: /^[01]$/,
};

function login(shape: Shape): (field: string) => Shape | undefined {
  return (field) => PARTS.login.test(field) ? shape : undefined;
}

/**
 * Everything that the Go pool could not read, as sentences; quarry's own keys are passed over as its
 * SCAN patterns do.
 */
export async function unreadableForGo(store: Store, prefix: string): Promise<string[]> {
  const troubles: string[] = [];
  for (const name of listOf(await store.command("KEYS", `${prefix}:*`))) {
    const key = name.slice(prefix.length + 1);
    if (key.startsWith("quarry:")) continue;
    const family = FAMILIES.find(([pattern]) => pattern.test(key));
    const type = await store.command("TYPE", name);
    if (family === undefined) troubles.push(`${key} is no key of its`);
    else if (type !== family[1]) troubles.push(`${key} is a ${type}`);
    else {
      for (const [field, text] of await rowsOf(store, name, family[1])) {
        const shape = typeof family[2] === "function" ? family[2](field) : family[2];
        if (shape === undefined || !fits(text, shape)) troubles.push(`${key} has ${field} ${text}`);
      }
    }
  }
  return troubles;
}

async function rowsOf(store: Store, name: string, type: string): Promise<[string, string][]> {
  if (type === "hash") return Object.entries(recordOf(await store.command("HGETALL", name)));
  if (type === "string") return [["", String(await store.command("GET", name))]];
  if (type === "set") return listOf(await store.command("SMEMBERS", name)).map((one) => ["", one]);
  const pairs = listOf(await store.command("ZRANGE", name, "0", "-1", "WITHSCORES"));
  return pairs.flatMap((member, i): [string, string][] => {
    if (i % 2 === 1) return [];
    // Heights and times are read as integers.
    return [[`score ${pairs[i + 1]}`, PARTS.int.test(pairs[i + 1]!) ? member : "no:integer"]];
  });
}

/** Whether a joined text has exactly these parts, and its integers fit the Go pool's 64 bits. */
function fits(text: string, shape: Shape): boolean {
  const parts = text.split(":");
  return parts.length === shape.length && shape.every((kind, i) => PARTS[kind].test(parts[i]!));
}
