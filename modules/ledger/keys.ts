/**
 * Every Redis key of the pool, as functions; no other file spells one.
 *
 * The first part keeps open-ethereum-pool's names, types and units, so that an operator can go over
 * and back on the same database. All that quarry adds lies under `<prefix>:quarry:`, because the
 * old pool scans `<prefix>:miners:*` and `<prefix>:hashrate:*` and would trip over anything new.
 */
import { viewKeys } from "./view_keys.ts";

/** Builds the keys of one pool. */
export type Keys = ReturnType<typeof createKeys>;

/** Keys under a prefix: the configuration's `coin`, for Redis Cluster in braces ("{etc}"). */
export function createKeys(prefix: string) {
  return {
    prefix,
    /** hash: `<name>:name|height|difficulty|lastBeat` of each instance. */
    nodes: () => `${prefix}:nodes`,
    /** zset: height → `nonce:headerHash:mixDigest` of accepted shares (duplicate set). */
    pow: () => `${prefix}:pow`,
    /** hash: login → sum of share difficulty since the last candidate. */
    roundCurrent: () => `${prefix}:shares:roundCurrent`,
    /** hash: login → sum of share difficulty of a closed round; `nonce` is 0x hex. */
    round: (height: bigint | number | string, nonce: string) =>
      `${prefix}:shares:round${height}:${nonce}`,
    /** hash: `roundShares`, `lastBlockFound` (unix seconds). */
    stats: () => `${prefix}:stats`,
    /** zset: blocks found → login. */
    finders: () => `${prefix}:finders`,
    /** hash: `lastShare`, `blocksFound`, `immature`, `balance`, `pending`, `paid` (Shannon). */
    miner: (login: string) => `${prefix}:miners:${login}`,
    /** Pattern of all miner keys. */
    minerPattern: () => `${prefix}:miners:*`,
    /** zset (old pool only): unix seconds → `difficulty:login:worker:ms`. */
    hashrate: () => `${prefix}:hashrate`,
    /** zset (old pool only): unix seconds → `difficulty:worker:ms`. */
    hashrateOf: (login: string) => `${prefix}:hashrate:${login}`,
    /** zset: height → `nonce:headerHash:mix:foundAt:roundDifficulty:totalShares`. */
    candidates: () => `${prefix}:blocks:candidates`,
    /** zset: height → `uncleHeight:orphan:nonce:hash:foundAt:difficulty:totalShares:rewardWei`. */
    immature: () => `${prefix}:blocks:immature`,
    /** zset: height → the same eight fields as immature. */
    matured: () => `${prefix}:blocks:matured`,
    /** hash: login → immature credit (Shannon). */
    creditsImmature: (height: bigint | number | string, hash: string) =>
      `${prefix}:credits:immature:${height}:${hash}`,
    /** hash: login → matured credit (Shannon); kept for ever. */
    credits: (height: bigint | number | string, hash: string) =>
      `${prefix}:credits:${height}:${hash}`,
    /** zset: height → `hash:timestamp:rewardWei`. */
    creditsAll: () => `${prefix}:credits:all`,
    /** hash: `immature`, `balance`, `pending`, `paid`, `totalMined` (Shannon), `lastCredit*`. */
    finances: () => `${prefix}:finances`,
    /** string: `login:amountShannon` while a payment is open. */
    paymentsLock: () => `${prefix}:payments:lock`,
    /** zset: unix seconds → `login:amountShannon`. */
    paymentsPending: () => `${prefix}:payments:pending`,
    /** zset: unix seconds → `txHash:login:amountShannon`. */
    paymentsAll: () => `${prefix}:payments:all`,
    /** zset: unix seconds → `txHash:amountShannon`. */
    paymentsOf: (login: string) => `${prefix}:payments:${login}`,
    /** set of logins that may not mine. */
    blacklist: () => `${prefix}:blacklist`,
    /** set of addresses (IP) that are never banned. */
    whitelist: () => `${prefix}:whitelist`,

    /** Everything that quarry adds. */
    own: ownKeys(`${prefix}:quarry`),
  };
}

