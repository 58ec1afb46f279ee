/** The CPU miner against small pools that speak eth-proxy and getwork. */
import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import {
  bytesToHex,
  type Clock,
  hexToBytes,
  silentLogger,
  targetOf,
  toHash,
} from "../../modules/base/mod.ts";
import { openVerifier, type Verifier } from "../../modules/ethash/mod.ts";
import { runMiner } from "./mine.ts";
import { type MinerOptions, readFlags, type ReplyEntry } from "./options.ts";

const LOGIN = "0x" + "11".repeat(20);
const ZERO_SEED = "0x" + "00".repeat(32);
const TARGET = targetOf(100n);
// As the Go pool writes it: without leading zeros.
const TARGET_TEXT = "0x" + TARGET.toString(16);

/** Backoff passes at once; long sleeps (reports) last until the miner stops. */
const quickClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      if (ms < 10_000) setTimeout(resolve, 0);
    }),
};

function header(n: number): string {
  return toHash(BigInt(n) + (1n << 200n));
}

function options(url: string, more: Partial<MinerOptions> = {}): MinerOptions {
  return {
    url,
    login: LOGIN,
    worker: "rig1",
    rule: { algorithm: "ethash" },
    log: silentLogger,
    clock: quickClock,
    seed: 7,
    ...more,
  };
}

interface Call {
  id: number;
  method: string;
  params: string[];
  worker?: string;
}

/** Serves one eth-proxy session at a time; `answer` gives the lines to send for a call. */
function stratumPool(answer: (call: Call, session: number) => object[] | "close") {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const calls: Call[] = [];
  const done = (async () => {
    let session = 0;
    for await (const socket of listener) {
      session++;
      let text = "";
      reading: for await (const chunk of socket.readable.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        const lines = text.split("\n");
        text = lines.pop()!;
        for (const line of lines) {
          const call: Call = JSON.parse(line);
          calls.push(call);
          const replies = answer(call, session);
          if (replies === "close") break reading;
          for (const reply of replies) {
            const bytes = new TextEncoder().encode(JSON.stringify(reply) + "\n");
            await socket.write(bytes);
          }
        }
      }
      try {
        socket.close();
      } catch {
        // The stream closed it already.
      }
    }
  })();
  const { port } = listener.addr as Deno.NetAddr;
  const close = async () => {
    listener.close();
    await done;
  };
  return { url: `stratum+tcp://127.0.0.1:${port}`, calls, close };
}

/** Checks a submission as a pool does. */
async function isShare(verifier: Verifier, [nonce, head, mix]: string[]): Promise<boolean> {
  const hash = await verifier.hash(0, hexToBytes(head!), BigInt(nonce!));
  return bytesToHex(hash.mix) === mix && hash.result <= TARGET;
}

Deno.test("runMiner() mines over stratum, takes pushed work and logs every answer", async () => {
  const logFile = await Deno.makeTempFile();
  const stop = new AbortController();
  const replies: ReplyEntry[] = [];
  let shares = 0;
  const pool = stratumPool(({ id, method }) => {
    if (method === "eth_submitLogin") return [{ id, jsonrpc: "2.0", result: true }];
    if (method === "eth_getWork") return [{ id, result: [header(1), ZERO_SEED, TARGET_TEXT] }];
    shares++;
    // The third share is refused, then new work comes, before the answer.
    if (shares === 3) {
      const push = { id: 0, jsonrpc: "2.0", result: [header(2), ZERO_SEED, TARGET_TEXT] };
      return [push, { id, result: null, error: { code: 22, message: "Duplicate share" } }];
    }
    return [{ id, result: true }];
  });
  const totals = await runMiner(
    options(pool.url, {
      logFile,
      onReply: (entry) => {
        replies.push(entry);
        if (replies.filter((reply) => reply.header === header(2)).length >= 2) stop.abort();
      },
    }),
    stop.signal,
  );
  await pool.close();
  const [first, second] = pool.calls;
  deepStrictEqual([first!.method, first!.params[0]], ["eth_submitLogin", LOGIN]);
  deepStrictEqual([second!.method, second!.worker], ["eth_getWork", "rig1"]);
  strictEqual(totals.rejected, 1);
  strictEqual(totals.unknown, 0);
  strictEqual(totals.accepted, replies.length - 1);
  strictEqual(replies[2]!.error, "Duplicate share");

  const submits = pool.calls.filter((call) => call.method === "eth_submitWork");
  const verifier = openVerifier({ rule: { algorithm: "ethash" }, log: silentLogger });
  for (const { params } of submits) ok(await isShare(verifier, params));
  await verifier.close();
  const nonces = submits.map(({ params }) => params[0] + params[1]!);
  strictEqual(new Set(nonces).size, nonces.length, "no share is submitted twice");

  const lines = (await Deno.readTextFile(logFile)).trim().split("\n");
  deepStrictEqual(lines.map((line) => JSON.parse(line)), replies);
  await Deno.remove(logFile);
});

