/**
 * The bodies of open-ethereum-pool's five endpoints, byte for byte (api/server.go): an empty list
 * is null, an empty map {}, node values are strings, numeric fields of `stats` are numbers.
 */
import type {
  BlockView,
  CandidateView,
  MinersSnapshot,
  MinerView,
  NodeRow,
  PaymentRow,
  PoolSnapshot,
  WorkerRate,
} from "../ledger/mod.ts";
import { goJson, goJsonLine, type GoValue, RawJson } from "./go_json.ts";

const INT64_MAX = 2n ** 63n - 1n;

/**
 * `/api/stats`. Before the first snapshot only the nodes are there.
 *
 * @param nodes undefined when they could not be read: shown as null, as the old pool did
 */
export function statsBody(
  pool: PoolSnapshot | undefined,
  nodes: NodeRow[] | undefined,
  nowMs: number,
): string {
  const shown: GoValue = nodes?.map((node) => new Map(Object.entries(node))) ?? null;
  return goJsonLine(
    new Map<string, GoValue>([
      ["nodes", shown],
      ...entriesOf(pool, (snapshot) => ({
        now: nowMs,
        stats: fieldsOf(snapshot.stats),
        hashrate: snapshot.hashrateHps,
        minersTotal: snapshot.minersTotal,
        maturedTotal: snapshot.maturedTotal,
        immatureTotal: snapshot.immatureTotal,
        candidatesTotal: snapshot.candidatesTotal,
      })),
    ]),
  );
}

/** `/api/miners`. */
export function minersBody(snapshot: MinersSnapshot | undefined, nowMs: number): string {
  return mapLine(snapshot, (known) => ({
    now: nowMs,
    miners: minersMap(known),
    hashrate: known.hashrateHps,
    minersTotal: known.miners.length,
  }));
}

/** `/api/blocks`. */
export function blocksBody(pool: PoolSnapshot | undefined): string {
  return mapLine(pool, (snapshot) => ({
    matured: listOrNull(snapshot.matured.map(blockStruct)),
    maturedTotal: snapshot.maturedTotal,
    immature: listOrNull(snapshot.immature.map(blockStruct)),
    immatureTotal: snapshot.immatureTotal,
    candidates: listOrNull(snapshot.candidates.map(candidateStruct)),
    candidatesTotal: snapshot.candidatesTotal,
    luck: luckMap(snapshot),
  }));
}

/** `/api/payments`. */
export function paymentsBody(pool: PoolSnapshot | undefined): string {
  return mapLine(pool, (snapshot) => ({
    payments: listOrNull(snapshot.payments.map(paymentMap)),
    paymentsTotal: snapshot.paymentsTotal,
  }));
}

/** `/api/accounts/{login}`. */
export function accountBody(
  miner: MinerView,
  workers: readonly WorkerRate[],
  pageSize: number,
): string {
  const sum = (rate: (worker: WorkerRate) => bigint) =>
    workers.reduce((total, worker) => total + rate(worker), 0n);
  const offline = workers.filter((worker) => worker.offline).length;
  return mapLine(miner, () => ({
    stats: fieldsOf(Object.entries(miner.stats)),
    payments: listOrNull(miner.payments.map(paymentMap)),
    paymentsTotal: miner.paymentsTotal,
    roundShares: miner.roundShares,
    workers: new Map(workers.map((worker) => [worker.worker, workerStruct(worker)])),
    workersTotal: workers.length,
    workersOnline: workers.length - offline,
    workersOffline: offline,
    hashrate: sum((worker) => worker.largeHashrateHps),
    currentHashrate: sum((worker) => worker.hashrateHps),
    pageSize,
  }));
}

/** Fields of a Redis hash: what Go's ParseInt(value, 10, 64) reads is a number. */
function fieldsOf(fields: readonly (readonly [string, string])[]): GoValue {
  return new Map(fields.map(([field, value]) => [field, numberOrText(value)]));
}

function numberOrText(value: string): bigint | string {
  if (!/^[+-]?\d+$/.test(value)) return value;
  const number = BigInt(value.replace(/^\+/, ""));
  return number >= -INT64_MAX - 1n && number <= INT64_MAX ? number : value;
}

/** A hundred thousand miners are written once per snapshot, not once per request. */
const minersText = new WeakMap<MinersSnapshot, RawJson>();

function minersMap(snapshot: MinersSnapshot): RawJson {
  const known = minersText.get(snapshot);
  if (known !== undefined) return known;
  const map = new Map<string, GoValue>(
    snapshot.miners.map(({ login, lastShareSeconds, hashrateHps, offline }) => [
      login,
      { lastBeat: lastShareSeconds, hr: hashrateHps, offline },
    ]),
  );
  const raw = new RawJson(goJson(map));
  minersText.set(snapshot, raw);
  return raw;
}

function workerStruct(worker: WorkerRate): GoValue {
  return {
    lastBeat: worker.lastShareSeconds,
    hr: worker.hashrateHps,
    offline: worker.offline,
    hr2: worker.largeHashrateHps,
  };
}

function candidateStruct(block: CandidateView): GoValue {
  return {
    ...{ height: block.height, timestamp: block.foundAt, difficulty: block.difficulty },
    ...{ shares: block.totalShares, uncle: false, uncleHeight: 0, orphan: false },
    ...{ hash: "", reward: "" },
  };
}

function blockStruct(block: BlockView): GoValue {
  return {
    ...{ height: block.height, timestamp: block.foundAt, difficulty: block.difficulty },
    ...{ shares: block.totalShares, uncle: block.uncleHeight > 0 },
    ...{ uncleHeight: block.uncleHeight, orphan: block.orphan },
    ...{ hash: block.hash, reward: block.rewardWei.toString() },
  };
}

function paymentMap(payment: PaymentRow): GoValue {
  return new Map<string, GoValue>([
    ["amount", payment.amountShannon],
    ["timestamp", payment.atSeconds],
    ["tx", payment.txHash],
    ...(payment.login === "" ? [] : [["address", payment.login] as const]),
  ]);
}

function luckMap(snapshot: PoolSnapshot): GoValue {
  if (snapshot.luck === undefined) return null;
  return new Map(
    snapshot.luck.map(({ blocks, luck, orphanRate, uncleRate }) => [
      String(blocks),
      { luck, orphanRate, uncleRate },
    ]),
  );
}

function listOrNull(list: readonly GoValue[]): GoValue {
  return list.length === 0 ? null : list;
}

/** A Go map of the snapshot's keys; {} before the first snapshot. */
function mapLine<T>(snapshot: T | undefined, keys: (snapshot: T) => Record<string, GoValue>) {
  return goJsonLine(new Map(entriesOf(snapshot, keys)));
}

function entriesOf<T>(
  snapshot: T | undefined,
  keys: (snapshot: T) => Record<string, GoValue>,
): [string, GoValue][] {
  return snapshot === undefined ? [] : Object.entries(keys(snapshot));
}
