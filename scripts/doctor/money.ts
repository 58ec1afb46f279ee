/** The wallet: the right key, enough coins for what is due, peers to carry it. */
import { errorText, formatCoins, shannonToWei, silentLogger } from "../../modules/base/mod.ts";
import { createNode } from "../../modules/chain/mod.ts";
import { type Config, plain } from "../../modules/config/mod.ts";
import { createAccounts, createKeys, openStore } from "../../modules/ledger/mod.ts";
import { type KeyReader, openSigner } from "../../modules/payouts/mod.ts";
import { type Check, checksOf } from "./check.ts";

const { ok, note, fail } = checksOf("money");

const read: KeyReader = {
  file: (path) => Deno.readTextFileSync(path),
  mode: (path) => Deno.statSync(path).mode,
  env: (name) => Deno.env.get(name),
};

/** Looks at the paying address; the key is opened, compared and forgotten. */
export async function moneyChecks(config: Config): Promise<Check[]> {
  const { payouts } = config;
  if (!payouts.enabled) return [ok("payments are off in this file")];
  const checks: Check[] = [];
  try {
    openSigner(payouts.signer!, payouts.address, { read, timeoutMs: payouts.timeoutMs });
  } catch (error) {
    const mend = "correct payouts.signer or payouts.address, or run the doctor as the pool's user";
    checks.push(fail(errorText(error), mend));
  }
  const node = createNode({ name: "payouts.daemon", url: payouts.daemon, timeoutMs: 5_000 });
  const peers = await node.peerCount();
  if (peers < payouts.requirePeers) {
    checks.push(fail(
      `payouts.daemon has ${peers} peers, payouts.requirePeers is ${payouts.requirePeers}`,
      "connect the node, or lower payouts.requirePeers",
    ));
  }
  const dueWei = shannonToWei(await dueOf(config) + payouts.reserveShannon);
  const haveWei = await node.getBalance(payouts.address);
  if (haveWei < dueWei) {
    checks.push(note(
      `${payouts.address} has ${
        formatCoins(haveWei)
      } coins, balances that are due and the reserve ` +
        `come to ${formatCoins(dueWei)}, and gas`,
      "send it coins: rewards arrive at the node's etherbase, payments go out from here",
    ));
  }
  return checks.length > 0
    ? checks
    : [ok(`${payouts.address} has ${formatCoins(haveWei)} coins, ${formatCoins(dueWei)} are due`)];
}

/** What is due at the next run (Shannon). */
async function dueOf({ redis, coin, payouts }: Config): Promise<bigint> {
  const store = await openStore(plain(redis), { log: silentLogger });
  try {
    let due = 0n;
    for await (const page of createAccounts({ store, keys: createKeys(coin) }).all()) {
      for (const { balanceShannon } of page) {
        if (balanceShannon >= payouts.thresholdShannon) due += balanceShannon;
      }
    }
    return due;
  } finally {
    await store.close();
  }
}
