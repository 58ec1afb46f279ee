/** What happens in a world: mining, passes, payments, and everything that goes wrong. */
import type { CandidateRecord, Role, ShareRecord } from "../../modules/ledger/mod.ts";
import { checkNow } from "./auditor.ts";
import { fail } from "./failure.ts";
import type { Gate, Trouble } from "./gate.ts";
import type { PayerProcess, RecorderProcess, UnlockerProcess } from "./processes.ts";
import { DIFFICULTY, judge, type World } from "./world.ts";

type Event = (world: World) => Promise<void> | void;

const HOUR_MS = 3_600_000;
/** Blocks after which the inclusion of an uncle is final. */
const UNCLE_BLOCKS = 8;
const TROUBLES: readonly Trouble[] = [
  ...["die before", "die after", "lost", "unsent", "away", "stall"] as const,
];
/** Calls that change something within one pass or step, about. */
const EFFECTS = 8;
/** Calls that a share, a pass and a step make, about. */
const CALLS = { record: 3, pass: 40, step: 45 };

/** Events and how often they come. */
const EVENTS: readonly [weight: number, name: string, event: Event][] = [
  [20, "shares", shares],
  [9, "block", findBlock],
  [22, "pass", pass],
  [26, "step", step],
  [10, "mine", (world) => void world.chain.mine(world.random.between(1, 3))],
  [3, "reorganize", reorganize],
  [2, "come back", comeBack],
  [2, "hold", (world) => world.chain.mempool.hold(world.random.chance(0.5))],
  [2, "drop", dropTransaction],
  [
    2,
    "fees",
    (world) => void (world.nodes[2]!.face.tipWei = BigInt(world.random.between(1, 30)) * 10n ** 9n),
  ],
  [1, "refuse money", refuseMoney],
  [2, "freeze", freeze],
  [2, "lack", lackBlocks],
  [
    1,
    "syncing",
    (world) => void (world.random.pick(world.nodes).face.syncing = world.random.chance(0.4)),
  ],
  [
    2,
    "trouble",
    (world) => void (world.random.pick(world.nodes).trouble = world.random.pick([0, 0, 0.02, 0.3])),
  ],
  [1, "clock", (world) => void (world.offsetMs = world.random.between(-120, 120) * 60_000)],
  [2, "restart", restart],
  [2, "take over", (world) => expireLease(world, world.random.pick(["unlocker", "payer"]))],
  [1, "lose", lose],
];
const WEIGHT = EVENTS.reduce((all, [weight]) => all + weight, 0);
const last = new WeakMap<World, ShareRecord[]>();
const found = new WeakMap<World, CandidateRecord[]>();
const branches = new WeakMap<World, string[]>();
const nonces = new WeakMap<World, number>();

/** Lets one thing happen, whatever it is. */
export async function happen(world: World, without: readonly string[] = []): Promise<void> {
  let left = world.random.below(WEIGHT);
  for (const [weight, name, event] of EVENTS) {
    left -= weight;
    if (left >= 0) continue;
    if (without.includes(name)) return;
    world.trace(`${name}`);
    world.counts[name] = (world.counts[name] ?? 0) + 1;
    await event(world);
    if (world.failure !== undefined) throw world.failure;
    return;
  }
}

/** An hour of a day: blocks and time pass, some things happen, the books are looked at. */
export async function passHour(world: World): Promise<void> {
  const { random, chain } = world;
  world.nowMs += HOUR_MS;
  chain.mine(random.between(0, 3));
  for (let n = random.between(1, 4); n > 0; n--) await happen(world);
  await checkNow(world.auditor);
}

