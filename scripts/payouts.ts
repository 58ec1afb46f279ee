/**
 * Payments for a human: what is open, and the few decisions that the payer leaves to one.
 *
 *   deno task payouts CONFIG --dry-run [--json]         what the next run would pay; touches nothing
 *   deno task payouts CONFIG resolve [--json]           every unfinished payment, explained
 *   deno task payouts CONFIG resolve 0xADDRESS:SHANNON  what the old pool left pending: booked or
 *                                                       returned, as the chain says
 *   deno task payouts CONFIG open                       open payments and held miners
 *   deno task payouts CONFIG settle --before-rollback   fails while anything is open
 *   deno task payouts CONFIG accept NONCE               a foreign transaction that used it is known
 *   deno task payouts CONFIG multisend                  how payouts.batch.contract is deployed
 *   deno task payouts CONFIG adopt-journal              the former journal is gone, Redis lost nothing
 *   deno task payouts CONFIG release ADDRESS | all      a held miner, or all, may be paid again
 *
 * Exit code 0 when all is well, 1 when something needs a human, 2 for wrong usage.
 */
import {
  errorText,
  isAddress,
  PoolError,
  silentLogger,
  systemClock,
  unixSeconds,
} from "../modules/base/mod.ts";
import { createNode } from "../modules/chain/mod.ts";
import { type Config, loadConfig } from "../modules/config/mod.ts";
import {
  createAccounts,
  createKeys,
  createPayments,
  createSettings,
  type LedgerDeps,
  openStore,
  type Payments,
  readOldPayment,
  readStatus,
  settleOldPayment,
  type Store,
} from "../modules/ledger/mod.ts";
import {
  type Explained,
  explainOpen,
  type ExplainReader,
  fateOfOldPayment,
  MULTISEND_CREATION,
  type Preview,
  type PreviewReader,
  previewRun,
} from "../modules/payouts/mod.ts";
import { createProgress } from "./progress.ts";

const USAGE =
  "Usage: deno task payouts CONFIG --dry-run [--json] | resolve [--json | ROW] | open | " +
  "settle --before-rollback | accept NONCE | multisend | adopt-journal | " +
  "release ADDRESS | all";

/** What a command prints, and its exit code. */
export interface CommandResult {
  lines: string[];
  exitCode: 0 | 1 | 2;
}

/** What commands work with; the chain is asked by `--dry-run` and `resolve` alone. */
export interface CommandDeps {
  payments: Payments;
  /** The paying address. */
  address: string;
  chain(): Promise<PreviewReader & ExplainReader & { ledger: LedgerDeps }>;
}

/** A command that has been read, to be run over the ledger's payments. */
export type Command = (deps: CommandDeps) => Promise<CommandResult>;

/** Reads a command's words, so that a wrong one is known before anything is asked. */
export function readCommand(args: readonly string[]): Command | undefined {
  const [command, value = "", ...more] = args;
  const json = value === "--json";
  if (more.length > 0) return undefined;
  if (json || value === "") {
    if (command === "--dry-run") return (deps) => preview(deps, json);
    if (command === "resolve") return (deps) => resolve(deps, json);
  }
  if (command === "resolve" && value.includes(":")) return (deps) => resolveOld(value, deps);
  if (command === "settle" && value === "--before-rollback") return settled;
  if (command === "accept" && /^\d{1,15}$/.test(value)) return (deps) => accept(value, deps);
  if (command === "release" && (value === "all" || isAddress(value))) {
    return (deps) => release(value.toLowerCase(), deps);
  }
  if (value !== "") return undefined;
  if (command === "open") return async (deps) => done(...await openLines(deps.payments));
  if (command === "multisend") return () => Promise.resolve(done(...multisendLines()));
  if (command === "adopt-journal") return adoptJournal;
  return undefined;
}

function done(...lines: string[]): CommandResult {
  return { lines, exitCode: 0 };
}

