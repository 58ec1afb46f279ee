/**
 * The whole pool against real parts: redis-server, go-ethereum that verifies, and a CPU miner for
 * each dialect.
 *
 * The pool is killed with SIGKILL twice on the way. In the end every `true` that a miner was told is
 * in Redis's append-only file, once; every block is accounted for; and the chain's balances are what
 * the books say, to the wei.
 */
import assert from "node:assert/strict";
import { bytesToHex, hexToBytes, nonceToHex, silentLogger } from "../../modules/base/mod.ts";
import { openVerifier, type Verifier } from "../../modules/ethash/mod.ts";
import { createKeys, listOf, openStore, recordOf, type Store } from "../../modules/ledger/mod.ts";
import { readAppendOnly } from "../support/aof.ts";
import type { DialectName } from "../../scripts/cpu_miner/dialects.ts";
import { datasetDir, type Geth, startGeth } from "../support/geth.ts";
import { freePorts, type PoolPorts, startPool } from "../support/pool.ts";
import { startChild, until } from "../support/process.ts";
import { startRedis } from "../support/redis.ts";

/** The public test key 1 and its address; never used anywhere else. */
const WALLET_KEY = "0x" + "1".padStart(64, "0");
const WALLET = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf";
/** One miner per dialect, each with a login of its own. */
const STRATUM_MINERS: Record<DialectName, string> = {
  "eth-proxy": "0x" + "11".repeat(20),
  "miner-proxy": "0x" + "33".repeat(20),
  stratum1: "0x" + "44".repeat(20),
  stratum2: "0x" + "55".repeat(20),
};
const GETWORK_MINER = "0x" + "22".repeat(20);
const MINERS = [...Object.values(STRATUM_MINERS), GETWORK_MINER];
const FEE_ADDRESS = "0x" + "fe".repeat(20);
const SHARE_DIFFICULTY = 5_000;
const SHANNON = 1_000_000_000n;
const keys = createKeys("etc");

function config(dir: string, geth: Geth, redis: string, ports: PoolPorts) {
  const { url } = geth;
  return {
    ...{ threads: 2, coin: "etc", name: "main", dataDir: `${dir}/journals` },
    network: {
      ...{ chainId: geth.chainId, algorithm: "ethash", baseFee: "burn" },
      rewards: [{ fromHeight: 0, reward: "2" }],
    },
    proxy: {
      ...{ enabled: true, listen: `127.0.0.1:${ports.getwork}`, difficulty: SHARE_DIFFICULTY },
      stratum: { enabled: true, listen: `127.0.0.1:${ports.stratum}` },
    },
    api: { enabled: true, listen: `127.0.0.1:${ports.api}`, statsCollectInterval: "1s" },
    upstream: [{ name: "geth", url }],
    redis: { endpoint: redis },
    unlocker: {
      ...{ enabled: true, poolFee: 1.5, poolFeeAddress: FEE_ADDRESS, daemon: url },
      ...{ interval: "1s", depth: 5, immatureDepth: 2 },
    },
    payouts: {
      ...{ enabled: true, daemon: url, requirePeers: 0, interval: "1s", confirmations: 2 },
      ...{ address: WALLET, signer: { keyFile: `${dir}/wallet.key` }, threshold: 1_000_000 },
    },
  };
}

/** A CPU miner as its own process; `log` gets a line per answer. */
function startMiner(url: string, log: string, flags: string[] = []) {
  return startChild(Deno.execPath(), [
    ...["run", "-A", "scripts/cpu_miner.ts", "--url", url, "--log", log, ...flags],
  ]);
}

interface Answer {
  nonce: string;
  header: string;
  accepted: boolean | null;
}

