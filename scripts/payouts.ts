/**
 * Payments for a human: what is open, and the few decisions that the payer leaves to one.
 *
 *   deno task payouts CONFIG open                       open payments and held miners
 *   deno task payouts CONFIG settle --before-rollback   fails while anything is open
 *   deno task payouts CONFIG accept NONCE               a foreign transaction that used it is known
 *   deno task payouts CONFIG release ADDRESS            a held miner may be paid again
 */
import { errorText, isAddress, silentLogger } from "../modules/base/mod.ts";
import { type Config, loadConfig } from "../modules/config/mod.ts";
import { createKeys, createPayments, openStore, type Payments } from "../modules/ledger/mod.ts";

const USAGE = "Usage: deno task payouts CONFIG open | settle --before-rollback | accept NONCE | " +
  "release ADDRESS";

/** What a command prints, and its exit code. */
export interface CommandResult {
  lines: string[];
  exitCode: 0 | 1 | 2;
}

/** Runs one command over the ledger's payments. */
export async function runCommand(
  args: readonly string[],
  payments: Payments,
  address: string,
): Promise<CommandResult> {
  const [command, value = ""] = args;
  if (command === "open") return { lines: await openLines(payments), exitCode: 0 };
  if (command === "settle" && value === "--before-rollback") return await settled(payments);
  if (command === "accept" && /^\d{1,15}$/.test(value)) {
    await payments.acceptNonce(address, Number(value));
    return { lines: [`nonce ${value} of ${address} is accepted`], exitCode: 0 };
  }
  if (command === "release" && isAddress(value)) {
    const released = await payments.release(value.toLowerCase());
    const what = released ? "may be paid again" : "is not held";
    return { lines: [`${value.toLowerCase()} ${what}`], exitCode: released ? 0 : 1 };
  }
  return { lines: [USAGE], exitCode: 2 };
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
async function settled(payments: Payments): Promise<CommandResult> {
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

async function main(args: readonly string[]): Promise<number> {
  const [path, ...rest] = args;
  let config: Config, result: CommandResult;
  try {
    if (path === undefined) throw new Error(USAGE);
    config = loadConfig(path).config;
    const store = await openStore(config.redis, { log: silentLogger });
    try {
      const payments = createPayments({ store, keys: createKeys(config.coin) });
      result = await runCommand(rest, payments, config.payouts.address);
    } finally {
      await store.close();
    }
  } catch (error) {
    result = { lines: [errorText(error)], exitCode: 1 };
  }
  await Deno.stdout.write(new TextEncoder().encode(result.lines.join("\n") + "\n"));
  return result.exitCode;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
