// The page: asks the API every few seconds and writes what it says; without an answer the last
// numbers stay, marked as old.
import { coins, grouped, hashrate, parseExact, shortened, since } from "./format.js";

const REFRESH_MS = 5_000;
const BLOCKS_SHOWN_PER_STATE = 15;

/** @param {string} id */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

let lastAnswerMs = 0;
/** The pool's clock less this machine's (milliseconds): ages are by the pool's clock. */
let clockAheadMs = 0;
let login = "";
/** Why the last refresh failed; empty when it did not. */
let failure = "";

/** @param {string} path */
async function ask(path) {
  const response = await fetch(path, { signal: AbortSignal.timeout(10_000) });
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return parseExact(await response.text());
}

/**
 * @param {string} text
 * @param {{ className?: string, title?: string, tag?: string }} [options]
 */
function cell(text, { className = "", title = "", tag = "td" } = {}) {
  const node = document.createElement(tag);
  node.textContent = text;
  if (className !== "") node.className = className;
  if (title !== "") node.title = title;
  return node;
}

/**
 * @param {string} id
 * @param {HTMLElement[][]} rows
 * @param {string} empty what to say when there is none
 */
function fill(id, rows, empty) {
  const body = element(id);
  if (rows.length === 0) {
    const none = /** @type {HTMLTableCellElement} */ (cell(empty, { className: "empty" }));
    none.colSpan = body.closest("table")?.querySelectorAll("thead th").length ?? 1;
    rows = [[none]];
  }
  body.replaceChildren(...rows.map((cells) => {
    const row = document.createElement("tr");
    row.append(...cells);
    return row;
  }));
}

/** @param {number | string} seconds */
function timeCell(seconds) {
  const title = new Date(Number(seconds) * 1000).toLocaleString();
  return cell(since(seconds, Date.now() + clockAheadMs), { title });
}

/** @param {string} hex */
function hexCell(hex) {
  return cell(shortened(hex), { className: "mono", title: hex });
}

/** @param {any} stats */
function showStats(stats) {
  const known = stats.now !== undefined;
  /** @type {(id: string, text: string) => string} */
  const set = (id, text) => element(id).textContent = text;
  if (known) {
    clockAheadMs = stats.now - Date.now();
    const { lastBlockFound, roundShares } = stats.stats;
    set("hashrate", hashrate(stats.hashrate));
    set("miners", grouped(stats.minersTotal));
    set("last-block", lastBlockFound ? since(lastBlockFound, stats.now) : "none yet");
    set("round-shares", grouped(roundShares ?? 0));
    set("candidates", grouped(stats.candidatesTotal));
    set("immature", grouped(stats.immatureTotal));
    set("matured", grouped(stats.maturedTotal));
  }
  if (stats.nodes === null) return;
  fill(
    "node-rows",
    stats.nodes.map((/** @type {any} */ node) => [
      cell(node.name ?? ""),
      cell(grouped(node.height ?? ""), { className: "number" }),
      cell(grouped(node.difficulty ?? ""), { className: "number" }),
      timeCell(node.lastBeat ?? 0),
    ]),
    "No node has reported yet",
  );
}

/** @param {any} blocks */
function showBlocks(blocks) {
  // Each state has its part, so that a crowd of new blocks does not hide the matured ones.
  /** @type {(rows: any[] | null, state: string, className: string) => any[]} */
  const marked = (rows, state, className) =>
    (rows ?? []).slice(0, BLOCKS_SHOWN_PER_STATE).map((block) =>
      block.orphan
        ? { ...block, state: "Orphan", className: "bad" }
        : { ...block, state: block.uncle ? `${state} uncle` : state, className }
    );
  const rows = [
    ...marked(blocks.candidates, "New", "warn"),
    ...marked(blocks.immature, "Immature", "warn"),
    ...marked(blocks.matured, "Matured", "good"),
  ];
  fill(
    "block-rows",
    rows.map((block) => [
      cell(grouped(block.height), { className: "number" }),
      cell(block.state, { className: block.className }),
      timeCell(block.timestamp),
      cell(`${Math.round(Number(block.shares) / Number(block.difficulty) * 100)} %`, {
        className: "number",
      }),
      cell(block.reward ? coins(block.reward, 18) : "–", { className: "number" }),
      hexCell(block.hash || "–"),
    ]),
    "No block found yet",
  );
}