/** Keys of quarry's own; a Go pool never looks below this prefix. */
function ownKeys(own: string) {
  return {
    /** Pattern of all keys of quarry's own. */
    pattern: () => `${own}:*`,
    /** string: `1`, set when a database was first opened by quarry. */
    schema: () => `${own}:schema`,
    /** hash: `height` = highest job height of any share; `sharedBlockAt` = last prop or pplns block. */
    chain: () => `${own}:chain`,
    /** string with expiry: the stored reply of one batch of shares. */
    batch: (id: string) => `${own}:batch:${id}`,
    /** hash with expiry: `login:worker` → difficulty, `login:worker:t` → last share (s). */
    bucket: (startSeconds: number) => `${own}:hashrate:${startSeconds}`,
    /** hash with expiry: `login:worker` → `hashrateHps:unixSeconds` as the miner reported it. */
    reported: () => `${own}:reported`,
    /** hash: login → sum of solo share difficulty since its last solo block. */
    solo: () => `${own}:solo`,
    /**
     * hash: the PPLNS window: `first`, `open` (numbers of its oldest and newest slice), `total`
     * (difficulty of these and all between), `s<number>` (of each), `dropping`, `cursor`.
     */
    pplns: () => `${own}:pplns`,
    /** hash: login → sum of share difficulty in the PPLNS window. */
    pplnsSums: () => `${own}:pplns:sums`,
    /** hash each: login → sum of share difficulty in one slice; scripts add the slice's number. */
    pplnsSlicePrefix: () => `${own}:pplns:slice:`,
    /** hash: extranonce → `scheme:fromHeight:toHeight` where its nonces count by another scheme. */
    extranonces: () => `${own}:extranonces`,
    /** hash: number (0 to 255) → name of the instance whose extranonces begin with it. */
    instances: () => `${own}:instances`,
    /** zset: time until which it is held (ms) → number of an instance. */
    instancesUntil: () => `${own}:instances:until`,
    /** hash: `<height>:<nonce>` → JSON of what the nodes answered to eth_submitWork. */
    submissions: () => `${own}:submissions`,
    /** hash: scratch for exact sums inside a script; empty outside. */
    scratch: () => `${own}:scratch`,
    /** hash: `holder`, `token`, `untilMs` of the one unlocker or payer. */
    lease: (role: string) => `${own}:lease:${role}`,
    /** string: the last fencing token handed out. */
    fence: (role: string) => `${own}:fence:${role}`,
    /** string: JSON of what alerts have told. */
    alerts: () => `${own}:alerts`,
    /** list: JSON (AuditRow) of what people changed, newest first. */
    acts: () => `${own}:acts`,
    /** string: JSON of the differences that were signed off when quarry took the database over. */
    opening: () => `${own}:opening`,
    /**
     * hash: totals, each as `…Shannon` and `…WeiRest`: `reward|extra|fee|dust` of matured blocks,
     * `gas` that payments cost and `gasShare` that their miners bore of it.
     */
    poolAccounts: () => `${own}:accounts`,
    ...blockKeys(own),
    ...paymentKeys(own),
    ...viewKeys(own),
    /** hash: login → JSON (MinerSettings) of what the miner has set. */
    settings: () => `${own}:settings`,
    /** hash: role → JSON {state, reason, mend, sinceMs} of the money loops. */
    status: () => `${own}:status`,
    /** string: JSON snapshot that the API serves. */
    snapshot: (name: string) => `${own}:snapshot:${name}`,
    /** hash: login → JSON of its workers, from the last collection. */
    snapshotMiners: () => `${own}:snapshot:miners`,
  };
}

/** Keys of found blocks. */
function blockKeys(own: string) {
  return {
    /** string: height up to which the chain was searched for blocks of ours. */
    blocksScanned: () => `${own}:blocks:scanned`,
    /** hash: `<height>:<nonce>` → JSON (UnknownBlock) of blocks of ours that no row accounts for. */
    blocksUnknown: () => `${own}:blocks:unknown`,
    /** hash: `<height>:<nonce>` → JSON (BlockAccount) of each block that left the candidates. */
    blockAccounts: () => `${own}:blocks:accounts`,
    /** hash: `plan`, `sum` (Shannon) of a block's step that was cut between chunks. */
    transition: (id: string) => `${own}:transition:${id}`,
    /** hash: `<height>:<nonce>` → scheme of that round; a round without one is "prop". */
    roundSchemes: () => `${own}:rounds:schemes`,
  };
}

/** Keys of the payments that quarry makes. */
function paymentKeys(own: string) {
  return {
    /** hash of one payment. */
    payment: (id: string) => `${own}:payment:${id}`,
    /** zset: payment number → id of payments that are not final. */
    paymentsOpen: () => `${own}:payments:open`,
    /** hash: login → id of its open payment. */
    paymentsOpenByLogin: () => `${own}:payments:login`,
    /** zset: payment number → id of payments that are final. */
    paymentsClosed: () => `${own}:payments:closed`,
    /** zset: unix seconds → id of a login's payments that were signed and came back. */
    paymentsFailedOf: (login: string) => `${own}:payments:failed:${login}`,
    /**
     * hash: `address:nonce` → payment id; `address:checked` → first unaccounted nonce;
     * `address:adopted` → first nonce that a journal must have, when the former one is gone.
     */
    paymentNonces: () => `${own}:payments:nonces`,
    /** zset: when it was signed (unix seconds) → `id:amountShannon` of the last days' payments. */
    paymentsSpent: () => `${own}:payments:spent`,
    /** string: the last payment number. */
    paymentNumber: () => `${own}:payments:number`,
    /** string: JSON (PayoutsPause) while payments are paused by hand. */
    payoutsPause: () => `${own}:payments:paused`,
    /** set of logins whose payments wait for a human. */
    paymentsHeld: () => `${own}:payments:held`,
  };
}
