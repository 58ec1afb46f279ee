/** How the page behaves under load and over time: jumps, large tables, a tab open for a day. */
import assert from "node:assert/strict";
import type { CDPSession, Page } from "playwright-core";
import type { Miner, Worker } from "../../frontend/src/types.ts";
import { answerOf, MINER } from "../frontend/fixtures.ts";
import { hasChromium, startChromium } from "./chromium.ts";
import { startStub } from "./stub.ts";

const BROWSER = { ignore: !hasChromium, sanitizeOps: false, sanitizeResources: false };
const PATHS = ["/", `/miner/${MINER}`, "/blocks", "/payments", "/connect", "/status", "/help"];
/** Layout that moves under the reader (Core Web Vitals); this page's own bound. */
const CLS_MAX = 0.02;
/** A phone on slow 4G, as Lighthouse has it. */
const SLOW = {
  offline: false,
  latency: 150,
  downloadThroughput: 204_800,
  uploadThroughput: 96_000,
};
const HEAP_GROWTH_MAX = 5 * 1024 * 1024;
/** The page's clock goes on in steps of this; timers that are due ring once in each. */
const STEP_MS = 5 * 60_000;
const DAY_STEPS = 24 * 3_600_000 / STEP_MS;

/** Run in the page before anything of its own. */
const OBSERVE = `
  globalThis.vitals = { cls: 0, lcpMs: 0, moved: [] };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.hadRecentInput) continue;
      vitals.cls += entry.value;
      for (const { node } of entry.sources) vitals.moved.push(node?.outerHTML?.slice(0, 80));
    }
  }).observe({ type: "layout-shift", buffered: true });
  new PerformanceObserver((list) => {
    vitals.lcpMs = list.getEntries().at(-1).startTime;
  }).observe({ type: "largest-contentful-paint", buffered: true });
`;

