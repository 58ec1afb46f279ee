/** Questions and answers in English. */

/** Each: an anchor, the question, paragraphs of the answer. */
export type Help = readonly (readonly [string, string, ...string[]])[];

export const help: Help = [
  [
    "hashrate",
    "Why is my hashrate here not what my program shows?",
    "Your program counts hashes; the pool sees shares alone, and a share is luck. The effective hashrate, from the shares of the last 30 minutes, swings around the real one. The averages over 3 and 24 hours swing less: compare those.",
    "If the day's average stays more than a few per cent below what your program reports, look at stale and invalid shares.",
  ],
  [
    "ramp",
    "Why does my hashrate climb so slowly?",
    "It is an average of 30 minutes: after ten minutes about a third of your hashrate is shown. When you stop, it falls as slowly.",
  ],
  [
    "stale",
    "What are stale and invalid shares?",
    "A stale share is right but late: the network had moved on. Up to two per cent are usual; more points to a slow connection. An invalid share is wrong, nearly always from overclocking.",
  ],
  [
    "payout",
    "When am I paid?",
    "When your unpaid balance reaches the threshold, the next payout run pays all of it. Only matured blocks count: immature credits become unpaid when their blocks have enough confirmations.",
  ],
  [
    "immature",
    "Why did my immature balance shrink?",
    "A block can be orphaned: another took its place in the chain, and it earns nothing. Its credits are taken back; under the proportional scheme its shares return to the round.",
  ],
  [
    "effort",
    "What is effort?",
    "The work that the pool put into a block, in per cent of what a block takes on average. At 50 % the block came after half the work; at 200 % it took twice the work. Over many blocks it nears 100 %.",
  ],
  [
    "schemes",
    "What do proportional, PPLNS and solo mean?",
    "Proportional: each block is split by the shares of its own round. PPLNS: it is split by the last shares before it, whichever round they were in. Solo: it belongs to the one who found it.",
  ],
  [
    "threshold",
    "Can I change my threshold?",
    "Yes, under Settings on your page. The change counts when the wallet of your payout address has signed it; signing costs nothing.",
  ],
];
