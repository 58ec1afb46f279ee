/** Status codes of the native library: the same table as native/include/quarry_ethash.h. */

/** Codes by name; zero and above are answers, below zero are errors. */
export const STATUS = {
  OK: 0,
  NOT_FOUND: 1,
  CLAIM_FAILED: 2,
  NULL_POINTER: -1,
  INVALID_LENGTH: -2,
  INVALID_HANDLE: -3,
  INVALID_EPOCH: -4,
  UNSUPPORTED: -5,
  OUT_OF_MEMORY: -6,
  TOO_MANY_HANDLES: -7,
  IO: -8,
  INVALID_DATASET: -9,
  NO_DATASET: -10,
  CLOSED: -11,
  TIER_UNAVAILABLE: -12,
  BUSY: -13,
  PANIC: -99,
} as const;

/** The name of a status code, for messages. */
export type StatusName = keyof typeof STATUS;

/** The name of a code, or its number as text when the table does not have it. */
export function statusName(code: number): StatusName | `${number}` {
  for (const [name, value] of Object.entries(STATUS)) {
    if (value === code) return name as StatusName;
  }
  return `${code}`;
}
