/** Simulates the pool's money over seeded worlds: `deno task simulate --seed N --days D --worlds W`. */
import { parseArgs } from "node:util";
import { silentLogger } from "../modules/base/mod.ts";
import { openStore } from "../modules/ledger/mod.ts";
import { runWorld } from "../tests/simulation/run_world.ts";
import { createProgress } from "./progress.ts";
import { startRedis } from "../tests/support/redis.ts";

const USAGE = `Usage: deno task simulate [--seed N] [--days D] [--worlds W]
  --seed    first seed (default 1); a world is the same for the same seed and days
  --days    simulated days of each world (default 20)
  --worlds  worlds, one seed each (default 1)
It needs redis-server, and ends with 1 when something does not add up.`;

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: string[]): Promise<number> {
  let seed: number, days: number, worlds: number;
  try {
    const option = { type: "string" } as const;
    const { values } = parseArgs({ args, options: { seed: option, days: option, worlds: option } });
    [seed, days, worlds] = [whole(values.seed, 1), whole(values.days, 20), whole(values.worlds, 1)];
  } catch (error) {
    say(`${(error as Error).message}\n${USAGE}`);
    return 2;
  }
  await using redis = await startRedis();
  const options = { endpoint: redis.endpoint, database: 0, password: "" };
  const store = await openStore(options, { log: silentLogger });
  const progress = createProgress("simulation", "days");
  const startMs = performance.now(), counts: Record<string, number> = {};
  try {
    for (let world = seed; world < seed + worlds; world++) {
      const report = await runWorld(world, days, store, "sim", (day) => {
        progress.update((world - seed) * days + day, worlds * days);
      });
      for (const [name, n] of Object.entries(report.counts)) counts[name] = (counts[name] ?? 0) + n;
      if (report.failure === undefined) continue;
      progress.end();
      say(`seed ${world} fails: deno task simulate --seed ${world} --days ${days}`);
      say(report.failure);
      return 1;
    }
  } finally {
    await store.close();
  }
  progress.end();
  const seconds = (performance.now() - startMs) / 1_000, total = worlds * days;
  say(
    `${worlds} worlds from seed ${seed}, ${total} days in ${seconds.toFixed(1)} s, ${
      (total / seconds).toFixed(1)
    } days a second`,
  );
  say(Object.entries(counts).map(([name, n]) => `${name} ${n}`).join(", "));
  return 0;
}

function whole(text: string | undefined, missing: number): number {
  if (text === undefined) return missing;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new TypeError(`Cannot use "${text}": a whole number is expected`);
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(line + "\n"));
}
