/** `scripts/bench verifier`: ours, go-ethereum's and chfast's verifiers, interleaved, as ratios. */
import { measureDeno } from "./deno_side.ts";
import { BUILD, buildPrograms, COMMANDS, type Figures, startProgram } from "./programs.ts";
import { barChart, type Row, table } from "./report.ts";

/** Settings of a run. */
export interface BenchOptions {
  rounds: number;
  /** Folder of the results. */
  out: string;
  /** Whether the dataset is measured too (gigabytes of memory, a minute). */
  dataset: boolean;
}

/** Epochs whose sizes are measured: the first, and Etchash's of late 2026 (by size, 390). */
const EPOCHS = [0, 390];

/** Goals: our figure must be at least this many times faster than go-ethereum's. */
const GOALS: Record<string, number[]> = {
  "light, 64 queued": [65, 55],
  "light, one share": [2.3, 2.3],
  "avx2 tier, 64 queued": [40, 40],
  "portable tier, 64 queued": [22, 22],
  "cache building": [1.9, 2.2],
};

/** Runs everything, prints the table, writes JSON and SVG. */
export async function benchVerifier(options: BenchOptions): Promise<void> {
  say("Building what is compared");
  await buildPrograms();
  const rows: Row[] = [];
  for (const [index, epoch] of EPOCHS.entries()) {
    say(`Epoch ${epoch}: ${options.rounds} interleaved rounds`);
    rows.push(...await benchEpoch(epoch, index, options.rounds));
    if (options.dataset) rows.push(...await benchDataset(epoch, options));
    rows.push(...await measureDeno(epoch, options.rounds));
  }
  await Deno.mkdir(options.out, { recursive: true });
  const json = JSON.stringify({ machine: await machine(), rounds: options.rounds, rows }, null, 2);
  await Deno.writeTextFile(`${options.out}/verifier.json`, json + "\n");
  await Deno.writeTextFile(`${options.out}/verifier.svg`, barChart(rows));
  say(table(rows));
  say(`Written to ${options.out}/verifier.json and verifier.svg`);
}

async function benchEpoch(epoch: number, index: number, rounds: number): Promise<Row[]> {
  const programs = [];
  for (const [name, command] of Object.entries(COMMANDS)) {
    programs.push(await startProgram(name, command(epoch)));
  }
  const measured = new Map<string, Figures[]>(programs.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    // Rotated, so that nobody always follows the same neighbour.
    for (let i = 0; i < programs.length; i++) {
      const program = programs[(i + round) % programs.length]!;
      measured.get(program.name)!.push(await program.round());
    }
  }
  await Promise.all(programs.map((program) => program.close()));

  const of = (name: string, what: string) => measured.get(name)!.map((round) => round.get(what)!);
  const geth = of("geth", "light");
  const row = (what: string, micros: number[], anchor: number[], unit = "verify"): Row => ({
    ...{ epoch, what, micros: median(micros), unit, anchorMicros: median(anchor) },
    ratios: micros.map((value, i) => anchor[i]! / value).sort((a, b) => a - b),
    ...(GOALS[what] === undefined ? {} : { goal: GOALS[what]![index]! }),
  });
  return [
    row("light, 64 queued", of("quarry", "light64"), geth),
    row("light, one share", of("quarry", "light"), geth),
    row("avx2 tier, 64 queued", of("quarry avx2", "light64"), geth),
    row("portable tier, 64 queued", of("quarry portable", "light64"), geth),
    row("chfast (PyPI), one share", of("chfast", "light"), geth),
    row("cache building", of("quarry", "cache"), of("geth", "cache"), "cache"),
    // The memory's own limits for the first two rows: the reads alone, without any hashing.
    row("64 queued, their reads alone", of("quarry", "reads"), geth, "limit"),
    row("one share's reads alone", of("quarry", "chase"), geth, "limit"),
    row("geth's dataset item", of("geth", "item"), of("geth", "item"), "item"),
  ];
}

/** Generation of the full dataset in memory, and verification over it. */
async function benchDataset(epoch: number, options: BenchOptions): Promise<Row[]> {
  const args = [`${BUILD}/quarry`, String(epoch), "dataset"];
  const ours = await startProgram("full", { args, starts: 2 });
  const geth = await startProgram("geth", COMMANDS["geth"]!(epoch));
  const full: number[] = [], full32: number[] = [], items: number[] = [];
  for (let round = 0; round < options.rounds; round++) {
    const figures = await ours.round();
    full.push(figures.get("full")!);
    full32.push(figures.get("full32")!);
    items.push((await geth.round()).get("item")!);
  }
  await Promise.all([ours.close(), geth.close()]);
  const row = (what: string, micros: number[], anchor: number[], goal?: number): Row => ({
    ...{ epoch, what, micros: median(micros), anchorMicros: median(anchor), unit: "item" },
    ratios: micros.map((value) => median(anchor) / value).sort((a, b) => a - b),
    ...(goal === undefined ? {} : { goal }),
  });
  const second = [1e6];
  return [
    row("dataset generation, per item", [ours.start.get("item")!], items, 25),
    { ...row("full dataset, 32 queued (a second)", full32, second, 1_000_000), unit: "verify" },
    { ...row("full dataset, one share (a second)", full, second), unit: "verify" },
  ];
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

async function machine(): Promise<string> {
  const text = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");
  return `${
    /model name\s*: (.*)/.exec(text)?.[1] ?? "unknown"
  }, ${navigator.hardwareConcurrency} cores`;
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}
