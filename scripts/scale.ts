/**
 * What pools of any size need, by measured costs.
 *
 *   deno run -A scripts/scale.ts            the tables of docs/capacity.md and docs/scale.md
 *   deno run -A scripts/scale.ts measure    measures memory, file and wire again, on this machine
 */
import { redisMemory, redisShares, wireBytes } from "./scale/measure.ts";
import { TABLES } from "./scale/tables.ts";

async function say(text: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(text + "\n"));
}

async function measure(): Promise<void> {
  const parts = [
    () => wireBytes(),
    () => redisShares(1, 2_000),
    () => redisShares(16, 20_000),
    () => redisShares(256, 100_096),
    () => redisMemory(1_000, 1),
    () => redisMemory(1_000, 3),
  ];
  for (const part of parts) {
    for (const { what, value, unit } of await part()) {
      await say(`${what.padEnd(64)} ${String(Number(value.toPrecision(4))).padStart(10)} ${unit}`);
    }
  }
}

if (import.meta.main) {
  if (Deno.args[0] === "measure") await measure();
  else for (const [name, make] of Object.entries(TABLES)) await say(`${name}\n\n${make()}\n`);
}