async function vitalsOf(page: Page) {
  return await page.evaluate(() =>
    (globalThis as unknown as { vitals: { cls: number; lcpMs: number; moved: string[] } }).vitals
  );
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

Deno.test({
  name: "nothing jumps while a page loads on a slow phone",
  ...BROWSER,
  async fn() {
    await using stub = startStub();
    await using browser = await startChromium();
    for (const path of PATHS) {
      const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
      const devtools = await page.context().newCDPSession(page);
      await devtools.send("Network.enable");
      await devtools.send("Network.emulateNetworkConditions", SLOW);
      await devtools.send("Emulation.setCPUThrottlingRate", { rate: 4 });
      await page.addInitScript(OBSERVE);
      await page.goto(stub.url + path);
      await page.waitForSelector("main:not(:has([aria-busy=true])) h1", { state: "attached" });
      // The last drawing's shifts are told with the frame after it.
      await page.evaluate(() =>
        new Promise((done) => {
          const { requestAnimationFrame: frame } = globalThis as unknown as {
            requestAnimationFrame(then: () => void): void;
          };
          frame(() => frame(() => setTimeout(done, 0)));
        })
      );
      const { cls, lcpMs, moved } = await vitalsOf(page);
      say(`${path}: largest paint after ${lcpMs.toFixed(0)} ms, shift ${cls.toFixed(4)}`);
      assert(cls <= CLS_MAX, `${path}: a shift of ${cls}: ${moved.join(" | ")}`);
      await page.close();
    }
  },
});

/** A farm: workers whose hashrates are all different, in no order. */
function farm(one: Worker, count: number): Worker[] {
  return Array.from({ length: count }, (_, i) => ({
    ...{ ...one, name: `rig-${i + 1}`, state: "online" },
    hashrate: { ...one.hashrate, shortHps: String(10_000_000 + (i * 7_919 % count) * 50_000) },
  }));
}

Deno.test({
  name: "a table of 1,000 workers is sorted and filtered whole",
  ...BROWSER,
  async fn() {
    await using stub = startStub();
    const [fixed] = (answerOf(`/miners/${MINER}`, true, Date.now()) as Miner).workers as [Worker];
    stub.change = (path, body) =>
      path === `/miners/${MINER}` ? { ...body as Miner, workers: farm(fixed, 1_000) } : body;
    await using browser = await startChromium();
    const page = await browser.newPage();
    await page.goto(`${stub.url}/miner/${MINER}`);
    const rates = page.locator("tbody td[data-l='30 min']");
    const table = page.locator("table", { has: rates }).first();
    const sort = table.getByRole("button", { name: "30 min" });
    const all = farm(fixed, 1_000).map(({ hashrate }) => Number(hashrate.shortHps));
    for (const [direction, count] of [["ascending", 100], ["descending", 1_000]] as const) {
      if (count === 1_000) {
        await page.getByRole("button", { name: "Show all 1,000 workers" }).click();
        await page.locator("tbody tr").nth(999).waitFor({ state: "attached" });
      }
      // In the page, so that the browser's own round trip is not counted.
      const tookMs = await sort.evaluate((button) => {
        const startMs = performance.now();
        (button as unknown as { click(): void }).click();
        return new Promise<number>((done) => setTimeout(() => done(performance.now() - startMs)));
      });
      await table.locator(`th[aria-sort=${direction}]`).waitFor();
      say(`${count} of 1,000 workers, ${direction}: ${tookMs.toFixed(0)} ms`);
      const shown = (await rates.allTextContents()).map(parseFloat);
      // In MH/s with three digits, as they are shown.
      const wanted = all.toSorted((a, b) => direction === "ascending" ? a - b : b - a)
        .slice(0, count).map((hps) => Math.round(hps / 100_000) / 10);
      assert.deepEqual(shown, wanted);
    }
    await page.getByLabel("Filter").fill("rig-99");
    await page.waitForFunction(() =>
      (globalThis as unknown as {
        document: { querySelectorAll(of: string): { length: number } };
      }).document.querySelectorAll("tbody td[data-l='30 min']").length === 11
    );
  },
});

/** What a page holds on to, after its garbage is gone. */
async function held(devtools: CDPSession) {
  for (let i = 0; i < 3; i++) await devtools.send("HeapProfiler.collectGarbage");
  const { metrics } = await devtools.send("Performance.getMetrics");
  const of = (name: string) => metrics.find((one) => one.name === name)!.value;
  return {
    heap: of("JSHeapUsedSize"),
    nodes: of("Nodes"),
    listeners: of("JSEventListeners"),
  };
}

Deno.test({
  name: "a tab that is open for a day holds on to nothing, and asks nothing while it is hidden",
  ...BROWSER,
  async fn() {
    await using stub = startStub();
    await using browser = await startChromium();
    const page = await browser.newPage();
    await page.clock.install();
    let hidden = false;
    let open = 0;
    const faults: string[] = [];
    const isApi = (url: string) => /\/api\/v2\/(?!events)/.test(url);
    page.on("request", (request) => isApi(request.url()) && open++);
    page.on("requestfinished", (request) => isApi(request.url()) && open--);
    page.on("requestfailed", (request) => isApi(request.url()) && open--);
    page.on("pageerror", (error) => faults.push(String(error)));
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("Performance.enable");
    await page.goto(`${stub.url}/miner/${MINER}`);
    await page.waitForSelector("main:not(:has([aria-busy=true])) .chart canvas");
    const pass = async (steps: number) => {
      for (let i = 0; i < steps; i++) {
        const asked = stub.asked;
        await page.clock.fastForward(STEP_MS);
        if (hidden) continue;
        // Answered before time goes on: a question that is five minutes old would be given up.
        while (stub.asked === asked || open > 0) await page.evaluate(() => Promise.resolve());
      }
    };
    await pass(24);
    const before = await held(devtools);
    const askedBefore = stub.asked;
    await pass(DAY_STEPS);
    const asked = stub.asked - askedBefore;
    const after = await held(devtools);
    say(
      `a day: ${asked} answers; heap ${before.heap} then ${after.heap} bytes, ` +
        `nodes ${before.nodes} then ${after.nodes}, listeners ${before.listeners} then ${after.listeners}`,
    );
    assert(asked >= 2 * DAY_STEPS, `${asked} answers`);
    assert(after.heap - before.heap < HEAP_GROWTH_MAX, `${after.heap - before.heap} bytes more`);
    // What is not collected yet comes and goes; one thing kept in each step would be more than this.
    const [nodes, listeners] = [after.nodes - before.nodes, after.listeners - before.listeners];
    assert(nodes < 2 * DAY_STEPS, `${nodes} nodes more`);
    assert(listeners < DAY_STEPS / 3, `${listeners} listeners more`);

    hidden = true;
    await page.evaluate(() => {
      const { document } = globalThis as unknown as { document: EventTarget };
      Object.defineProperty(document, "hidden", { value: true, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    });
    // What was on its way when it was hidden may still come.
    await page.waitForLoadState("networkidle");
    const hiddenAt = stub.asked;
    await pass(12);
    assert.equal(stub.asked, hiddenAt);
    assert.deepEqual(faults, []);
  },
});