/** @param {any} payments */
function showPayments(payments) {
  if (payments.paymentsTotal === undefined) return;
  element("payments-total").textContent = grouped(payments.paymentsTotal);
  fill(
    "payment-rows",
    (payments.payments ?? []).map((/** @type {any} */ payment) => [
      timeCell(payment.timestamp),
      hexCell(payment.address),
      cell(coins(payment.amount, 9), { className: "number" }),
      hexCell(payment.tx),
    ]),
    "No payment yet",
  );
}

/** @param {any} account */
function showMiner(account) {
  const { balance, immature, pending, paid, blocksFound } = account.stats;
  const tiles = [
    ["Hashrate, short window", hashrate(account.currentHashrate)],
    ["Hashrate, long window", hashrate(account.hashrate)],
    ["Immature", coins(immature ?? 0, 9)],
    ["Balance", coins(balance ?? 0, 9)],
    ["Payment under way", coins(pending ?? 0, 9)],
    ["Paid", coins(paid ?? 0, 9)],
    ["Shares this round", grouped(account.roundShares)],
    ["Blocks found", grouped(blocksFound ?? 0)],
  ];
  element("miner-tiles").replaceChildren(...tiles.map(([name, value]) => {
    const tile = document.createElement("div");
    tile.append(cell(name ?? "", { tag: "dt" }), cell(value ?? "", { tag: "dd" }));
    return tile;
  }));
  fill(
    "worker-rows",
    Object.entries(account.workers).map(([name, worker]) => [
      cell(name),
      cell(hashrate(worker.hr), { className: "number" }),
      cell(hashrate(worker.hr2), { className: "number" }),
      timeCell(worker.lastBeat),
      worker.offline
        ? cell("Offline", { className: "bad" })
        : cell("Online", { className: "good" }),
    ]),
    "No share in the long window",
  );
}

async function refreshMiner() {
  if (login === "") return;
  const asked = login;
  const account = await ask(`api/accounts/${asked}`);
  if (asked !== login) return;
  element("miner").hidden = account === undefined;
  say(account === undefined ? "This address has no share here yet" : "");
  if (account !== undefined) showMiner(account);
}

/** @param {string} text */
function say(text) {
  const message = element("miner-message");
  if (message.textContent !== text) message.textContent = text;
}

async function refresh() {
  try {
    const paths = ["api/stats", "api/blocks", "api/payments"];
    const [stats, blocks, payments] = await Promise.all(paths.map(ask));
    showStats(stats);
    showBlocks(blocks);
    showPayments(payments);
    await refreshMiner();
    lastAnswerMs = Date.now();
    failure = "";
  } catch (error) {
    failure = String(error);
  }
  showFreshness();
}

function showFreshness() {
  const line = element("freshness");
  const stale = Date.now() - lastAnswerMs > 3 * REFRESH_MS;
  line.classList.toggle("stale", stale);
  const text = lastAnswerMs === 0
    ? "The pool does not answer"
    : stale
    ? `No answer since ${new Date(lastAnswerMs).toLocaleTimeString()}: these numbers are old`
    : "Live";
  if (line.textContent !== text) line.textContent = text;
  line.title = failure;
}

/** @param {string} text */
function choose(text) {
  const address = text.trim().toLowerCase();
  if (address !== "" && !/^0x[0-9a-f]{40}$/.test(address)) {
    element("miner").hidden = true;
    login = "";
    return say("An address is 0x and 40 hexadecimal digits");
  }
  login = address;
  element("miner").hidden = true;
  say(address === "" ? "" : "Loading…");
  refreshMiner().catch(() => say("The pool does not answer"));
}

const input = /** @type {HTMLInputElement} */ (element("address"));
element("miner-form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (location.hash.slice(1) === input.value.trim()) choose(input.value);
  else location.hash = input.value.trim();
});

function followHash() {
  input.value = location.hash.slice(1);
  choose(input.value);
}

addEventListener("hashchange", followHash);
document.addEventListener("visibilitychange", () => document.hidden || refresh());
if (location.hash !== "") followHash();
await refresh();
setInterval(() => document.hidden || refresh(), REFRESH_MS);