async function shares(world: World): Promise<void> {
  const { random, chain, miners } = world;
  const before = last.get(world) ?? [];
  const { template, sealHash } = chain.pending();
  const fresh = Array.from({ length: random.between(1, 12) }, (): ShareRecord => {
    const { login, scheme } = random.pick(miners);
    const height = template.header.number - (random.chance(0.05) ? random.between(6, 9) : 0);
    return {
      ...{ login, scheme, worker: `rig${random.below(3)}`, height, headerHash: sealHash },
      ...nextNonce(world),
      difficulty: BigInt(random.between(50, 3_000)),
      blockDifficulty: DIFFICULTY,
    };
  });
  const again = before.filter(() => random.chance(0.1));
  const recorder = random.pick(world.recorders);
  upset(world, recorder.gate, CALLS.record);
  const { losses } = world;
  const told = await recorder.record([...fresh, ...again]);
  // What Redis lost in between was told the truth about when it was told.
  if (world.losses === losses) checkTold(world, fresh, told);
  last.set(world, fresh);
}

/** A share is credited and its miner told so, or it is neither. */
function checkTold(world: World, shares: readonly ShareRecord[], told: readonly string[]): void {
  for (const [i, { nonce, headerHash, mix }] of shares.entries()) {
    const has = world.model.state.seen.has(`${nonce}:${headerHash}:${mix}`);
    if (told[i] === "nothing" || has === (told[i] === "credited")) continue;
    fail(`the miner of share ${nonce} was told ${told[i]}, the ledger ${has ? "has" : "lacks"} it`);
  }
}

async function findBlock(world: World): Promise<void> {
  const { random, chain, miners } = world;
  const blocks = found.get(world) ?? [];
  found.set(world, blocks);
  const { template, sealHash } = chain.pending();
  const { login, scheme } = random.pick(miners);
  const known = blocks.find(({ height, headerHash }) =>
    height === template.header.number && headerHash !== sealHash
  );
  // Rarely the same nonce is found at the same height once more: its round's key is taken.
  const again = known !== undefined && random.chance(0.5);
  const candidate: CandidateRecord = {
    ...{ login, scheme, worker: "rig0", height: template.header.number, headerHash: sealHash },
    ...(again ? { nonce: known.nonce, mix: known.mix } : nextNonce(world)),
    ...{ difficulty: BigInt(random.between(50, 3_000)), blockDifficulty: DIFFICULTY },
  };
  blocks.push(candidate);
  const { nonce, mix } = candidate;
  const submit = async () => {
    if (again || random.chance(0.1)) return;
    chain.nextIsUncle = random.chance(0.2);
    await chain.submit(nonce as `0x${string}`, sealHash, mix as `0x${string}`);
    chain.nextIsUncle = false;
  };
  const submitFirst = random.chance(0.5);
  if (submitFirst) await submit();
  const recorder = random.pick(world.recorders);
  await recordFound(world, recorder, candidate);
  if (random.chance(0.1)) {
    await recordFound(world, random.pick(world.recorders), random.pick(blocks));
  }
  if (!submitFirst) await submit();
  // A template of before a change may be found as well: the mempool's version makes a new header.
  if (random.chance(0.2)) chain.mempool.drop("none");
}

async function recordFound(
  world: World,
  recorder: RecorderProcess,
  candidate: CandidateRecord,
): Promise<void> {
  upset(world, recorder.gate, CALLS.record);
  const { losses } = world;
  const fate = await recorder.recordCandidate(candidate);
  world.trace(`    ${candidate.height}:${candidate.nonce} ${candidate.scheme} is ${fate}`);
  if (fate !== "recorded" || world.losses !== losses) return;
  if (!world.model.state.rounds.has(candidate.nonce)) fail(`${candidate.nonce} has no round`);
}

/** One pass of whoever is the unlocker. */
export async function pass(world: World): Promise<void> {
  const [first, spare] = world.unlockers;
  for (const unlocker of [first!, spare!]) {
    upset(world, unlocker.gate, CALLS.pass);
    if (await run(world, unlocker, () => unlocker.pass())) return;
    unlocker.gate.calm();
  }
}

async function step(world: World): Promise<void> {
  const { random } = world;
  for (let n = random.between(1, 4); n > 0; n--) await stepOnce(world);
}

