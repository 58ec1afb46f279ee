/** The dev_* methods: what a test or an operator can make the chain do. */
import { isAddress } from "../../modules/base/mod.ts";
import type { Hex } from "viem";
import type { Chain } from "./chain.ts";
import { RpcFault } from "./fault.ts";
import type { Method, NodeFace } from "./methods.ts";
import type { FailureKind, Trouble } from "./server.ts";
import { blockView } from "./views.ts";

const FAILURES: readonly string[] = ["error", "null", "http500", "html", "drop", "lost", "hang"];

/** The table of control methods; each returns what changed. */
export function createControls(
  chain: Chain,
  face: NodeFace,
  trouble: Trouble,
): Record<string, Method> {
  return {
    /** [count, miner?]: filler blocks with the waiting transactions. */
    dev_mine: ([count, miner]) =>
      chain.mine(whole(count ?? 1), {
        transactions: true,
        uncles: true,
        ...(miner === undefined ? {} : { miner: address(miner) }),
      }).map((block) => blockView(block, false).hash),
    /** [on?]: the next accepted solution becomes a sibling, later an uncle. */
    dev_uncle: ([on]) => chain.nextIsUncle = on !== false,
    /** [depth, replacedMayBeUncles?]: replaces the last blocks by one more filler. */
    dev_reorg: ([depth, mayBeUncles]) =>
      chain.reorganize(whole(depth), {
        transactions: false,
        uncles: false,
        replacedMayBeUncles: mayBeUncles === true,
      }).map((block) => block.hash),
    /** [hash]: makes a side block part of the heaviest chain again. */
    dev_extend: ([hash]) =>
      chain.extend(String(hash), { transactions: false, uncles: false }).map((b) => b.hash),
    /** [method, ms] */
    dev_delay: ([method, ms]) => (trouble.delay(String(method), whole(ms)), true),
    /** [method, times, kind] */
    dev_fail([method, times, kind]) {
      if (!FAILURES.includes(String(kind))) {
        throw new RpcFault(-32602, `kind is one of ${FAILURES.join(", ")}`);
      }
      trouble.fail(String(method), whole(times), kind as FailureKind);
      return true;
    },
    /** [difficulty] */
    dev_setDifficulty: ([difficulty]) => {
      chain.difficulty = BigInt(whole(difficulty));
      return true;
    },
    /** [address] */
    dev_setCoinbase: ([coinbase]) => (chain.coinbase = address(coinbase), true),
    /** [hash]: forgets a waiting transaction. */
    dev_dropTx: ([hash]) => chain.mempool.drop(String(hash).toLowerCase()),
    /** [on?]: no block takes transactions while held. */
    dev_hold: ([on]) => (chain.mempool.hold(on !== false), true),
    /** [address, on?]: money sent there is refused: status 0. */
    dev_revert([account, on]) {
      if (on === false) chain.reverts.delete(address(account));
      else chain.reverts.add(address(account));
      return true;
    },
    /** [peers] */
    dev_setPeers: ([peers]) => (face.peers = whole(peers), true),
    /** [syncing] */
    dev_setSyncing: ([syncing]) => (face.syncing = syncing === true, true),
  };
}

function whole(value: unknown): number {
  const number = typeof value === "string" && value.startsWith("0x") ? Number(value) : value;
  if (typeof number === "number" && Number.isSafeInteger(number) && number >= 0) return number;
  throw new RpcFault(-32602, "invalid argument: whole number expected");
}

function address(value: unknown): Hex {
  if (!isAddress(value)) throw new RpcFault(-32602, "invalid argument: address expected");
  return value.toLowerCase() as Hex;
}
