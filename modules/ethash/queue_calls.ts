/** The library's queue: shares handed over without waiting, answers fetched when some are done. */
import { statusError } from "./errors.ts";
import { STATUS } from "./status.ts";
import type { SYMBOLS } from "./symbols.ts";

/** Bytes of a task: ticket 4, kind 4, nonce 8 (little-endian), header 32, mix 32, target 32. */
export const TASK_BYTES = 112;
/** Bytes of an answer: ticket 4, status 4 (little-endian), mix digest 32, result 32. */
export const DONE_BYTES = 72;
/** Kind of a task that is hashed. */
export const TASK_HASH = 0;
/** Kind of a task whose claimed mix digest is compared with the target first. */
export const TASK_CLAIM = 1;

type Bytes = Uint8Array<ArrayBuffer>;

/** Numbers of the process's hashing threads. */
export interface PoolInfo {
  threads: number;
  idle: number;
  /** Shares that no thread has begun. */
  waiting: number;
  /** Batches hashed since the process began, and the shares in them. */
  batches: number;
  hashed: number;
}

/** The queue's functions. */
export interface QueueCalls {
  /** Opens a queue of a capacity; `threads` hash at least, in this process (0: one per core). */
  openQueue(capacity: number, threads: number): number;
  /** Hands tasks over, all or none; the bytes may be used again when this returns. */
  submitTasks(queue: number, handle: number, flags: number, tasks: Bytes): void;
  /** Waits until something is done; false when nothing is under way. */
  waitForDone(queue: number): Promise<boolean>;
  /** Fills `out` with what is done; returns how many answers that are. */
  takeDone(queue: number, out: Bytes): number;
  /** Answers what no thread has begun with CLOSED. */
  drainQueue(queue: number): void;
  closeQueue(queue: number): void;
  poolInfo(): PoolInfo;
}

/** The queue's functions over the library's symbols, for an owner. */
export function queueCalls(
  symbols: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"],
  owner: number,
): QueueCalls {
  const number = new Uint32Array(1);
  const numberBytes = new Uint8Array(number.buffer);
  return {
    openQueue(capacity, threads) {
      check("open a queue", symbols.queueOpen(owner, capacity, threads, numberBytes));
      return number[0]!;
    },
    submitTasks(queue, handle, flags, tasks) {
      const code = symbols.queueSubmit(queue, handle, flags, tasks, BigInt(tasks.length));
      if (code < 0) throw statusError(`verify ${tasks.length / TASK_BYTES} shares`, code);
    },
    async waitForDone(queue) {
      return check("wait for shares", await symbols.queueWait(queue)) === STATUS.OK;
    },
    takeDone(queue, out) {
      check("fetch shares", symbols.queueTake(queue, out, BigInt(out.length), numberBytes));
      return number[0]!;
    },
    drainQueue(queue) {
      check("drain a queue", symbols.queueDrain(queue));
    },
    closeQueue(queue) {
      check("close a queue", symbols.queueClose(queue));
    },
    poolInfo() {
      const view = new DataView(new ArrayBuffer(32));
      check("read the pool", symbols.poolInfo(new Uint8Array(view.buffer)));
      return {
        threads: view.getUint32(0, true),
        idle: view.getUint32(4, true),
        waiting: Number(view.getBigUint64(8, true)),
        batches: Number(view.getBigUint64(16, true)),
        hashed: Number(view.getBigUint64(24, true)),
      };
    },
  };
}

function check(action: string, code: number): number {
  if (code < 0) throw statusError(action, code);
  return code;
}
