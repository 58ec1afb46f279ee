/** Unpacking the real library, and folders that must not be trusted. */
import assert from "node:assert/strict";
import { defaultLibraryPath, openLibrary } from "./library.ts";
import { unpackLibrary } from "./unpack.ts";

async function withParent(test: (parent: string) => Promise<void>): Promise<void> {
  const parent = await Deno.makeTempDir({ prefix: "quarry-unpack-" });
  try {
    await test(parent);
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}

async function packed() {
  const bytes = await Deno.readFile(defaultLibraryPath());
  const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  return { bytes, sha256, uid: Deno.uid()! };
}

Deno.test("unpackLibrary() gives a library that opens, once for all starts", async () => {
  await withParent(async (parent) => {
    const options = { ...await packed(), parent };
    const path = await unpackLibrary(options);
    const { mode } = await Deno.lstat(path.slice(0, path.lastIndexOf("/")));
    assert.equal(mode! & 0o777, 0o700);
    const library = openLibrary(path);
    assert.equal(library.keccak256(new Uint8Array()).length, 32);
    library.close();
    const { ino } = await Deno.lstat(path);
    assert.equal(await unpackLibrary(options), path);
    assert.equal((await Deno.lstat(path)).ino, ino, "the same file");
  });
});

Deno.test("openLibrary() names the mend that fits where the library is", async () => {
  await withParent(async (parent) => {
    const path = await unpackLibrary({ ...await packed(), parent });
    await Deno.chmod(path, 0o600);
    await Deno.writeTextFile(path, "for another system");
    assert.throws(() => openLibrary(path), /get the binary that is made for this system/);
    assert.throws(() => openLibrary(`${parent}/none.so`), /run "deno task native"/);
  });
});

Deno.test({
  name: "openLibrary() says what to do where programs may not run",
  // Only root may mount.
  ignore: Deno.uid() !== 0,
  async fn() {
    await withParent(async (parent) => {
      const run = (program: string, ...args: string[]) =>
        new Deno.Command(program, { args }).output();
      const options = ["-t", "tmpfs", "-o", "noexec,size=32m", "quarry-test", parent];
      // A container may forbid it to its root.
      if (!(await run("mount", ...options)).success) return;
      try {
        const { bytes, sha256, uid } = await packed();
        const path = await unpackLibrary({ bytes, sha256, uid, parent });
        assert.throws(() => openLibrary(path), /set TMPDIR or XDG_RUNTIME_DIR to a folder/);
        await Deno.writeFile(`${parent}/x.so`, bytes);
        assert.throws(() => openLibrary(`${parent}/x.so`), /move quarry to a file system/);
      } finally {
        // The linker may hold a file for a moment yet.
        await run("umount", "-l", parent);
      }
    });
  },
});

Deno.test("unpackLibrary() replaces a file that was changed, and refuses damaged bytes", async () => {
  await withParent(async (parent) => {
    const options = { ...await packed(), parent };
    const path = await unpackLibrary(options);
    await Deno.remove(path);
    await Deno.writeTextFile(path, "something else");
    assert.equal(await unpackLibrary(options), path);
    assert.deepEqual(await Deno.readFile(path), options.bytes);
    const damaged = options.bytes.slice();
    damaged[100]! ^= 1;
    await assert.rejects(unpackLibrary({ ...options, bytes: damaged }), /damaged, get it anew/);
  });
});

Deno.test("unpackLibrary() refuses a folder of others, an open one and a link", async () => {
  await withParent(async (parent) => {
    const options = { ...await packed(), parent };
    const folder = `${parent}/quarry-${options.uid}`;
    await Deno.mkdir(`${parent}/elsewhere`, { mode: 0o700 });
    await Deno.symlink(`${parent}/elsewhere`, folder);
    await assert.rejects(unpackLibrary(options), /is a link; remove it, or set TMPDIR/);
    await Deno.remove(folder);
    await Deno.mkdir(folder);
    await Deno.chmod(folder, 0o755);
    await assert.rejects(unpackLibrary(options), /is open to others/);
    await Deno.chmod(folder, 0o700);
    await Deno.mkdir(`${parent}/quarry-4242`, { mode: 0o700 });
    await assert.rejects(unpackLibrary({ ...options, uid: 4242 }), /belongs to user/);
    const file = { ...options, parent: `${parent}/none` };
    await assert.rejects(unpackLibrary(file), /set TMPDIR to a folder that may be written/);
  });
});
