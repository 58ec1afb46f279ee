/** What must hold after the soak: shares, books and memory. */
import { systemClock, unixSeconds } from "../../modules/base/mod.ts";
import {
  audit,
  bucketsSince,
  isClean,
  listOf,
  readBooks,
  readBucket,
  type Store,
} from "../../modules/ledger/mod.ts";
import { type Counts, sum, type Told } from "./miners.ts";
import { keys, SPANS_SECONDS, type World } from "./world.ts";

/** Shares that the ledger has, and whether its books are clean. */
export interface Settled {
  /** By the rounds of the blocks that are no orphans, and the current one. */
  stored: bigint;
  /** By the statistics' spans. */
  storedByLogin: Counts;
  blocks: { matured: number; orphaned: number };
  paidShannon: bigint;
}

/** Memory of one process over time. */
export interface MemoryTrail {
  name: string;
  /** Resident bytes, in equal pauses. */
  samples: number[];
}

/** A resident set may grow by this factor, and this much, from a third of the time to the end. */
const GROWTH_MAX = 1.35;
const GROWTH_BYTES = 64 * 2 ** 20;
/** Fewer looks at a process say nothing of its memory. */
const SAMPLES_MIN = 10;
const SETTLE_MS = 120_000;

/** Makes blocks until nothing is under way. @throws when it does not end */
export async function settle(world: World, store: Store): Promise<void> {
  const count = async (key: string) => Number(await store.command("ZCARD", key));
  const untilMs = performance.now() + SETTLE_MS;
  let still = 0;
  while (still < 10) {
    if (performance.now() > untilMs) throw new Error("blocks or payments stay under way");
    world.chain.mine(1, { transactions: true, uncles: true });
    await new Promise((resolve) => setTimeout(resolve, 250));
    const open = await count(keys.candidates()) + await count(keys.immature()) +
      await count(keys.own.paymentsOpen());
    still = open === 0 ? still + 1 : 0;
  }
}

/** Reads the books, which must stand still. @throws with every finding that is not clean */
export async function checkBooks(store: Store): Promise<Settled> {
  const books = await readBooks({ store, keys });
  const report = audit(books);
  if (!isClean(report)) {
    const text = JSON.stringify(report.findings, (_, v) => typeof v === "bigint" ? `${v}` : v);
    throw new Error(`The books are not clean: ${text}`);
  }
  const matured = listOf(await store.command("ZRANGE", keys.matured(), "0", "-1"))
    .map((member) => member.split(":"));
  const counted = matured.filter((row) => row[1] === "0");
  const inBlocks = counted.reduce((all, row) => all + BigInt(row[6]!), 0n);
  return {
    stored: inBlocks + books.round.sharesSum,
    storedByLogin: await readShares(store),
    blocks: { matured: counted.length, orphaned: matured.length - counted.length },
    paidShannon: [...books.paidInAll.values()].reduce((all, one) => all + one, 0n),
  };
}

/** Shares of difficulty 1 that are stored of each login. */
async function readShares(store: Store): Promise<Counts> {
  const shares: Counts = new Map();
  for (const start of bucketsSince(unixSeconds(systemClock), SPANS_SECONDS)) {
    for (const { login, difficulty } of await readBucket({ store, keys }, start)) {
      shares.set(login, (shares.get(login) ?? 0n) + difficulty);
    }
  }
  return shares;
}

/**
 * Of no login anything is missing that was told true, nor is there more than was sent, and the
 * rounds have what the logins have together.
 *
 * @throws otherwise
 */
export function checkShares(
  told: Pick<Told, "accepted" | "unanswered">,
  { stored, storedByLogin }: Pick<Settled, "stored" | "storedByLogin">,
): void {
  for (const login of new Set([...told.accepted.keys(), ...storedByLogin.keys()])) {
    const accepted = told.accepted.get(login) ?? 0n, open = told.unanswered.get(login) ?? 0n;
    const has = storedByLogin.get(login) ?? 0n;
    if (has < accepted) {
      throw new Error(`${login}: ${accepted} shares were told true and ${has} are stored: lost`);
    }
    if (has > accepted + open) {
      throw new Error(
        `${login}: ${has} shares are stored, ${accepted} were told true and ${open} never: doubled`,
      );
    }
  }
  const inAll = sum(storedByLogin);
  if (inAll !== stored) {
    throw new Error(`${stored} shares are in rounds and ${inAll} were stored by login`);
  }
}

/** The processes that lived all the time hold what they held. @throws when one grew */
export function checkMemory(trails: readonly MemoryTrail[]): void {
  for (const { name, samples } of trails) {
    if (samples.length < SAMPLES_MIN) throw new Error(`${name}: its memory could not be read`);
    const early = samples[Math.floor(samples.length / 3)]!, late = samples.at(-1)!;
    if (late > early * GROWTH_MAX + GROWTH_BYTES) {
      throw new Error(`${name} grew from ${mib(early)} to ${mib(late)} MiB`);
    }
  }
}

/** Bytes as whole MiB. */
export function mib(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