async function answers(path: string): Promise<Answer[]> {
  const text = await Deno.readTextFile(path).catch(() => "");
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

async function balance(geth: Geth, address: string): Promise<bigint> {
  return BigInt(await geth.call<string>("eth_getBalance", address, "latest"));
}

/** Solves geth's current work over the dataset: a filler block in a fraction of a second. */
async function mineFiller(geth: Geth, verifier: Verifier): Promise<void> {
  const [header, , target, height] = await geth.call<[string, string, string, string]>(
    "eth_getWork",
  );
  const headerHash = hexToBytes(header);
  for (let startNonce = 0n;; startNonce += 65_536n) {
    const { solution } = await verifier.search({
      ...{ height: Number(height), headerHash, target: BigInt(target), startNonce, count: 65_536 },
    });
    if (solution === undefined) continue;
    const mix = bytesToHex(solution.mix);
    assert.equal(await geth.call("eth_submitWork", nonceToHex(solution.nonce), header, mix), true);
    await until(
      "the filler block",
      async () => (await geth.call<string[]>("eth_getWork"))[0] !== header,
    );
    return;
  }
}

async function books(store: Store) {
  const finances = recordOf(await store.command("HGETALL", keys.finances()));
  const sums = { immature: 0n, balance: 0n, pending: 0n, paid: 0n };
  const miners: Record<string, Record<string, string>> = {};
  for (const key of listOf(await store.command("KEYS", keys.minerPattern()))) {
    const miner = recordOf(await store.command("HGETALL", key));
    miners[key.slice(keys.miner("").length)] = miner;
    for (const field of Object.keys(sums) as (keyof typeof sums)[]) {
      sums[field] += BigInt(miner[field] ?? 0);
    }
  }
  return { finances, sums, miners };
}

Deno.test("the pool mines on geth, survives two kills, credits and pays to the wei", async (t) => {
  const dir = await Deno.makeTempDir({ prefix: "quarry-e2e-" });
  await Deno.writeTextFile(`${dir}/wallet.key`, WALLET_KEY, { mode: 0o600 });
  await using stack = new AsyncDisposableStack();
  const geth = stack.use(await startGeth({ dir: `${dir}/geth`, coinbase: WALLET }));
  const redis = stack.use(await startRedis({ dir: `${dir}/redis`, durable: true }));
  const ports = freePorts();
  const pool = stack.use(
    await startPool(`${dir}/config.json`, config(dir, geth, redis.endpoint, ports), ports),
  );
  const logs = [...Object.keys(STRATUM_MINERS), "getwork"].map((name) => `${dir}/${name}.jsonl`);
  const miners = Object.entries(STRATUM_MINERS).map(([dialect, login], i) =>
    startMiner(`stratum+tcp://127.0.0.1:${ports.stratum}`, logs[i]!, [
      ...["--dialect", dialect, "--login", login, "--worker", "rig1"],
    ])
  );
  miners.push(
    startMiner(`http://127.0.0.1:${ports.getwork}/${GETWORK_MINER}/rig2`, logs.at(-1)!),
  );
  for (const miner of miners) stack.use(miner);
  const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  stack.defer(() => store.close());
  const accepted = async () =>
    (await Promise.all(logs.map(answers))).flat().filter((one) => one.accepted === true);

  await t.step(
    "shares are accepted in every dialect and over getwork, also after each kill -9",
    async () => {
      for (const [least, kill] of [[10, true], [25, true], [40, false]] as const) {
        await until(
          `${least} accepted shares`,
          async () => (await accepted()).length >= least,
          120_000,
        );
        if (kill) {
          await pool.killAndRestart();
        }
      }
      for (const log of logs) {
        await until(`an accepted share in ${log}`, async () => {
          return (await answers(log)).some((one) => one.accepted === true);
        }, 120_000);
      }
    },
  );

  await t.step("geth accepts pool blocks, and refuses one with a nonce bit flipped", async () => {
    const nonce = await until("a block of the pool in geth's chain", async () => {
      const answers = recordOf(await store.command("HGETALL", keys.own.submissions()));
      for (const [field, text] of Object.entries(answers)) {
        if (JSON.parse(text)["geth"] !== "true") continue;
        const [height, nonce] = field.split(":") as [string, string];
        const at = "0x" + Number(height).toString(16);
        const block = await geth.call<{ nonce: string }>("eth_getBlockByNumber", at, false);
        if (block.nonce === nonce) return nonce;
      }
    }, 120_000);
    const pow = (await readAppendOnly(redis.dir)).filter(([name]) => name === "ZADD")
      .flatMap((command) => command).find((part) => part.startsWith(`${nonce}:0x`));
    const [, header, mix] = pow!.split(":") as [string, string, string];
    const flipped = nonceToHex(BigInt(nonce) ^ 1n);
    assert.equal(await geth.call("eth_submitWork", flipped, header, mix), false);
    assert.equal(await geth.call("eth_submitWork", nonce, header, mix), true);
  });

  await t.step("candidates become immature, then matured, and a payment is confirmed", async () => {
    await until(
      "a matured block",
      async () => Number(await store.command("ZCARD", keys.matured())) > 0,
      240_000,
    );
    await until(
      "a confirmed payment",
      async () => Number(await store.command("ZCARD", keys.paymentsAll())) > 0,
      120_000,
    );
  });

  await t.step("with filler blocks everything found is settled and paid", async () => {
    for (const miner of miners) await miner.kill("SIGTERM");
    const verifier = openVerifier({ rule: { algorithm: "ethash" }, log: silentLogger });
    try {
      await verifier.prepare(1);
      await verifier.useDataset(1, await datasetDir());
      await until("nothing left to mature or to pay", async () => {
        await mineFiller(geth, verifier);
        await new Promise((resolve) => setTimeout(resolve, 250));
        const open = await Promise.all([
          ...[keys.candidates(), keys.immature(), keys.paymentsPending()].map((key) =>
            store.command("ZCARD", key)
          ),
        ]);
        const { sums } = await books(store);
        return open.every((count) => count === 0) && sums.balance < 1_000_000n * 3n &&
          sums.immature === 0n;
      }, 180_000);
    } finally {
      await verifier.close();
    }
  });

  await t.step("SIGTERM drains and exits with 0", async () => {
    assert.equal(await pool.stop(), 0, pool.output().slice(-3_000));
  });

  await t.step(
    "every true that a miner was told is on disk once, and nothing else is credited",
    async () => {
      const added = (await readAppendOnly(redis.dir))
        .filter(([name, key]) => name?.toUpperCase() === "ZADD" && key === keys.pow())
        .map((command) => command.at(-1)!.split(":").slice(0, 2).join(":"));
      const onDisk = new Set(added);
      assert.equal(added.length, onDisk.size, "no share was credited twice");
      const told = (await Promise.all(logs.map(answers))).flat();
      for (const { nonce, header, accepted } of told) {
        if (accepted === true) {
          assert.ok(
            onDisk.has(`${nonce}:${header}`),
            `${nonce} was told true`,
          );
        }
      }
      const claimed = new Set(
        told.filter((one) => one.accepted !== false).map(({ nonce, header }) =>
          `${nonce}:${header}`
        ),
      );
      for (const share of onDisk) assert.ok(claimed.has(share), `${share} was credited unasked`);

      const matured = listOf(await store.command("ZRANGE", keys.matured(), "0", "-1")).map((row) =>
        row.split(":")
      );
      const current = recordOf(await store.command("HGETALL", keys.roundCurrent()));
      const inRounds = matured.filter(([, orphan]) => orphan === "0").reduce(
        (sum, row) => sum + BigInt(row[6]!),
        0n,
      );
      const open = Object.values(current).reduce((sum, value) => sum + BigInt(value), 0n);
      assert.equal(inRounds + open, BigInt(onDisk.size * SHARE_DIFFICULTY));
    },
  );

  await t.step(
    "credits, fee and dust are the reward; the books agree with themselves",
    async () => {
      const { finances, sums } = await books(store);
      for (const field of ["immature", "balance", "pending", "paid"] as const) {
        assert.equal(BigInt(finances[field] ?? 0), sums[field], field);
      }
      let rewards = 0n;
      for (
        const [field, text] of Object.entries(
          recordOf(await store.command("HGETALL", keys.own.blockAccounts())),
        )
      ) {
        const account = JSON.parse(text);
        if (account.state !== "matured") continue;
        const parts = BigInt(account.creditedShannon) * SHANNON + BigInt(account.uncreditedFeeWei) +
          BigInt(account.dustWei);
        assert.equal(parts, BigInt(account.rewardWei) + BigInt(account.extraWei), field);
        rewards += BigInt(account.creditedShannon);
      }
      assert.equal(rewards, sums.balance + sums.paid + sums.pending);
    },
  );

  await t.step("the chain's balances are what the books say, to the wei", async () => {
    const { miners } = await books(store);
    let paidWei = 0n;
    for (const login of [...MINERS, FEE_ADDRESS]) {
      const paid = BigInt(miners[login]?.["paid"] ?? 0) * SHANNON;
      // A dialect's only shares may have come after the last matured block.
      if (login === FEE_ADDRESS) assert.ok(paid > 0n);
      assert.equal(await balance(geth, login), paid, login);
      paidWei += paid;
    }
    assert.equal(await balance(geth, WALLET), await earnedWei(geth) - paidWei);
  });
  await Deno.remove(dir, { recursive: true });
});

/** What the coinbase earned over the whole chain less the gas it paid; every block is its own. */
async function earnedWei(geth: Geth): Promise<bigint> {
  const reward = 2n * 10n ** 18n;
  const head = Number(await geth.call<string>("eth_blockNumber"));
  let earned = 0n;
  for (let height = 1; height <= head; height++) {
    const at = "0x" + height.toString(16);
    const block = await geth.call<{
      number: string;
      baseFeePerGas: string;
      uncles: string[];
      transactions: { hash: string }[];
    }>("eth_getBlockByNumber", at, true);
    earned += reward + reward / 32n * BigInt(block.uncles.length);
    for (let index = 0; index < block.uncles.length; index++) {
      const uncle = await geth.call<{ number: string }>(
        ...["eth_getUncleByBlockNumberAndIndex", at, "0x" + index.toString(16)] as const,
      );
      earned += reward * (8n - BigInt(height) + BigInt(uncle.number)) / 8n;
    }
    for (const { hash } of block.transactions) {
      const receipt = await geth.call<{ gasUsed: string; effectiveGasPrice: string }>(
        ...["eth_getTransactionReceipt", hash] as const,
      );
      // The sender is the coinbase too: of what it pays, the tip comes back and the base fee burns.
      earned -= BigInt(receipt.gasUsed) * BigInt(block.baseFeePerGas);
    }
  }
  return earned;
}