/** One step of whoever is the payer. */
export async function stepOnce(world: World): Promise<void> {
  for (const payer of world.payers) {
    upset(world, payer.gate, CALLS.step);
    world.counts["losses before step"] = world.losses;
    if (await run(world, payer, () => payer.step())) return;
    payer.gate.calm();
  }
}

/** Runs a process; true when it worked or broke, false when it only stood by. */
async function run(
  world: World,
  process: { gate: Gate; name: string; forget?(): void },
  work: () => Promise<boolean>,
): Promise<boolean> {
  let { gate } = process;
  gate.busy = true;
  try {
    const working = work();
    gate = process.gate;
    gate.busy = true;
    return await working;
  } catch (error) {
    if (error instanceof Error && error.name === "FencedError") process.forget?.();
    judge(world, process.name, error);
    return true;
  } finally {
    gate.busy = false;
  }
}

/** Plans trouble for a process now and then. */
function upset(world: World, gate: Gate, calls: number): void {
  gate.calm();
  if (world.calm || !world.random.chance(0.35)) return;
  const trouble = world.random.pick(TROUBLES);
  const effects = world.random.chance(0.6);
  gate.plan(1 + world.random.below(effects ? EFFECTS : calls), trouble, effects);
}

/**
 * Goes on while a process stands still: the chain moves, another process takes its role, Redis
 * loses its last second. What it planned before is finished afterwards, if it still may.
 */
export async function standStill(world: World): Promise<void> {
  const { random, meanwhile } = world;
  world.meanwhile = async () => {};
  const recording = random.chance(0.2);
  for (let n = random.between(1, 3); n > 0; n--) {
    const what = random.below(recording ? 2 : 4);
    if (what === 0) world.chain.mine(random.between(1, 4));
    if (what === 1) reorganize(world);
    if (what === 2) await expireLease(world, "payer");
    if (what === 3) await expireLease(world, "unlocker");
    const group: (PayerProcess | UnlockerProcess)[] = [
      [],
      [],
      world.payers,
      world.unlockers,
    ][what]!;
    const spare = group.find(({ gate }) => !gate.busy && !gate.dead);
    if (spare === undefined) continue;
    const work = () => "pass" in spare ? spare.pass() : spare.step();
    for (let times = random.between(1, 6); times > 0; times--) await run(world, spare, work);
  }
  if (world.vault.canLose && random.chance(0.3)) await forget(world);
  world.meanwhile = meanwhile;
}

/** How deep the chain may change: below what is final for blocks, uncles and payments. */
function deepest(world: World): number {
  return world.depth - UNCLE_BLOCKS - 1;
}

function reorganize(world: World): void {
  const { random, chain } = world;
  const depth = random.chance(0.7) ? random.between(1, 3) : random.between(1, deepest(world));
  const known = branches.get(world) ?? [];
  branches.set(world, [...known.slice(-5), chain.head.hash]);
  world.deepest = Math.max(world.deepest, depth);
  chain.reorganize(depth, {
    ...{ transactions: false, uncles: random.chance(0.5) },
    replacedMayBeUncles: random.chance(0.5),
  });
}

/** A branch that was left becomes the chain again. */
function comeBack(world: World): void {
  const { random, chain } = world;
  const known = branches.get(world) ?? [];
  if (known.length === 0) return;
  const tip = random.pick(known);
  let walk = chain.byHash(tip)!;
  while (chain.at(walk.header.number) !== walk) walk = chain.byHash(walk.header.parentHash)!;
  const depth = chain.head.header.number - walk.header.number;
  if (depth > deepest(world)) return;
  world.deepest = Math.max(world.deepest, depth);
  branches.set(world, [...known.filter((other) => other !== tip), chain.head.hash]);
  chain.extend(tip, { transactions: false, uncles: false });
}

function dropTransaction(world: World): void {
  const waiting = world.chain.mempool.all().map(({ hash }) => hash).sort();
  if (waiting.length > 0) world.chain.mempool.drop(world.random.pick(waiting));
}

