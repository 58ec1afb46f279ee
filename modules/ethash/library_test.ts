/** The native border: status codes, wrong input and the header that is its contract. */
import { deepStrictEqual, rejects, strictEqual, throws } from "node:assert/strict";
import { VerifierError } from "./errors.ts";
import { EPOCH_MAX } from "./epochs.ts";
import { TURN_MAX } from "./batcher.ts";
import {
  ABI_VERSION,
  ALGORITHM_CODES,
  FOUND_BYTES,
  openLibrary,
  OUTPUT_BYTES,
  PREFER_DATASET,
  RECORD_BYTES,
  SEARCH_MAX,
  USE_DATASET,
} from "./library.ts";
import { DONE_BYTES, TASK_BYTES, TASK_CLAIM, TASK_HASH } from "./queue_calls.ts";
import { STATUS, statusName } from "./status.ts";

const GENESIS = { algorithm: "ethash", epoch: 0, seedRounds: 0 } as const;

/** Every QUARRY_ number of the C header. */
async function headerNumbers(): Promise<Map<string, number>> {
  const url = new URL("../../native/include/quarry_ethash.h", import.meta.url);
  const pattern = /(?:#define )?QUARRY_([A-Z0-9_]+)(?: =)? (-?\d+)/g;
  const matches = (await Deno.readTextFile(url)).matchAll(pattern);
  return new Map(matches.map(([, name, value]) => [name!, Number(value)]));
}

Deno.test("STATUS equals the table of the C header", async () => {
  const header = await headerNumbers();
  for (const [name, code] of Object.entries(STATUS)) strictEqual(header.get(name), code, name);
  const codes = new Set<number>(Object.values(STATUS));
  const text = await Deno.readTextFile(
    new URL("../../native/include/quarry_ethash.h", import.meta.url),
  );
  const listed = text.split("enum quarry_status")[1]!.split("};")[0]!.matchAll(/= (-?\d+)/g);
  deepStrictEqual(new Set(listed.map(([, code]) => Number(code))), codes);
  strictEqual(statusName(-3), "INVALID_HANDLE");
  strictEqual(statusName(-12345), "-12345");
});

Deno.test("openLibrary() speaks the numbers of the C header", async () => {
  const header = await headerNumbers();
  strictEqual(header.get("ABI_VERSION"), ABI_VERSION);
  strictEqual(header.get("RECORD_BYTES"), RECORD_BYTES);
  strictEqual(header.get("OUTPUT_BYTES"), OUTPUT_BYTES);
  strictEqual(header.get("FOUND_BYTES"), FOUND_BYTES);
  strictEqual(header.get("SEARCH_MAX"), SEARCH_MAX);
  strictEqual(header.get("USE_DATASET"), USE_DATASET);
  strictEqual(header.get("PREFER_DATASET"), PREFER_DATASET);
  strictEqual(header.get("TASK_BYTES"), TASK_BYTES);
  strictEqual(header.get("DONE_BYTES"), DONE_BYTES);
  strictEqual(header.get("TASK_HASH"), TASK_HASH);
  strictEqual(header.get("TASK_CLAIM"), TASK_CLAIM);
  for (const [name, code] of Object.entries(ALGORITHM_CODES)) {
    strictEqual(header.get(`ALGORITHM_${name.toUpperCase()}`), code);
  }
  strictEqual(header.get("EPOCH_MAX"), EPOCH_MAX);
  strictEqual(header.get("BATCH_MAX")! >= TURN_MAX, true);
});

Deno.test("openLibrary() names the mend when the library is missing or is none", () => {
  throws(() => openLibrary("/nonexistent/libquarry_ethash.so"), (error) => {
    return error instanceof VerifierError && /run "deno task native"/.test(error.message);
  });
  throws(() => openLibrary(new URL(import.meta.url).pathname), VerifierError);
});

Deno.test("openLibrary() turns codes into errors and refuses wrong lengths itself", async () => {
  const library = openLibrary();
  try {
    throws(() => library.closeContext(4_000_000_000), /INVALID_HANDLE/);
    throws(() => library.seedHash(1_000_000), /INVALID_EPOCH/);
    throws(() => library.openQueue(0, 0), /INVALID_LENGTH/);
    throws(() => library.openQueue(10, 10_000), /INVALID_LENGTH/);
    throws(() => library.submitTasks(4_000_000_000, 1, 0, new Uint8Array(112)), VerifierError);
    await rejects(library.waitForDone(4_000_000_000), /INVALID_HANDLE/);
    await rejects(
      library.openContext({ algorithm: "ethash", epoch: 1_000_000, seedRounds: 0 }),
      /INVALID_EPOCH/,
    );
    await rejects(library.writeDummyDataset(GENESIS, ""), /INVALID_LENGTH/);
    await rejects(
      library.writeDummyDataset(GENESIS, "/proc/nowhere"),
      /check path, rights and disk/,
    );
  } finally {
    library.close();
  }
});

Deno.test("openLibrary() hashes the empty message", () => {
  const library = openLibrary();
  strictEqual(
    library.keccak256(new Uint8Array()).toHex(),
    "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
  );
  library.close();
});

Deno.test("openLibrary() shares contexts between the Deno workers of a process", async () => {
  const library = openLibrary();
  const handle = await library.openSizedContext(127, 255, 9);
  const source = `
    import { openLibrary } from ${JSON.stringify(new URL("./library.ts", import.meta.url).href)};
    const library = openLibrary();
    // A handle of the other worker is good here, and handles are counted together.
    const info = library.contextInfo(${handle});
    const own = await library.openSizedContext(127, 255, 9);
    library.closeContext(own);
    library.close();
    self.postMessage({ info, own });
  `;
  const url = URL.createObjectURL(new Blob([source], { type: "application/typescript" }));
  const worker = new Worker(url, { type: "module" });
  const { info, own } = await new Promise<{ info: unknown; own: number }>((resolve, reject) => {
    worker.onmessage = (message) => resolve(message.data);
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
  });
  worker.terminate();
  URL.revokeObjectURL(url);
  const expected = { cacheItems: 127, datasetItems: 255, seedRounds: 9, hasDataset: false };
  deepStrictEqual(info, expected);
  strictEqual(own, handle + 1);
  deepStrictEqual(library.contextInfo(handle), expected);
  library.closeContext(handle);
  library.close();
});

Deno.test("openLibrary() closes the contexts of a worker that was terminated", async () => {
  const library = openLibrary();
  const source = `
    import { openLibrary } from "${import.meta.resolve("./library.ts")}";
    const library = openLibrary();
    self.postMessage(await library.openSizedContext(127, 255, 9));
    // Neither the context nor the library is closed.
  `;
  const url = URL.createObjectURL(new Blob([source], { type: "application/typescript" }));
  const worker = new Worker(url, { type: "module" });
  const handle = await new Promise<number>((resolve, reject) => {
    worker.onmessage = (message) => resolve(message.data);
    worker.onerror = (event) => reject(new Error(event.message));
  });
  strictEqual(library.contextInfo(handle).cacheItems, 127);
  worker.terminate();
  URL.revokeObjectURL(url);
  const isOpen = () => {
    try {
      return library.contextInfo(handle).cacheItems > 0;
    } catch {
      return false;
    }
  };
  while (isOpen()) await new Promise((resolve) => setTimeout(resolve, 5));
  throws(() => library.contextInfo(handle), /INVALID_HANDLE/);
  library.close();
});
