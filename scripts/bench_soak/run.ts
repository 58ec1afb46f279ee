/**
 * `scripts/bench soak`: two mining instances, a payer and thousands of miners while chain, Redis,
 * node, certificates and the instances themselves change; no share may be lost or doubled.
 */
import { residentBytes } from "../bench_stratum/parts.ts";
import {
  checkBooks,
  checkMemory,
  checkShares,
  type MemoryTrail,
  mib,
  settle,
  type Settled,
} from "./checks.ts";
import { EVENTS, pause, untilBack } from "./events.ts";
import { type Counts, type Door, Miners, sum } from "./miners.ts";
import { openWorld, type World } from "./world.ts";

/** Settings of a soak. */
export interface SoakOptions {
  minutes: number;
  sessions: number;
  /** Shares a second over all sessions. */
  rate: number;
  say(line: string): void;
}

/** What a soak came to. */
export interface SoakReport extends Settled {
  accepted: bigint;
  unanswered: bigint;
  refused: Record<string, number>;
  connections: number;
  events: number;
  longestGapMs: number;
  memory: MemoryTrail[];
}

/** Pause between two looks at memory (milliseconds). */
const SAMPLE_MS = 2_000;
/** One session in so many comes over TLS. */
const TLS_EVERY = 20;
const SESSIONS_PER_LOGIN = 10;
/** Shares after which an event counts as got over. */
const SHARES_BACK = 200n;

/** Runs a soak to its end. @throws when anything was lost, doubled, grown or unclean */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const { minutes, say } = options;
  const dir = await Deno.makeTempDir({ prefix: "quarry-soak-" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  const world = await openWorld(stack, dir);
  const plain = openMiners(world, options, false), secure = openMiners(world, options, true);
  stack.defer(async () => void await Promise.all([plain, secure].map((miners) => miners.stop(0))));
  const wanted = options.sessions * 0.99;
  const startMs = performance.now();
  while (plain.ready + secure.ready < wanted) {
    if (performance.now() - startMs > 60_000) throw new Error("the miners do not get in");
    await pause(100);
  }
  say(`${plain.ready + secure.ready} sessions, ${secure.ready} of them over TLS`);

  const trails = watchMemory(world);
  stack.defer(() => trails.end());
  const everyMs = Math.max(10_000, Math.min(60_000, minutes * 60_000 / (EVENTS.length + 1)));
  const endMs = performance.now() + minutes * 60_000;
  let events = 0;
  while (performance.now() + everyMs < endMs) {
    await pause(everyMs / 2);
    const event = EVENTS[events++ % EVENTS.length]!;
    const sinceMs = performance.now();
    await event.run(world);
    const doneMs = performance.now();
    await untilBack(plain, SHARES_BACK);
    const seconds = [doneMs - sinceMs, performance.now() - doneMs].map((ms) =>
      (ms / 1000).toFixed(1)
    );
    say(`${event.name}: ${seconds[0]} s, ${SHARES_BACK} shares ${seconds[1]} s later`);
    await pause(Math.max(0, everyMs / 2 - (performance.now() - sinceMs)));
  }
  trails.end();
  await Promise.all([plain.stop(15_000), secure.stop(15_000)]);
  const store = await world.openStore();
  stack.defer(() => store.close());
  await settle(world, store);
  if (await world.money.stop() !== 0) throw new Error("the payer's process did not end well");
  const settled = await checkBooks(store);
  const told = merged(plain, secure);
  checkShares(told, settled);
  checkMemory(trails.steady);
  return {
    ...settled,
    ...{ accepted: sum(told.accepted), unanswered: sum(told.unanswered), events },
    refused: Object.fromEntries(told.refused),
    ...{ connections: told.connections, longestGapMs: told.longestGapMs, memory: trails.steady },
  };
}

/** Prints a report. */
export function sayReport(report: SoakReport, say: (line: string) => void): void {
  say(
    `${report.accepted} shares told true, ${report.stored} stored, ` +
      `${report.unanswered} cut off before their answer; refused: ${
        JSON.stringify(report.refused)
      }`,
  );
  say(
    `${report.events} events, ${report.connections} connections, longest time without a share ` +
      `${(report.longestGapMs / 1000).toFixed(1)} s`,
  );
  const { matured, orphaned } = report.blocks;
  const coins = (Number(report.paidShannon) / 1e9).toFixed(3);
  say(`${matured} blocks matured, ${orphaned} orphaned, ${coins} coins paid, books clean`);
  for (const { name, samples } of report.memory) {
    say(`${name}: ${mib(samples[Math.floor(samples.length / 3)]!)} to ${mib(samples.at(-1)!)} MiB`);
  }
}

function openMiners(world: World, { sessions, rate }: SoakOptions, isSecure: boolean): Miners {
  const part = isSecure ? 1 / TLS_EVERY : 1 - 1 / TLS_EVERY;
  return new Miners({
    ...{ sessions: Math.round(sessions * part), sessionsPerLogin: SESSIONS_PER_LOGIN },
    rate: rate * part,
    // Secure sessions have serials of their own: the same login may be on both.
    doors: world.instances.map(({ ports, tlsPort }): Door =>
      isSecure ? { port: tlsPort, certificates: () => world.certificates } : { port: ports.stratum }
    ),
  });
}

function merged(...all: Miners[]) {
  const told = {
    ...{ accepted: new Map() as Counts, unanswered: new Map() as Counts },
    refused: new Map<string, number>(),
  };
  for (const miners of all) {
    for (const name of ["accepted", "unanswered"] as const) {
      for (const [login, shares] of miners.told[name]) {
        told[name].set(login, (told[name].get(login) ?? 0n) + shares);
      }
    }
    for (const [words, times] of miners.told.refused) {
      told.refused.set(words, (told.refused.get(words) ?? 0) + times);
    }
  }
  return {
    ...told,
    connections: all.reduce((total, { told }) => total + told.connections, 0),
    longestGapMs: all[0]!.told.longestGapMs,
  };
}

/** The process that nobody replaces: the one that unlocks, pays and collects. */
function watchMemory(world: World) {
  const steady: MemoryTrail[] = [{ name: "money process", samples: [] }];
  const timer = setInterval(async () => {
    const bytes = await residentBytes(world.money.pid).catch(() => undefined);
    if (bytes !== undefined) steady[0]!.samples.push(bytes);
  }, SAMPLE_MS);
  return { steady, end: () => clearInterval(timer) };
}