async function preview({ chain }: CommandDeps, json: boolean): Promise<CommandResult> {
  const run = await previewRun(await chain());
  const lines = json ? [toJson(run)] : previewLines(run);
  return { lines, exitCode: run.obstacles.length === 0 ? 0 : 1 };
}

async function resolve({ chain }: CommandDeps, json: boolean): Promise<CommandResult> {
  const explained = await explainOpen(await chain());
  const well = explained.troubles.length === 0 && explained.payments.every((one) => one.well);
  const lines = json ? [toJson({ well, ...explained })] : explainedLines(explained);
  return { lines, exitCode: well ? 0 : 1 };
}

async function accept(nonce: string, { payments, address }: CommandDeps) {
  await payments.acceptNonce(address, Number(nonce));
  return done(`nonce ${nonce} of ${address} is accepted`);
}

async function adoptJournal({ payments, address }: CommandDeps): Promise<CommandResult> {
  const next = await payments.adoptJournal(address);
  return done(`payments below nonce ${next} need not be in the journal`);
}

async function release(login: string, { payments }: CommandDeps): Promise<CommandResult> {
  if (login === "all") {
    const held = await payments.held();
    for (const one of held) await payments.release(one);
    return done(`${held.length} miners may be paid again`);
  }
  const released = await payments.release(login);
  const what = released ? "may be paid again" : "is not held";
  return { lines: [`${login} ${what}`], exitCode: released ? 0 : 1 };
}

/** No key is opened here: the operator's own wallet deploys it. */
function multisendLines(): string[] {
  return [
    "Send a transaction without a payee, of 1000000 gas at most, that carries these bytes; its",
    "receipt names the contract's address, which goes into payouts.batch.contract. The source is",
    "modules/payouts/contracts/Multisend.sol; nobody owns what it creates.",
    MULTISEND_CREATION,
  ];
}

/** Books or returns what the old pool left pending, as the chain says; asks nobody. */
async function resolveOld(
  row: string,
  { address, chain }: CommandDeps,
): Promise<CommandResult> {
  const { node, options, ledger } = await chain();
  const old = await readOldPayment(ledger, row.toLowerCase());
  if (old === undefined) return { lines: [`${row} is not pending`], exitCode: 1 };
  const progress = createProgress("search", "blocks");
  const fate = await fateOfOldPayment(node, address, old, options.confirmations, progress.update);
  progress.end();
  if (fate.kind === "unknown") {
    return { lines: [`${row} stays pending: ${fate.reason}`], exitCode: 1 };
  }
  const now = unixSeconds(systemClock);
  const outcome = fate.kind === "paid" ? { paidBy: fate.hash } : "return";
  const settled = await settleOldPayment(ledger, old, outcome, now);
  const what = fate.kind === "paid"
    ? `was paid by ${fate.hash} in block ${fate.height}, and is booked`
    : settled === "unlocked"
    ? "was locked and never debited: the lock is gone"
    : `was not sent in ${fate.blocks} blocks since: the debit is returned`;
  return { lines: [`${row} ${what}`], exitCode: 0 };
}

/** JSON with amounts as decimal text. */
function toJson(value: unknown): string {
  return JSON.stringify(
    value,
    (_, part) => typeof part === "bigint" ? part.toString() : part,
    2,
  );
}

function previewLines(preview: Preview): string[] {
  const { from, chainId, payments, skipped, obstacles, totalShannon, totalWei } = preview;
  const price = (fee: Preview["payments"][number]["fee"]) =>
    fee.type === "legacy"
      ? `${fee.gas} gas at ${fee.gasPrice} wei`
      : `${fee.gas} gas at up to ${fee.maxFeePerGas} wei, tip ${fee.maxPriorityFeePerGas}`;
  return [
    ...obstacles.map((text) => `first    ${text}`),
    ...payments.map((one) =>
      `pay      ${one.amountShannon} Shannon to ${one.login}: ${one.valueWei} wei, nonce ` +
      `${one.nonce}, ${price(one.fee)}, at most ${one.gasCostWei} wei for gas`
    ),
    ...skipped.map(({ login, reason }) => `skip     ${login}: ${reason}`),
    payments.length === 0 && obstacles.length > 0
      ? "total    no plan: mend what is named first, then ask again"
      : `total    ${payments.length} payments of ${totalShannon} Shannon from ${from} on chain ` +
        `${chainId}, at most ${totalWei} wei with gas`,
    "nothing was sent or written",
  ];
}

