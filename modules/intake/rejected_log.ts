/** The rejected-share log: what support needs to look at a share again, rate-limited and bounded. */
import type { Clock } from "../base/mod.ts";

/** One rejected share, as a JSON line; the fields are those that verify-share reads. */
export interface RejectedShare {
  rejection: string;
  login: string;
  worker: string;
  headerHash: string;
  nonce: string;
  mix?: string;
  /** Missing when the pool did not know the header. */
  height?: number;
  /** Share difficulty (hashes), decimal text. */
  difficulty: string;
  algorithm: string;
  "ecip1099-height"?: number;
}

/** Takes rejected shares. */
export interface RejectedLog {
  /** Gives the share's id in the log, or undefined when the rate limit left it out. */
  add(share: RejectedShare): string | undefined;
  /** Resolves when everything taken is written. */
  close(): Promise<void>;
}

/** Where the lines go: the file, or its replacement when it has grown. */
export interface RejectedFile {
  append(line: string): Promise<void>;
  close(): void;
}

/** Shares a second that are written at most, and how many at once after a quiet time. */
const RATE = 10;
const BURST = 100;
/** A file that has grown to this (bytes) is put aside as `.1`, over the one before. */
const FILE_BYTES_MAX = 8 * 1024 * 1024;

/** A log over a file; `prefix` makes its ids unique among workers and starts. */
export function openRejectedLog(
  file: RejectedFile,
  deps: { clock: Clock; prefix: string; onError(error: unknown): void },
): RejectedLog {
  let tokens = BURST;
  let lastMs = deps.clock.now();
  let count = 0;
  let leftOut = 0;
  let tail = Promise.resolve();
  return {
    add(share) {
      const nowMs = deps.clock.now();
      tokens = Math.min(BURST, tokens + RATE * (nowMs - lastMs) / 1_000);
      lastMs = nowMs;
      if (tokens < 1) {
        leftOut++;
        return undefined;
      }
      tokens--;
      const id = `${deps.prefix}-${++count}`;
      const line = {
        id,
        at: new Date(nowMs).toISOString(),
        ...share,
        ...(leftOut > 0 ? { leftOut } : {}),
      };
      leftOut = 0;
      tail = tail.then(() => file.append(JSON.stringify(line) + "\n")).catch(deps.onError);
      return id;
    },
    async close() {
      await tail;
      file.close();
    },
  };
}

/** Opens the file, made when missing; never more than two of its size lie on disk. */
export async function openRejectedFile(
  path: string,
  maxBytes = FILE_BYTES_MAX,
): Promise<RejectedFile> {
  let file = await Deno.open(path, { append: true, create: true });
  let size = (await file.stat()).size;
  return {
    async append(line) {
      const bytes = new TextEncoder().encode(line);
      if (size > 0 && size + bytes.length > maxBytes) {
        file.close();
        await Deno.rename(path, `${path}.1`);
        file = await Deno.open(path, { append: true, create: true });
        size = 0;
      }
      for (let offset = 0; offset < bytes.length;) {
        offset += await file.write(bytes.subarray(offset));
      }
      size += bytes.length;
    },
    close: () => file.close(),
  };
}
