/** The audit: every Shannon of the books accounted for, or what is not; pure rules over read books. */
import { type Shannon, type Wei, WEI_PER_SHANNON, weiToShannonFloor } from "../base/mod.ts";
import { mendOfAmount } from "./accounts.ts";
import type { AuditedBlock, Books } from "./audit_books.ts";
import { expectedAmount } from "./audit_unreadable.ts";

/** Findings of one rule that are listed; further ones are counted. */
const LISTED = 20;

/** One thing that does not add up. */
export interface AuditFinding {
  rule: string;
  /** What was compared, for people. */
  what: string;
  expected: bigint;
  found: bigint;
}

/** What an audit came to. */
export interface AuditReport {
  /** Each rule with the number of comparisons it made and the ones that failed. */
  rules: { rule: string; compared: number; failed: number }[];
  /** As many a rule as were asked for. */
  findings: AuditFinding[];
  /** What is no fault but worth knowing. */
  notes: string[];
}

/** Compares one thing with another; differences of the opening are taken into account. */
type Compare = (what: string, expected: bigint, found: bigint) => void;

interface Rule {
  name: string;
  check(books: Books, compare: Compare): void;
}

const RULES: readonly Rule[] = [
  {
    name: "miners",
    check(books, compare) {
      for (const field of ["immature", "balance", "pending", "paid"] as const) {
        const of = `${field}Shannon` as const;
        compare(
          `${field} of all miners and of finances`,
          sum(books.miners.values(), (one) => one[of]),
          books.finances[of],
        );
      }
    },
  },
  {
    name: "no debts",
    check({ miners }, compare) {
      for (const one of miners.values()) {
        for (const field of ["immature", "balance", "pending", "paid"] as const) {
          const amount = one[`${field}Shannon`];
          compare(`${field} of ${one.login} below zero`, amount < 0n ? 0n : amount, amount);
        }
      }
    },
  },
  {
    name: "immature credits",
    check({ miners, immatureCredits }, compare) {
      for (const login of new Set([...miners.keys(), ...immatureCredits.keys()])) {
        const credited = immatureCredits.get(login) ?? 0n;
        compare(`immature of ${login}`, credited, miners.get(login)?.immatureShannon ?? 0n);
      }
    },
  },
  {
    name: "credits",
    check({ miners, maturedCredits }, compare) {
      for (const login of new Set([...miners.keys(), ...maturedCredits.keys()])) {
        const one = miners.get(login);
        const has = one === undefined
          ? 0n
          : one.balanceShannon + one.pendingShannon + one.paidShannon;
        compare(`credits of ${login} and what it has or got`, maturedCredits.get(login) ?? 0n, has);
      }
    },
  },
  {
    name: "blocks",
    check({ immature, matured, cutSteps }, compare) {
      const cut = new Set(cutSteps);
      for (const block of immature) {
        const { height, nonce } = block.row;
        // Its credits are on their way, chunk by chunk: the next pass finishes the step.
        const moving = ["mature", "orphan"].some((kind) => cut.has(`${kind}:${height}:${nonce}`));
        if (!moving) compareBlock(block, compare);
      }
      for (const block of matured) compareBlock(block, compare);
    },
  },
  {
    name: "mined",
    check({ matured, finances, poolAccounts }, compare) {
      const mined = matured.filter(({ row }) => !row.orphan);
      compare(
        "rewards of matured blocks and totalMined",
        sum(mined, ({ row }) => weiToShannonFloor(row.rewardWei)),
        finances.totalMinedShannon,
      );
      for (const name of ["reward", "extra", "uncreditedFee", "dust"] as const) {
        const field = name === "uncreditedFee" ? "fee" : name;
        compare(
          `${field} of matured blocks and the pool's account (wei)`,
          sum(mined, ({ account }) => BigInt(account?.[`${name}Wei`] ?? 0)),
          BigInt(poolAccounts[`${field}Shannon`] ?? 0) * WEI_PER_SHANNON +
            BigInt(poolAccounts[`${field}WeiRest`] ?? 0),
        );
      }
    },
  },
  {
    name: "pending amounts",
    check({ miners, pendingRows, openPayments }, compare) {
      const rows = byLogin(pendingRows), open = byLogin(openPayments);
      for (const login of new Set([...miners.keys(), ...rows.keys(), ...open.keys()])) {
        const pending = miners.get(login)?.pendingShannon ?? 0n;
        compare(`rows of ${login} in payments:pending`, rows.get(login) ?? 0n, pending);
        // What the old pool left pending is no payment of quarry's.
        if (open.has(login)) compare(`open payments of ${login}`, open.get(login)!, pending);
      }
    },
  },
  {
    name: "payments made",
    check({ miners, paidInAll, paidInOwn }, compare) {
      for (const login of new Set([...miners.keys(), ...paidInAll.keys(), ...paidInOwn.keys()])) {
        const paid = miners.get(login)?.paidShannon ?? 0n;
        compare(`rows of ${login} in payments:all`, paidInAll.get(login) ?? 0n, paid);
        compare(`rows of ${login} in its own list`, paidInOwn.get(login) ?? 0n, paid);
      }
    },
  },
  {
    name: "nonces",
    check({ openPayments }, compare) {
      const seen = new Map<number, string>();
      for (const { id, signed } of openPayments) {
        if (signed === undefined) continue;
        compare(
          `nonce ${signed.nonce} of payments ${seen.get(signed.nonce) ?? ""} and ${id}`,
          1n,
          seen.has(signed.nonce) ? 2n : 1n,
        );
        seen.set(signed.nonce, id);
      }
    },
  },
  {
    name: "rounds",
    check({ candidates }, compare) {
      for (const { candidate: { height, nonce, totalShares }, sharesSum } of candidates) {
        compare(`shares of round ${height}:${nonce}`, sharesSum, totalShares);
      }
    },
  },
];

