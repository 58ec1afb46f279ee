/** The nodes: reachable, of one chain, synced, and giving work for the address that is ours. */
import { errorText } from "../../modules/base/mod.ts";
import {
  createNode,
  type Network,
  networkByChainId,
  networkOf,
  type Node,
} from "../../modules/chain/mod.ts";
import type { Config } from "../../modules/config/mod.ts";
import { type Check, checksOf } from "./check.ts";

const { ok, note, fail } = checksOf("nodes");
/** Age of a head from which a public node counts as stuck (seconds). */
const HEAD_SECONDS = 900;
/** A head this far in the future means a wrong clock here or there (seconds). */
const FUTURE_SECONDS = 20;

/** Asks every node that the configuration names. */
export async function nodeChecks(config: Config): Promise<Check[]> {
  const mining = config.proxy.enabled || config.proxy.stratum.enabled;
  const { unlocker, payouts } = config;
  const named = [
    ...(mining ? config.upstreams.map((one) => ({ ...one, mines: true })) : []),
    ...(unlocker.enabled ? [{ name: "unlocker.daemon", url: unlocker.daemon, mines: false }] : []),
    ...(unlocker.enabled && unlocker.confirmWith !== undefined
      ? [{ name: "unlocker.confirmWith", url: unlocker.confirmWith, mines: false }]
      : []),
    ...(payouts.enabled ? [{ name: "payouts.daemon", url: payouts.daemon, mines: false }] : []),
  ];
  const network = config.network === undefined ? undefined : networkOf(config.network);
  const checks: Check[] = [];
  for (const { name, url, mines } of named) {
    const node = createNode({ name, url, timeoutMs: 5_000 });
    try {
      checks.push(...await oneNode(node, config, network, mines));
    } catch (error) {
      checks.push(fail(errorText(error), `check that the node runs and that "${name}" names it`));
    }
  }
  if (named.length === 0) checks.push(ok("no node is needed"));
  return checks;
}

async function oneNode(
  node: Node,
  config: Config,
  given: Network | undefined,
  mines: boolean,
): Promise<Check[]> {
  const { name } = node;
  const chainId = await node.chainId();
  const network = given ?? networkByChainId(chainId);
  if (network === undefined) {
    return [fail(
      `${name} is on chain ${chainId}, which quarry does not know: unlocker and payer will not run`,
      "describe the chain under network",
    )];
  }
  if (network.chainId !== chainId) {
    return [fail(
      `${name} is on chain ${chainId}, network ${network.name} is chain ${network.chainId}`,
      "correct network or the node's address",
    )];
  }
  const checks = [...await headChecks(node, typeof config.network === "object")];
  if (mines) checks.push(...await workChecks(node, config));
  const version = await node.clientVersion().catch(() => "no version");
  const isWell = checks.every(({ state }) => state !== "fail");
  return isWell ? [ok(`${name}: ${network.title}, synced, ${version}`), ...checks] : checks;
}

async function headChecks(node: Node, isPrivate: boolean): Promise<Check[]> {
  const { name } = node;
  if (await node.syncing()) return [fail(`${name} is still syncing`, "wait until it is synced")];
  const peers = isPrivate ? undefined : await node.peerCount().catch(() => undefined);
  if (peers === 0) {
    return [fail(
      `${name} has no peers: its blocks reach nobody`,
      "open its port in the firewall, and look at its boot nodes",
    )];
  }
  const head = await node.getBlock("latest");
  if (head === undefined) return [fail(`${name} has no head`, "look at the node's log")];
  const ageSeconds = Date.now() / 1000 - head.timestamp;
  if (ageSeconds < -FUTURE_SECONDS) {
    return [fail(
      `the head of ${name} is ${Math.round(-ageSeconds)} s in the future`,
      "run a time service on both machines",
    )];
  }
  if (ageSeconds > HEAD_SECONDS && !isPrivate) {
    return [fail(
      `the head of ${name} is ${Math.round(ageSeconds / 60)} minutes old`,
      "look at the node's peers and its log",
    )];
  }
  return [];
}

async function workChecks(node: Node, { coinbases }: Config): Promise<Check[]> {
  const { name } = node;
  const checks: Check[] = [];
  try {
    await node.getWork();
  } catch (error) {
    checks.push(fail(
      `${name} gives no work: ${errorText(error)}`,
      "start geth with --mine --miner.threads 0 --miner.etherbase 0xYOURS and eth in --http.api",
    ));
    return checks;
  }
  try {
    const coinbase = await node.coinbase();
    if (coinbases.length === 0) {
      checks.push(note(
        `${name} mines for ${coinbase}; coinbases is empty, so that no other address is noticed`,
        "name your address in coinbases",
      ));
    } else if (coinbases.includes(coinbase)) checks.push(ok(`${name} mines for ${coinbase}`));
    else {
      checks.push(fail(
        `${name} mines for ${coinbase}, which is not among coinbases: its blocks would not be ours`,
        "correct the node's etherbase, or coinbases",
      ));
    }
  } catch (error) {
    checks.push(note(
      `${name} does not tell its etherbase: ${errorText(error)}`,
      "compare its --miner.etherbase with coinbases by hand",
    ));
  }
  return checks;
}
