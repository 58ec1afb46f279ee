/** A proof-of-work development chain on loopback: `deno run -A scripts/dev_chain.ts --coinbase 0x…`. */
import { parseArgs } from "node:util";
import { createLogger, isAddress, PoolError } from "../modules/base/mod.ts";
import { openPow } from "./dev_chain/pow.ts";
import { startDevChain } from "./dev_chain/start.ts";

export { type DevChain, type DevChainOptions, startDevChain } from "./dev_chain/start.ts";
export type { PowCheck } from "./dev_chain/chain.ts";

const USAGE = `Usage: deno run -A scripts/dev_chain.ts --coinbase ADDRESS [options]
  --port 8545           loopback port
  --difficulty 20000    hashes per block, more when blocks come faster than one a second
  --chain-id 1337
  --reward 2            coins per block
  --base-fee            burn a base fee (EIP-1559)
  --alloc ADDRESS=WEI   a balance at block 0; may be repeated
  --block-time 0        seconds between filler blocks of another miner, 0 for none
  --notify URL          post new work there; may be repeated`;

/** Runs a chain until the process is told to stop. */
export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: "string", default: "8545" },
      difficulty: { type: "string", default: "20000" },
      coinbase: { type: "string" },
      "chain-id": { type: "string", default: "1337" },
      reward: { type: "string", default: "2" },
      "base-fee": { type: "boolean", default: false },
      alloc: { type: "string", multiple: true, default: [] },
      "block-time": { type: "string", default: "0" },
      notify: { type: "string", multiple: true, default: [] },
      help: { type: "boolean", default: false },
    },
  });
  const out = new TextEncoder();
  if (values.help || !isAddress(values.coinbase)) {
    await Deno.stdout.write(out.encode(USAGE + "\n"));
    if (!values.help) throw new PoolError("Cannot start the chain: give --coinbase an address");
    return;
  }
  const log = createLogger(
    (record) => Deno.stdout.writeSync(out.encode(JSON.stringify(record) + "\n")),
    "dev_chain",
  );
  const pow = openPow(log);
  const stop = Promise.withResolvers<void>();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => stop.resolve());
  }
  {
    await using dev = await startDevChain({
      coinbase: values.coinbase,
      pow,
      port: Number(values.port),
      chainId: Number(values["chain-id"]),
      difficulty: BigInt(values.difficulty),
      paced: true,
      reward: values.reward,
      baseFee: values["base-fee"],
      alloc: Object.fromEntries(values.alloc.map(allocOf)),
      blockTimeMs: Number(values["block-time"]) * 1000,
      notify: values.notify,
      log,
    });
    log.info("started", { url: dev.url });
    await stop.promise;
  }
  await pow.close();
  Deno.exit(0);
}

function allocOf(text: string): [string, bigint] {
  const [address, amountWei] = text.split("=");
  if (!isAddress(address) || !/^\d+$/.test(amountWei ?? "")) {
    throw new PoolError(`Cannot read --alloc: expected ADDRESS=WEI, current value is "${text}"`);
  }
  return [address, BigInt(amountWei!)];
}

if (import.meta.main) {
  await main(Deno.args).catch((error) => {
    const isUsage = error instanceof PoolError || error.code?.startsWith("ERR_PARSE_ARGS");
    if (!isUsage) throw error;
    Deno.stderr.writeSync(new TextEncoder().encode(`${error.message}\n`));
    Deno.exit(2);
  });
}
