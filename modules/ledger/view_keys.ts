/** Keys of what is counted and kept for statistics and the API alone; money never depends on them. */

/** Keys below `<prefix>:quarry`. */
export function viewKeys(own: string) {
  return {
    /** hash: `<foundAt>:<nonce>` → `login:worker:effortShares:roundStartedAt` of each found block. */
    finds: () => `${own}:finds`,
    /** zset: unix seconds → `<height>:<nonce>` of the blocks that a login found. */
    findsOf: (login: string) => `${own}:finds:${login}`,
    /**
     * hash with expiry: `login:worker:v|s|i` → shares valid, stale, invalid in five minutes, and
     * `login:worker:d` → `difficulty:dialect` of its last valid one.
     */
    shareCounts: (startSeconds: number) => `${own}:counts:${startSeconds}`,
    /** hash with expiry: `login:worker` → one hour's `difficulty:valid:stale:invalid:first:last`. */
    hour: (startSeconds: number) => `${own}:hour:${startSeconds}`,
    /** string with expiry: `<slot>:<values>;…` of one series in one span of time. */
    series: (range: string, chunk: number, name: string) =>
      `${own}:series:${range}:${chunk}:${name}`,
    /** hash: range → unix seconds up to which its series are written. */
    seriesUntil: () => `${own}:series:until`,
    /** hash: login → JSON of its workers' last day, from the last collection. */
    workerDays: () => `${own}:snapshot:days`,
    /** hash with expiry: page → JSON of the miners in order of their hashrate. */
    ranking: () => `${own}:snapshot:ranking`,
  };
}
