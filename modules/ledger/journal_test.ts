/** The recorder's journal on a real file, a disk that fills up included. */
import assert from "node:assert/strict";
import { openJournal } from "./journal.ts";

/** Opens a file whose disk takes `bytes` of the next write and then nothing, until told otherwise. */
function fullDisk() {
  const disk = { roomBytes: Infinity };
  async function open(path: string | URL, options?: Deno.OpenOptions): Promise<Deno.FsFile> {
    const file = await Deno.open(path, options);
    const write = file.write.bind(file);
    file.write = async (bytes) => {
      if (disk.roomBytes === 0) throw new Error("No space left on device");
      const written = await write(bytes.subarray(0, Math.min(bytes.length, disk.roomBytes)));
      disk.roomBytes -= written;
      return written;
    };
    return file;
  }
  return { disk, open };
}

Deno.test("openJournal() takes a line back that the disk had no room for", async () => {
  const dir = await Deno.makeTempDir({ prefix: "quarry-journal-" });
  const path = `${dir}/shares.journal`;
  const { disk, open } = fullDisk();
  const journal = await openJournal<{ id: string }>(path, { open });
  await journal.append({ id: "a" });
  disk.roomBytes = 5;
  await assert.rejects(journal.append({ id: "b" }), /No space left/);
  disk.roomBytes = Infinity;
  await journal.append({ id: "c" });
  await journal.done("a");
  await journal.close();
  const again = await openJournal<{ id: string }>(path);
  assert.deepEqual(again.open(), [{ id: "c" }]);
  await again.close();
  await Deno.remove(dir, { recursive: true });
});