function refuseMoney(world: World): void {
  const { login } = world.random.pick(world.miners);
  const { reverts } = world.chain;
  if (!reverts.delete(login)) reverts.add(login);
}

/** A node stays behind, on what is or was the chain. */
function freeze(world: World): void {
  const { random, chain } = world;
  const node = random.pick(world.nodes);
  const back = random.between(0, 5);
  const tips = [...branches.get(world) ?? []].map((hash) => chain.byHash(hash))
    .filter((block) => block !== undefined && isNear(world, block.hash));
  const behind = chain.at(chain.head.header.number - back);
  node.freeze(
    random.chance(0.5)
      ? undefined
      : tips.length > 0 && random.chance(0.3)
      ? random.pick(tips)
      : behind,
  );
}

/** A node has lost some of the younger blocks, or found them again. */
function lackBlocks(world: World): void {
  const { random, chain, depth, model } = world;
  const young = chain.head.header.number - random.between(0, depth + 1);
  const own = [...model.state.rounds.values()].slice(-4).map(({ height }) => height);
  const from = own.length > 0 && random.chance(0.5) ? random.pick(own) : young;
  const to = from + random.between(0, 2);
  const node = random.chance(0.5) ? world.nodes[0]! : random.pick(world.nodes);
  node.missing = random.chance(0.3) ? undefined : { from, to };
}

/** Whether a branch leaves the chain so late that nothing final is on it alone. */
function isNear(world: World, tip: string): boolean {
  const { chain } = world;
  let walk = chain.byHash(tip)!;
  while (chain.at(walk.header.number) !== walk) walk = chain.byHash(walk.header.parentHash)!;
  return chain.head.header.number - walk.header.number <= deepest(world);
}

async function restart(world: World): Promise<void> {
  const { random } = world;
  for (const recorder of world.recorders) if (random.chance(0.5)) await recorder.end();
  for (const payer of world.payers) if (random.chance(0.5)) payer.end();
  for (const unlocker of world.unlockers) if (random.chance(0.5)) unlocker.gate.kill();
}

/** The time of a lease runs out: its holder keeps the token and does not know. */
async function expireLease(world: World, role: Role): Promise<void> {
  const { store, keys, trace } = world;
  trace(`    the ${role}'s lease runs out`);
  await store.command("HSET", keys.own.lease(role), "untilMs", "0");
  const group: { name: string }[] = role === "payer" ? world.payers : world.unlockers;
  group.reverse();
}

/** Redis loses what it acknowledged within the last second; processes may go with it. */
async function lose(world: World): Promise<void> {
  const { random, vault } = world;
  await vault.checkpoint();
  if (random.chance(0.5)) {
    for (let n = random.between(1, 4); n > 0 && vault.canLose; n--) await happen(world, ["lose"]);
  } else await payOne(world);
  if (vault.canLose && random.chance(0.8)) await forget(world);
  vault.keep();
  if (random.chance(0.5)) await restart(world);
}

/** Steps until something went out, and sometimes on. */
async function payOne(world: World): Promise<void> {
  const { random, vault, options } = world;
  const before = world.counts["sent"];
  if (random.chance(0.5)) world.nowMs += options.intervalMs;
  for (let n = 8; n > 0 && vault.canLose; n--) {
    await stepOnce(world);
    if (world.counts["sent"] !== before && random.chance(0.7)) return;
  }
}

async function forget(world: World): Promise<void> {
  world.trace("    Redis loses its last second");
  await world.vault.lose();
  world.losses++;
}

function nextNonce(world: World): { nonce: string; mix: string } {
  const number = (nonces.get(world) ?? 0) + 1;
  nonces.set(world, number);
  const mix = "0x" + (number % 251).toString(16).padStart(2, "0").repeat(32);
  return { nonce: "0x" + number.toString(16).padStart(16, "0"), mix };
}
