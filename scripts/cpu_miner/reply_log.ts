/** The miner's own record of every answer: one JSON line each, appended in order. */
import type { ReplyEntry } from "./options.ts";

/** Appends lines to a file, or nowhere when there is none. */
export class ReplyLog {
  #file: Promise<Deno.FsFile> | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string | undefined) {
    if (path === undefined) return;
    this.#file = Deno.open(path, { append: true, create: true, write: true });
    // Reported by the first append.
    this.#file.catch(() => {});
  }

  /** Appends one line; the system flushes it when it likes. */
  append(entry: ReplyEntry): Promise<void> {
    const opening = this.#file;
    if (opening === undefined) return Promise.resolve();
    const bytes = new TextEncoder().encode(JSON.stringify(entry) + "\n");
    const written = this.#writing.then(async () => {
      const file = await opening;
      for (let sent = 0; sent < bytes.length;) sent += await file.write(bytes.subarray(sent));
    });
    this.#writing = written.catch(() => {});
    return written;
  }

  /** Waits for the last line and closes the file. */
  async close(): Promise<void> {
    await this.#writing;
    const file = await this.#file?.catch(() => undefined);
    file?.close();
  }
}
