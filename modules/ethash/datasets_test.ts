/** Datasets in the background: over tiny contexts of the native library, and within a limit. */
import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { createLogger, type LogRecord, silentLogger } from "../base/mod.ts";
import type { Context } from "./contexts.ts";
import { type DagOptions, Datasets } from "./datasets.ts";
import { openLibrary, PREFER_DATASET, USE_DATASET } from "./library.ts";
import { datasetFileName, openVerifier } from "./verifier.ts";

const CACHE_ITEMS = 127;
const DATASET_ITEMS = 20_011;
const BYTES = DATASET_ITEMS * 128;

interface Bench {
  library: ReturnType<typeof openLibrary>;
  datasets: Datasets;
  contexts: Context[];
  events: () => string[];
}

/** Three tiny epochs (seed rounds 3, 4, 5), and datasets over them. */
async function withDatasets(options: DagOptions, work: (bench: Bench) => Promise<void>) {
  const library = openLibrary();
  const records: LogRecord[] = [];
  const log = createLogger((record) => records.push(record), "ethash", "debug");
  const datasets = new Datasets(library, options, log);
  const contexts: Context[] = [];
  for (const seedRounds of [3, 4, 5]) {
    const handle = await library.openSizedContext(CACHE_ITEMS, DATASET_ITEMS, seedRounds);
    const firstHeight = seedRounds * 30_000;
    const nextHeight = firstHeight + 30_000;
    const algorithm = "ethash" as const;
    const epoch = { algorithm, epoch: seedRounds, seedRounds, firstHeight, nextHeight };
    contexts.push({ handle, epoch, flags: PREFER_DATASET });
  }
  try {
    const events = () => records.map(({ event, facts }) => `${event} ${facts.epoch ?? ""}`.trim());
    await work({ library, datasets, contexts, events });
  } finally {
    for (const { handle } of contexts) library.closeContext(handle);
    await datasets.close();
    library.close();
  }
}

/** Waits, by asking again and again in turns of the event loop. */
async function until(condition: () => boolean) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function outputOf(library: Bench["library"], handle: number, flags: number) {
  const out = new Uint8Array(64);
  await library.verifyBatch(handle, flags, new Uint8Array(40).fill(7), out);
  return out.toHex();
}

Deno.test("want() prepares datasets in memory one after the other, equal to the light cache", async () => {
  await withDatasets({ mode: "memory" }, async ({ library, datasets, contexts, events }) => {
    datasets.want(contexts.slice(1), 3);
    await until(() => events().includes("dataset.ready 5"));
    deepStrictEqual(events(), [
      "dataset.prepare 4",
      "dataset.ready 4",
      "dataset.prepare 5",
      "dataset.ready 5",
    ]);
    for (const [i, { handle }] of contexts.entries()) {
      strictEqual(library.datasetProgress(handle).attached, i > 0);
      const light = await outputOf(library, handle, 0);
      strictEqual(await outputOf(library, handle, PREFER_DATASET), light);
      if (i > 0) strictEqual(await outputOf(library, handle, USE_DATASET), light);
    }
    // Nothing is done twice.
    datasets.want(contexts.slice(1), 3);
    strictEqual(events().length, 4);
  });
});

Deno.test("want() keeps to the memory limit: old datasets give way, a further one waits", async () => {
  const limit = 1.5 * BYTES;
  await withDatasets({ mode: "memory", memoryLimitBytes: limit }, async (bench) => {
    const { library, datasets, contexts, events } = bench;
    datasets.want(contexts.slice(0, 2), 3);
    await until(() => events().includes("dataset.ready 3"));
    datasets.want(contexts.slice(1), 3);
    await until(() => events().includes("dataset.ready 4"));
    deepStrictEqual(events().slice(2), [
      "dataset.released 3",
      "dataset.prepare 4",
      "dataset.ready 4",
    ]);
    deepStrictEqual(contexts.map((context) => library.datasetProgress(context.handle).attached), [
      false,
      true,
      false,
    ]);
    // Released datasets are no error for those who still hash there.
    await outputOf(library, contexts[0]!.handle, PREFER_DATASET);
  });
});

Deno.test("want() stays with the light cache when one dataset is beyond the limit, and says so once", async () => {
  await withDatasets({ mode: "memory", memoryLimitBytes: BYTES - 1 }, (bench) => {
    const { datasets, contexts, events } = bench;
    datasets.want(contexts.slice(0, 1), 3);
    datasets.want(contexts.slice(0, 1), 3);
    deepStrictEqual(events(), ["dataset.tooLarge 3"]);
    return Promise.resolve();
  });
});

Deno.test("want() keeps files, notices a damaged one and removes old ones", async () => {
  const dir = await Deno.makeTempDir();
  const nameOf = (library: Bench["library"], rounds: number) =>
    `${dir}/${datasetFileName(library.seedHash(rounds))}`;
  try {
    await withDatasets({ mode: "file", dir }, async ({ library, datasets, contexts, events }) => {
      datasets.want(contexts.slice(0, 2), 3);
      await until(() => events().includes("dataset.ready 4"));
      strictEqual((await Deno.stat(nameOf(library, 3))).size, BYTES + 8);
    });
    const library = openLibrary();
    const [old, current] = [nameOf(library, 3), nameOf(library, 4)];
    library.close();
    const good = await Deno.readFile(current);
    const bad = good.slice();
    bad[1_000_000]! ^= 1;
    await Deno.remove(current);
    await Deno.writeFile(current, bad);
    await withDatasets({ mode: "file", dir }, async ({ library, datasets, contexts, events }) => {
      datasets.want(contexts.slice(1), 4);
      await until(() => events().includes("dataset.ready 5"));
      ok(events().includes("dataset.pruned"));
      const out = await outputOf(library, contexts[1]!.handle, USE_DATASET);
      strictEqual(out, await outputOf(library, contexts[1]!.handle, 0));
    });
    deepStrictEqual(await Deno.readFile(current), good);
    await Deno.stat(old).then(
      () => ok(false),
      (error) => ok(error instanceof Deno.errors.NotFound),
    );
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("want() goes on with the light cache when the directory cannot be written", async () => {
  await withDatasets({ mode: "file", dir: "/proc/nowhere" }, async (bench) => {
    const { library, datasets, contexts, events } = bench;
    datasets.want(contexts.slice(0, 1), 3);
    await until(() => events().includes("dataset.failed 3"));
    datasets.want(contexts.slice(0, 1), 3);
    deepStrictEqual(events(), ["dataset.prepare 3", "dataset.failed 3"]);
    await outputOf(library, contexts[0]!.handle, PREFER_DATASET);
  });
});

Deno.test("Datasets needs a directory for files", () => {
  const rule = { algorithm: "ethash" } as const;
  const options = { rule, log: silentLogger, dag: { mode: "file" } } as const;
  throws(() => openVerifier(options), /set dag.dir/);
});

Deno.test("close() aborts the generation of a real epoch, which serves light meanwhile", async () => {
  const seen: string[] = [];
  const verifier = openVerifier({
    rule: { algorithm: "ethash" },
    log: silentLogger,
    dag: { mode: "memory", threads: 1, onProgress: ({ phase }) => seen.push(phase) },
  });
  await verifier.prepare(0);
  await verifier.hash(0, new Uint8Array(32), 0n);
  await until(() => seen.includes("generating"));
  strictEqual((await verifier.info(0)).hasDataset, false);
  await verifier.close();
});
