/** The journal of signed payments: torn lines, strangers' entries, and what cannot be read. */
import assert from "node:assert/strict";
import { type JournalEntry, openPaymentJournal } from "./journal.ts";

const SCOPE = { coin: "eth", chainId: 1337, genesis: "0xabc" };

function entry(nonce: number): JournalEntry {
  const login = "0x" + "1".repeat(40);
  const common = { login, amountShannon: 9_007_199_254_740_993n, from: login };
  return { ...common, id: `p${nonce}`, nonce, raw: `0x0${nonce}`, hash: `0xhash${nonce}` };
}

async function withDir(work: (path: string) => Promise<void> | void) {
  const dir = await Deno.makeTempDir();
  try {
    await work(`${dir}/deep/payments.journal`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("openPaymentJournal() gives back what was added, once per hash", () =>
  withDir(async (path) => {
    const journal = openPaymentJournal(path, SCOPE);
    for (const one of [entry(1), entry(2), entry(1)]) await journal.add(one);
    journal.close();
    const again = openPaymentJournal(path, SCOPE);
    assert.deepEqual(again.entries(), [entry(1), entry(2)]);
    await again.add(entry(2));
    again.close();
    assert.equal((await Deno.readTextFile(path)).trim().split("\n").length, 2);
  }));

Deno.test("openPaymentJournal() cuts off a torn last line and goes on", () =>
  withDir(async (path) => {
    const journal = openPaymentJournal(path, SCOPE);
    await journal.add(entry(1));
    journal.close();
    await Deno.writeTextFile(path, '{"id":"p2","lo', { append: true });
    const again = openPaymentJournal(path, SCOPE);
    assert.deepEqual(again.entries(), [entry(1)]);
    await again.add(entry(3));
    again.close();
    const last = openPaymentJournal(path, SCOPE);
    assert.deepEqual(last.entries(), [entry(1), entry(3)]);
    last.close();
  }));

Deno.test("openPaymentJournal() passes over other pools and chains", () =>
  withDir(async (path) => {
    for (const other of [{ coin: "etc" }, { chainId: 1 }, { genesis: "0xdef" }]) {
      const journal = openPaymentJournal(path, { ...SCOPE, ...other });
      await journal.add(entry(1));
      journal.close();
    }
    const own = openPaymentJournal(path, SCOPE);
    assert.deepEqual(own.entries(), []);
    own.close();
  }));

Deno.test("openPaymentJournal() names a line that it cannot read", () =>
  withDir(async (path) => {
    const journal = openPaymentJournal(path, SCOPE);
    await journal.add(entry(1));
    journal.close();
    await Deno.writeTextFile(path, "garbage\n", { append: true });
    assert.throws(() => openPaymentJournal(path, SCOPE), /Cannot read line 2/);
  }));

Deno.test("openPaymentJournal() archives a long file and keeps the newest entries", () =>
  withDir((path) => {
    openPaymentJournal(path, SCOPE).close();
    const text = Array.from(
      { length: 20_001 },
      (_, nonce) => JSON.stringify({ scope: SCOPE, ...entry(nonce), amountShannon: "5" }) + "\n",
    ).join("");
    Deno.writeTextFileSync(path, text);
    const journal = openPaymentJournal(path, SCOPE);
    assert.equal(journal.entries().length, 5_000);
    assert.equal(journal.entries().at(-1)!.nonce, 20_000);
    journal.close();
    assert.equal(Deno.readTextFileSync(`${path}.until-20000`), text);
    assert.equal(Deno.readTextFileSync(path).trim().split("\n").length, 5_000);
  }));
