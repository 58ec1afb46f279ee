/** The rejected-share log: ids, rate limit, bounded files. */
import assert from "node:assert/strict";
import { FakeClock } from "../base/mod.ts";
import { openRejectedFile, openRejectedLog, type RejectedShare } from "./rejected_log.ts";

const SHARE: RejectedShare = {
  ...{ rejection: "lowDifficulty", login: "0x" + "11".repeat(20), worker: "rig1" },
  ...{ headerHash: "0x" + "ab".repeat(32), nonce: "0x0000000000000001", height: 42 },
  ...{ difficulty: "2000000000", algorithm: "ethash" },
};

Deno.test("openRejectedLog() writes a burst, then ten a second, and says how many it left out", async () => {
  const clock = new FakeClock();
  const lines: string[] = [];
  const file = { append: (line: string) => Promise.resolve(void lines.push(line)), close() {} };
  const log = openRejectedLog(file, { clock, prefix: "w0", onError: assert.fail });
  const ids = Array.from({ length: 150 }, () => log.add(SHARE));
  assert.equal(ids.filter((id) => id !== undefined).length, 100);
  await clock.advance(500);
  assert.equal(log.add(SHARE), "w0-101");
  await log.close();
  assert.equal(lines.length, 101);
  const last = JSON.parse(lines.at(-1)!);
  assert.equal(last.id, "w0-101");
  assert.equal(last.leftOut, 50);
  assert.equal(last.headerHash, SHARE.headerHash);
});

Deno.test("openRejectedFile() puts a grown file aside and keeps two at most", async () => {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/rejected-0.jsonl`;
  const file = await openRejectedFile(path, 100);
  for (let n = 0; n < 10; n++) await file.append(`${n}`.padEnd(39, ".") + "\n");
  file.close();
  const sizes = [];
  for await (const { name } of Deno.readDir(dir)) {
    sizes.push((await Deno.stat(`${dir}/${name}`)).size);
  }
  assert.deepEqual(sizes.sort(), [80, 80]);
  assert.match(await Deno.readTextFile(path), /^8\./);
  await Deno.remove(dir, { recursive: true });
});
