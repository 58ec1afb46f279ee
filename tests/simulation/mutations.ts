/**
 * Planted bugs, each of which the simulation must find: a text of the code and what it is replaced
 * by in a copy of the tree. `worlds` seeds from `seed` on find it within seconds.
 */

/** A planted bug. */
export interface Mutation {
  name: string;
  /** What would go wrong in a pool that had it. */
  why: string;
  edits: readonly { file: string; find: string; replace: string }[];
  seed: number;
  worlds: number;
  days: number;
}

const RUN = { seed: 1, worlds: 4, days: 10 };

/** All of them. */
export const MUTATIONS: readonly Mutation[] = [
  {
    name: "send before store",
    why: "a crash after the broadcast leaves a transfer that nobody knows",
    edits: [{
      file: "modules/payouts/pay.ts",
      find: "  await payments.sign(lease, payment.id, transaction, unixSeconds(payer.clock));",
      replace: "  await payer.node.sendRawTransaction(raw);\n" +
        "  await payments.sign(lease, payment.id, transaction, unixSeconds(payer.clock));",
    }],
    ...RUN,
  },
  {
    name: "debit without row",
    why: "money is pending, and no payment settles it",
    edits: [{
      file: "modules/ledger/scripts/reserve_payment.lua",
      find: 'redis.call("ZADD", KEYS[7], number, ARGV[2])',
      replace: "",
    }],
    ...RUN,
  },
  {
    name: "ignore a lost reply",
    why: "a miner is told that its share was not counted, and it was",
    edits: [{
      file: "modules/ledger/recorder.ts",
      find: 'if (error instanceof StoreError && error.fate !== "unknown") return undefined;',
      replace: "return undefined;",
    }],
    ...RUN,
  },
  {
    name: "a batch that comes again is recorded again",
    why: "after a lost reply credited shares are called duplicates",
    edits: [{
      file: "modules/ledger/scripts/record_shares.lua",
      find: "if stored then\n  -- A write",
      replace: "if false then\n  -- A write",
    }],
    ...RUN,
  },
  {
    name: "a round is renamed over another",
    why: "the shares of the round that had the key are gone",
    edits: [{
      file: "modules/ledger/scripts/record_candidate.lua",
      find: 'redis.call("HEXISTS", KEYS[12], ARGV[10]) == 1 or ',
      replace: "",
    }, {
      file: "modules/ledger/scripts/record_candidate.lua",
      find: 'elseif redis.call("EXISTS", KEYS[8]) == 1 then',
      replace: "elseif false then",
    }],
    ...RUN,
  },
  {
    name: "orphaned shares return twice",
    why: "who mined in an orphaned round is paid twice for it",
    edits: [{
      file: "modules/ledger/scripts/orphan_block.lua",
      find: '    redis.call("HDEL", KEYS[8], login)\n',
      replace: "",
    }, {
      file: "modules/ledger/scripts/orphan_block.lua",
      find: 'if last and returns and redis.call("HLEN", KEYS[8]) ~= shareCount then',
      replace: "if false then",
    }],
    ...RUN,
    seed: 62,
  },
  {
    name: "refund of a payment that is on its way",
    why: "a payment that left a block in a reorganization is mined again after its debit returned",
    edits: [{
      file: "modules/payouts/settle.ts",
      find:
        "          await payer.payments.recordReceipt(lease, payment.id, undefined, now(payer));",
      replace:
        '          await payer.payments.giveBack(lease, payment, { state: "reverted", reason: "gone", ' +
        "hold: false }, now(payer));\n          continue;",
    }],
    ...RUN,
  },
  {
    name: "an uncle is matched as a block",
    why: "a whole reward is credited for what paid a part of it",
    edits: [{
      file: "modules/unlocker/match.ts",
      find: 'if (isSame(uncle, sought, coinbases)) return { kind: "uncle", uncle, including };',
      replace: 'if (isSame(uncle, sought, coinbases)) return { kind: "block", block: uncle };',
    }],
    ...RUN,
  },
  {
    name: "a credit counts again on a retry",
    why: "a step that was cut between chunks credits its first miners twice",
    edits: [{
      file: "modules/ledger/scripts/credit_immature.lua",
      find: "  if fresh[n] then\n    local login, amount",
      replace: "  if true then\n    local login, amount",
    }],
    ...RUN,
    seed: 4,
  },
  {
    name: "a stale lease is honoured",
    why: "two unlockers or payers write at once",
    edits: [{
      file: "modules/ledger/scripts/money.lua",
      find: 'if redis.call("HGET", KEYS[1], "token") ~= ARGV[1] then',
      replace: "if false then",
    }],
    ...RUN,
    seed: 3,
  },
  {
    name: "the journal is not read at the start",
    why: "a payment that Redis forgot is made once more",
    edits: [{
      file: "modules/payouts/recover.ts",
      find: "if (states[i] === undefined) await bookAgain(payer, lease, entry);",
      replace: "if (states[i] === undefined) continue;",
    }, {
      file: "modules/payouts/nonces.ts",
      find: "  if (checked < latest || lost !== undefined) {",
      replace: "  if (false as boolean) {",
    }],
    ...RUN,
    seed: 15,
  },
  {
    name: "an earlier hash is forgotten",
    why: "the transaction that was outbid is mined after all, and is not known as the payment's",
    edits: [{
      file: "modules/ledger/scripts/sign_payment.lua",
      find: 'hashes == "" and ARGV[5] or hashes .. "," .. ARGV[5]',
      replace: "ARGV[5]",
    }],
    ...RUN,
  },
  {
    name: "an orphan is declared at once",
    why: "a block that comes back is paid although its shares returned",
    edits: [{
      file: "modules/unlocker/unlock.ts",
      find: "const old = head.number - rules.depth;",
      replace: "const old = head.number - rules.immatureDepth;",
    }],
    ...RUN,
    seed: 18,
  },
  {
    name: "a missing block is no obstacle",
    why: "a node that lacks a block makes an orphan of a good one",
    edits: [{
      file: "modules/unlocker/match.ts",
      find: "    if (block === undefined) return `the node has no block ${from + i}`;",
      replace: "    if (block === undefined) continue;",
    }, {
      file: "modules/unlocker/match.ts",
      find: "    if (blocks[i]!.parentHash !== blocks[i - 1]!.hash) {",
      replace: "    if (false as boolean) {",
    }],
    ...RUN,
    seed: 2,
  },
  {
    name: "credits are rounded up",
    why: "the pool pays more than the chain paid it",
    edits: [{
      file: "modules/unlocker/split.ts",
      find: "  return over / under;",
      replace: "  return (over + under - 1n) / under;",
    }],
    ...RUN,
    seed: 2,
  },
  {
    name: "an immature credit stays when its block is orphaned",
    why: "miners own what the chain took back",
    edits: [{
      file: "modules/ledger/scripts/orphan_block.lua",
      find: "  if takes[n] then takeBack(",
      replace: "  if false then takeBack(",
    }],
    ...RUN,
    seed: 5,
  },
];