function explainedLines({ payments, troubles }: Explained): string[] {
  const lines = troubles.map((text) => `trouble  ${text}`);
  for (const { payment, chain, next, well } of payments) {
    const { id, login, amountShannon, state, signed } = payment;
    const nonce = signed === undefined ? "" : `, nonce ${signed.nonce}`;
    lines.push(`payment  ${id} ${state}: ${amountShannon} Shannon to ${login}${nonce}`);
    lines.push(
      ...chain.map((text) => `  chain  ${text}`),
      `  ${well ? "next " : "check"}  ${next}`,
    );
  }
  return lines.length === 0 ? ["nothing is open, nobody is held"] : lines;
}

async function openLines(payments: Payments): Promise<string[]> {
  const open = (await payments.open()).map(({ id, login, amountShannon, state, signed, mined }) => {
    const transaction = signed === undefined ? "" : ` nonce ${signed.nonce} ${signed.hash}`;
    const where = mined === undefined ? "" : ` mined at ${mined.height}`;
    return `open ${id} ${state} ${amountShannon} Shannon to ${login}${transaction}${where}`;
  });
  const held = (await payments.held()).toSorted().map((login) => `held ${login}`);
  return open.length + held.length === 0 ? ["nothing is open or held"] : [...open, ...held];
}

/** The old pool's payer may run again only when nothing of ours is on its way. */
async function settled({ payments }: CommandDeps): Promise<CommandResult> {
  const open = await payments.open();
  if (open.length === 0) return { lines: ["nothing is open"], exitCode: 0 };
  return {
    lines: [
      ...await openLines(payments),
      "let the payer run until these are confirmed; the old pool would refund them",
    ],
    exitCode: 1,
  };
}

/** The ledger and the node that the configuration names; no key is opened. */
function depsOf(config: Config, store: Store): CommandDeps {
  const keys = createKeys(config.coin);
  const { payouts } = config;
  const payments = createPayments({ store, keys });
  return {
    ...{ payments, address: payouts.address },
    async chain() {
      if (payouts.address === "") {
        throw new PoolError("payouts.address is missing: write the address that pays");
      }
      const node = createNode({
        ...{ name: "payouts.daemon", url: payouts.daemon, timeoutMs: payouts.timeoutMs },
      });
      return {
        ...{ node, payments, options: payouts, clock: systemClock, ledger: { store, keys } },
        accounts: createAccounts({ store, keys }),
        settings: createSettings({ store, keys }),
        signer: { address: payouts.address },
        chainId: await node.chainId(),
        status: async () => (await readStatus({ store, keys }))["payer"],
      };
    },
  };
}

/** Runs the command; gives its exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const [path, ...rest] = args;
  let result: CommandResult;
  const command = readCommand(rest);
  if (path === undefined || path.startsWith("-") || command === undefined) {
    await print([USAGE]);
    return args.includes("--help") ? 0 : 2;
  }
  try {
    const { config } = loadConfig(path);
    const store = await openStore(config.redis, { log: silentLogger });
    try {
      result = await command(depsOf(config, store));
    } finally {
      await store.close();
    }
  } catch (error) {
    result = { lines: [errorText(error)], exitCode: 1 };
  }
  await print(result.lines);
  return result.exitCode;
}

async function print(lines: string[]): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(lines.join("\n") + "\n"));
}

if (import.meta.main) Deno.exit(await main(Deno.args));
