/** What must hold after the soak: shares, books and memory. */
import { audit, isClean, listOf, readBooks, type Store } from "../../modules/ledger/mod.ts";
import { sum, type Told } from "./miners.ts";
import { keys, type World } from "./world.ts";

/** Shares that the ledger has, and whether its books are clean. */
export interface Settled {
  stored: bigint;
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
    blocks: { matured: counted.length, orphaned: matured.length - counted.length },
    paidShannon: [...books.paidInAll.values()].reduce((all, one) => all + one, 0n),
  };
}

/** Nothing that was told true is missing, nothing is there that was not sent. @throws otherwise */
export function checkShares(told: Told, stored: bigint): void {
  const accepted = sum(told.accepted), unanswered = sum(told.unanswered);
  if (stored < accepted) {
    throw new Error(`${accepted} shares were told true and ${stored} are stored: lost`);
  }
  if (stored > accepted + unanswered) {
    throw new Error(
      `${stored} shares are stored, ${accepted} were told true and ${unanswered} never told: doubled`,
    );
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
