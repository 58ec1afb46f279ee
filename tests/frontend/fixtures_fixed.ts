/** Answers of the API that are the same for every pool of the fixtures: ports, parts, settings. */
import type { Connect, Settings, Status, StatusHistory } from "../../frontend/src/types.ts";

const HOUR = 3_600_000;
const MINER = "0xbf08a1c5d2e34f60718293a4b5c6d7e8f9013795";

/** `/connect`. */
export const CONNECT = (now: number): Connect => ({
  asOfMs: now,
  endpoints: [
    {
      ...{
        name: "stratum 8008",
        region: null,
        host: "127.0.0.1",
        ping: null,
        port: 8008,
        tls: false,
        scheme: "prop",
      },
      ...{ difficulty: "4000000000", varDiff: true, dialects: "all" },
    },
    {
      ...{
        name: "stratum + TLS 8443",
        region: null,
        host: "127.0.0.1",
        ping: null,
        port: 8443,
        tls: true,
        scheme: "solo",
      },
      ...{
        difficulty: "8000000000",
        varDiff: false,
        dialects: "ethereumStratum",
      },
    },
  ],
  getwork: { url: "http://127.0.0.1:8888/{address}/{worker}" },
  programs: [
    {
      ...{ name: "lolMiner", dialect: "ethereumStratum or eth-proxy" },
      command: "lolMiner --algo ETCHASH --pool {endpoint} --user {address}.{worker}",
      tlsCommand: "lolMiner --algo ETCHASH --pool {endpoint} --user {address}.{worker} --tls on",
    },
    {
      ...{
        name: "ASIC or NiceHash",
        dialect: "ethereumStratum",
        tlsCommand: null,
      },
      command: "URL stratum+tcp://{endpoint}, user {address}.{worker}, password x",
    },
  ],
});

/** `/status`. */
export const STATUS = (now: number): Status => ({
  asOfMs: now,
  parts: (["stratum", "nodes", "redis", "unlocker", "payer", "stats"] as const)
    .map((name, i) => ({
      name,
      state: (["ok", "ok", "ok", "waiting", "halted", "ok"] as const)[i]!,
      sinceAtMs: i > 2 ? now - HOUR : null,
      reason: i === 1
        ? "backup: two blocks behind"
        : i === 4
        ? "A nonce is used that nobody knows"
        : "",
      mend: i === 4 ? "compare the wallet's transactions with the journal" : "",
    })),
});

/** `/status/history`: a payer that was halted, a node that was away, and hours of nobody looking. */
export const STATUS_HISTORY = (now: number, filled: boolean): StatusHistory => {
  const stepMs = 300_000;
  const part = (of: (i: number) => StatusHistory["series"]["nodes"][number]) =>
    Array.from({ length: 288 }, (_, i) => !filled || i < 60 ? null : of(i));
  return {
    ...{ asOfMs: now, stepMs, fromMs: now - now % stepMs - 288 * stepMs },
    series: {
      nodes: part((i) => i === 100 ? "away" : "ok"),
      unlocker: part(() => "ok"),
      payer: part((i) => i > 275 ? "halted" : i === 150 ? "waiting" : "ok"),
      stats: part(() => "ok"),
    },
  };
};

/** `/settings`. */
export const SETTINGS = (now: number): Settings => ({
  ...{
    thresholdShannon: "500000000",
    ownThreshold: false,
    feeCeilingWei: null,
    silentAfterSeconds: null,
    alerts: false,
  },
  ...{ changedAtMs: null, changeableAtMs: now },
  bounds: { thresholdMin: "100000000", thresholdMax: "10000000000" },
  typedData: {
    ...{
      domain: { name: "quarry", version: "1", chainId: 61 },
      types: {},
      primaryType: "Settings",
    },
    message: {
      ...{
        miner: MINER,
        pool: "0x" + "c0".repeat(20),
        thresholdShannon: "0",
        feeCeilingWei: "0",
        notify: "",
      },
      ...{
        silentAfterSeconds: "0",
        nonce: String(now),
        expiry: String(now + 3_600),
      },
    },
  },
});