Deno.test("runMiner() comes back after a lost connection and logs the lost answer", async () => {
  const stop = new AbortController();
  const replies: ReplyEntry[] = [];
  const pool = stratumPool(({ id, method }, session) => {
    if (method === "eth_submitLogin") {
      // The second session is refused in words, the third works.
      return session === 2 ? [{ id, error: "Invalid login" }] : [{ id, result: true }];
    }
    if (method === "eth_getWork") return [{ id, result: [header(3), ZERO_SEED, TARGET_TEXT] }];
    return session === 1 ? "close" : [{ id, result: true }];
  });
  const onReply = (entry: ReplyEntry) => {
    replies.push(entry);
    if (entry.accepted) stop.abort();
  };
  const totals = await runMiner(options(pool.url, { onReply }), stop.signal);
  await pool.close();
  strictEqual(replies[0]!.accepted, null);
  ok(totals.unknown >= 1 && totals.accepted >= 1);
  strictEqual(pool.calls.filter((call) => call.method === "eth_submitLogin").length, 3);
});

Deno.test("runMiner() mines over HTTP getwork with two threads", async () => {
  const stop = new AbortController();
  const verifier = openVerifier({ rule: { algorithm: "ethash" }, log: silentLogger });
  const paths = new Set<string>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    paths.add(new URL(request.url).pathname);
    const { id, method, params } = await request.json();
    if (method === "eth_getWork") {
      return Response.json({ id, result: [header(4), ZERO_SEED, TARGET_TEXT] });
    }
    return Response.json({ id, result: await isShare(verifier, params) });
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  let accepted = 0;
  const onReply = (entry: ReplyEntry) => {
    if (entry.accepted && ++accepted === 5) stop.abort();
  };
  const totals = await runMiner(options(url, { onReply, threads: 2, pollMs: 50 }), stop.signal);
  await server.shutdown();
  await verifier.close();
  ok(totals.accepted >= 5);
  strictEqual(totals.rejected, 0);
  deepStrictEqual([...paths], [`/${LOGIN}/rig1`]);
});

Deno.test("runMiner() keeps to its hashrate limit", async () => {
  const stop = new AbortController();
  const pool = stratumPool(({ id, method }) => {
    if (method === "eth_submitLogin") return [{ id, result: true }];
    return [{ id, result: [header(5), ZERO_SEED, "0x1"] }];
  });
  // The limit's sleep after the first tenth of a second's nonces never ends by itself.
  const clock: Clock = {
    now: () => 0,
    sleep: (ms, signal) => {
      if (ms < 1000) stop.abort();
      return quickClock.sleep(Math.max(ms, 10_000), signal);
    },
  };
  const limited = options(pool.url, { hashrateHpsMax: 1000, clock });
  const totals = await runMiner(limited, stop.signal);
  await pool.close();
  strictEqual(totals.hashes, 100);
});

Deno.test("runMiner() refuses a URL of another kind", async () => {
  await rejects(runMiner(options("ftp://127.0.0.1"), AbortSignal.abort()), TypeError);
});

Deno.test("readFlags() names the flag and the mend", () => {
  const url = "stratum+tcp://127.0.0.1:8008";
  throws(() => readFlags([]), /without --url: give/);
  throws(() => readFlags(["--url", "127.0.0.1:8008"]), /--url: expected stratum\+tcp/);
  throws(() => readFlags(["--url", url]), /--login: expected 0x and 40 hex digits/);
  throws(() => readFlags(["--url", url, "--login", LOGIN, "--threads", "0"]), /--threads/);
  throws(() => readFlags(["--url", url, "--login", LOGIN, "--algorithm", "x"]), /--algorithm/);
  throws(() => readFlags(["--frobnicate"]), /Unknown option '--frobnicate'/);
  strictEqual(readFlags(["--url", url, "--login", LOGIN, "--threads", "2"]).threads, 2);
});