/**
 * Runs every rule over the books; differences that were signed off at the take-over are no fault.
 *
 * @param listed findings of one rule that are listed
 */
export function audit(books: Books, listed = LISTED): AuditReport {
  const report: AuditReport = { rules: [], findings: [], notes: notesOf(books) };
  for (const { name, check } of RULES) {
    let compared = 0, failed = 0;
    check(books, (what, expected, found) => {
      compared++;
      if (found - expected === (books.opening.differences.get(what) ?? 0n)) return;
      failed++;
      if (failed <= listed) report.findings.push({ rule: name, what, expected, found });
    });
    report.rules.push({ rule: name, compared, failed });
  }
  addUnreadable(books, report);
  return report;
}

/** Amounts that cannot be read fail whatever they are to be: each with that, and the mend. */
function addUnreadable(books: Books, report: AuditReport): void {
  const { unreadable } = books;
  if (unreadable.length === 0) return;
  const rule = "readable amounts";
  report.rules.push({ rule, compared: unreadable.length, failed: unreadable.length });
  for (const one of unreadable) {
    const expected = expectedAmount(books, one);
    const what = `${one.key} field ${one.field} cannot be read (${JSON.stringify(one.text)}), as 0`;
    report.findings.push({ rule, what, expected, found: 0n });
    report.notes.push(`${one.key} field ${one.field}: ${mendOfAmount(one, `${expected}`)}`);
  }
}

/** Whether the books add up. */
export function isClean(report: AuditReport): boolean {
  return report.rules.every(({ failed }) => failed === 0);
}

/** Credits, the pool's part and dust are the block's reward, where quarry did the split. */
function compareBlock({ row, account, creditedShannon }: AuditedBlock, compare: Compare): void {
  const name = `block ${row.height} ${row.hash}`;
  if (row.orphan) {
    return compare(`credits of orphan ${row.height}:${row.nonce}`, 0n, creditedShannon);
  }
  if (account?.rewardWei === undefined) {
    // The old pool rounded each credit to nearest, so that half a Shannon a miner may be too much.
    return compare(
      `credits of ${name} above its reward`,
      0n,
      excess(row.rewardWei, creditedShannon),
    );
  }
  const wei = (text: string | undefined): Wei => BigInt(text ?? 0);
  compare(`credits of ${name} as they were split`, wei(account.creditedShannon), creditedShannon);
  compare(
    `parts of ${name} and its reward (wei)`,
    wei(account.rewardWei) + wei(account.extraWei),
    creditedShannon * WEI_PER_SHANNON + wei(account.uncreditedFeeWei) + wei(account.dustWei),
  );
  compare(
    `reward of ${name} in its row and its account (wei)`,
    wei(account.rewardWei),
    row.rewardWei,
  );
}

/** Whole coins of a hundred-thousandth above a reward: what rounding cannot explain. */
function excess(rewardWei: Wei, creditedShannon: Shannon): bigint {
  const above = creditedShannon - weiToShannonFloor(rewardWei);
  return above > 10_000n ? above : 0n;
}

function notesOf(books: Books): string[] {
  const { miners, immature, cutSteps, opening, openPayments, round } = books;
  const orphans = immature.filter(({ row }) => row.orphan).length;
  return [
    ...(miners.size > 0 ? [] : ["no miner has an account here: check coin and redis.database"]),
    ...(cutSteps.length === 0 ? [] : [`steps that go on at the next pass: ${cutSteps.join(", ")}`]),
    ...(orphans === 0 ? [] : [`${orphans} orphans are not final yet`]),
    ...(openPayments.length === 0 ? [] : [
      openPayments.length === 1
        ? "1 payment is under way"
        : `${openPayments.length} payments are under way`,
    ]),
    ...(opening.signedAt === undefined ? [] : [
      `${opening.differences.size} differences of the take-over were signed off by ` +
      `${opening.signedBy} on ${new Date(opening.signedAt * 1000).toISOString()}`,
    ]),
    ...(round.sharesSum === round.stats ? [] : [
      `roundShares is ${round.stats}, the shares of the round are ${round.sharesSum}: shown effort ` +
      "is off until the next block, no money is",
    ]),
  ];
}

function byLogin(
  rows: readonly { login: string; amountShannon: Shannon }[],
): Map<string, Shannon> {
  const sums = new Map<string, Shannon>();
  for (const { login, amountShannon } of rows) {
    sums.set(login, (sums.get(login) ?? 0n) + amountShannon);
  }
  return sums;
}

function sum<T>(items: Iterable<T>, amountOf: (item: T) => bigint): bigint {
  let total = 0n;
  for (const item of items) total += amountOf(item);
  return total;
}
