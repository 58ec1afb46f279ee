/** Certificates that change on disk: taken up when they work, named with their mend when they do not. */
import assert from "node:assert/strict";
import { createLogger, FakeClock, type LogRecord } from "../../base/mod.ts";
import { makeCertificate, type TestCertificate } from "../../../tests/support/certificate.ts";
import { CertificateStore } from "./certificates.ts";

interface TestStore {
  store: CertificateStore;
  logs: LogRecord[];
  files: { cert: string; key: string };
  put(pair: Partial<TestCertificate>): Promise<void>;
}

/** Opens a store over files of its own. */
async function withStore(test: (given: TestStore) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const files = { cert: `${folder}/cert.pem`, key: `${folder}/key.pem` };
  const put = async ({ cert, key }: Partial<TestCertificate>) => {
    if (cert !== undefined) await Deno.writeTextFile(files.cert, cert);
    if (key !== undefined) await Deno.writeTextFile(files.key, key);
  };
  try {
    await put(makeCertificate("first"));
    const logs: LogRecord[] = [];
    const log = createLogger((record) => logs.push(record), "stratum");
    const store = await CertificateStore.open(files, { log, clock: new FakeClock() });
    await test({ store, logs, files, put });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function errors(logs: LogRecord[]): string[] {
  return logs.filter(({ level }) => level === "error").map(({ facts }) => String(facts.error));
}

Deno.test("poll() reads nothing while nothing changes", async () => {
  await withStore(async ({ store, logs }) => {
    const { context } = store;
    for (let i = 0; i < 3; i++) await store.poll();
    assert.equal(store.context, context);
    assert.equal(logs.length, 1);
  });
});

Deno.test("poll() waits for the second file when only one of the two has changed", async () => {
  await withStore(async ({ store, logs, put }) => {
    const { context } = store;
    const second = makeCertificate("second");
    await put({ cert: second.cert });
    await store.poll();
    assert.equal(store.context, context);
    await put({ key: second.key });
    await store.poll();
    assert.notEqual(store.context, context);
    assert.deepEqual(errors(logs), []);
    assert.equal(logs.at(-1)!.facts.subject, "CN=second");
  });
});

Deno.test("poll() takes up a link that points to other files", async () => {
  await withStore(async ({ store, logs, files }) => {
    const second = makeCertificate("second");
    for (const [path, pem] of [[files.cert, second.cert], [files.key, second.key]] as const) {
      await Deno.writeTextFile(`${path}.new`, pem);
      await Deno.remove(path);
      await Deno.symlink(`${path}.new`, path);
    }
    await store.poll();
    assert.equal(logs.at(-1)!.facts.subject, "CN=second");
  });
});

const OTHER = makeCertificate("other");
const NO_BLOCK = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

for (
  const [what, pair, mend] of [
    ["a certificate that is none", { cert: "none" }, /cert\.pem is not whole PEM.*copy it again/],
    ["half a certificate", { cert: OTHER.cert.slice(0, 300) }, /cert\.pem is not whole PEM/],
    ["a chain that is broken", { cert: OTHER.cert + NO_BLOCK }, /cert\.pem is not whole PEM/],
    ["a key that is none", { key: "none" }, /key\.pem holds no private key.*without a passphrase/],
    ["another key", { key: OTHER.key }, /key\.pem is not the key of .*cert\.pem/],
  ] as [string, Partial<TestCertificate>, RegExp][]
) {
  Deno.test(`poll() keeps the old pair over ${what}, says so once, and takes the mended one`, async () => {
    await withStore(async ({ store, logs, put }) => {
      const { context } = store;
      await put(pair);
      await store.poll();
      assert.deepEqual(errors(logs), []);
      for (let i = 0; i < 3; i++) await store.poll();
      assert.equal(errors(logs).length, 1);
      assert.match(errors(logs)[0]!, mend);
      assert.equal(store.context, context);
      await put(makeCertificate("mended"));
      await store.poll();
      assert.notEqual(store.context, context);
      assert.equal(errors(logs).length, 1);
    });
  });
}

Deno.test("poll() keeps the pair when a file vanishes and takes it when it comes back", async () => {
  await withStore(async ({ store, logs, files, put }) => {
    const { context } = store;
    await Deno.remove(files.cert);
    for (let i = 0; i < 3; i++) await store.poll();
    assert.match(errors(logs)[0]!, /cert\.pem cannot be read; check that it is there/);
    assert.equal(store.context, context);
    await put(makeCertificate("back"));
    await store.poll();
    assert.notEqual(store.context, context);
  });
});

Deno.test("reload() tells at once whether the pair works", async () => {
  await withStore(async ({ store, logs, put }) => {
    await put({ cert: OTHER.cert });
    assert.equal(await store.reload(), false);
    assert.equal(errors(logs).length, 1);
    await store.poll();
    await store.poll();
    assert.equal(errors(logs).length, 1);
    await put({ key: OTHER.key });
    assert.deepEqual(await Promise.all([store.reload(), store.reload()]), [true, true]);
  });
});

Deno.test("an expired certificate is taken and reported", async () => {
  await withStore(async ({ store, logs, put }) => {
    await put(makeCertificate("old", { until: new Date("2021-01-01") }));
    assert.equal(await store.reload(), true);
    const record = logs.find(({ event }) => event === "port.certificateExpired")!;
    assert.deepEqual([record.level, record.facts.validTo], ["error", "Jan  1 00:00:00 2021 GMT"]);
  });
});
