/** Every page in Chromium, in every state, theme and width: readable, whole, and by itself. */
import assert from "node:assert/strict";
import axe from "axe-core";
import type { Page } from "playwright-core";
import type { Connect } from "../../frontend/src/types.ts";
import { MINER } from "../frontend/fixtures.ts";
import { hasChromium, startChromium } from "./chromium.ts";
import { type Mood, startStub, type Stub } from "./stub.ts";

const PAGES = {
  pool: "/",
  miner: `/miner/${MINER}`,
  blocks: "/blocks",
  payments: "/payments",
  connect: `/connect#${MINER}`,
  settings: `/miner/${MINER}/settings`,
  status: "/status",
  help: "/help",
  lost: "/nowhere",
};
const MOODS: Mood[] = ["loading", "ready", "stale", "failed", "empty"];
const WIDTHS = [320, 390, 1180];
/** What a page shows once it is in a state. */
const SIGNS: Record<Mood, string> = {
  loading: "main [aria-busy=true]",
  ready: "main:not(:has([aria-busy=true]))",
  stale: "main .notice.warn",
  failed: "main .notice.bad",
  empty: "main:not(:has([aria-busy=true]))",
};
/** Pages that ask for nothing are the same in every state. */
const STILL = ["help", "lost"];
const PICTURES = "data/pictures";

for (const [name, path] of Object.entries(PAGES)) {
  Deno.test({
    name: `the ${name} page has no fault in any state, theme and width`,
    ignore: !hasChromium,
    // The browser's connection is older and younger than a test.
    ...{ sanitizeOps: false, sanitizeResources: false },
    async fn() {
      await using stub = startStub();
      await using browser = await startChromium();
      for (const mood of STILL.includes(name) ? ["ready" as const] : MOODS) {
        const context = await browser.newContext({ locale: "en-GB" });
        const page = await context.newPage();
        const noises = listen(page, stub);
        // Settings carry no time of their own: they are old once they cannot be asked for again.
        const late = name === "settings" && mood === "stale";
        stub.mood = late ? "ready" : mood;
        await page.goto(stub.url + path);
        if (late) {
          await page.waitForSelector(SIGNS.ready, { state: "attached" });
          stub.mood = "failed";
          await page.evaluate(() => dispatchEvent(new Event("online")));
        }
        await page.waitForSelector(SIGNS[mood], { state: "attached" });
        await page.waitForSelector("h1");
        for (const scheme of ["light", "dark"] as const) {
          await page.emulateMedia({
            colorScheme: scheme,
            reducedMotion: "reduce",
          });
          for (const width of WIDTHS) {
            await page.setViewportSize({ width, height: 900 });
            const where = `${name}, ${mood}, ${scheme}, ${width} px`;
            await assertReadable(page, where);
            await Deno.mkdir(PICTURES, { recursive: true });
            if (mood === "ready") {
              await page.screenshot({
                ...{
                  path: `${PICTURES}/${name}-${scheme}-${width}.png`,
                  fullPage: true,
                },
              });
            }
          }
        }
        // Chromium itself tells of every answer above 400.
        const told = noises.filter((noise) => !/status of (503|404)/.test(noise));
        assert.deepEqual(told, [], `${name}, ${mood}`);
        await context.close();
      }
    },
  });
}

Deno.test({
  name: "the page in German is as whole, and no word of it is missing",
  ...{ ignore: !hasChromium, sanitizeOps: false, sanitizeResources: false },
  async fn() {
    await using stub = startStub();
    await using browser = await startChromium();
    const context = await browser.newContext({ locale: "de-DE" });
    const page = await context.newPage();
    for (const [name, path] of Object.entries(PAGES)) {
      await page.goto(stub.url + path);
      await page.waitForSelector(SIGNS.ready, { state: "attached" });
      assert.equal(await page.locator("html").getAttribute("lang"), "de");
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 900 });
        await assertReadable(page, `${name}, German, ${width} px`);
      }
      assert.doesNotMatch(
        await page.innerText("body"),
        /\{\w+\}|undefined|NaN|\b[a-z]+\.[a-z]+\b(?=\s*$)/m,
      );
    }
    await context.close();
  },
});

Deno.test({
  name: "each region's port can be chosen, and the menu is one row of a phone on every page",
  ...{ ignore: !hasChromium, sanitizeOps: false, sanitizeResources: false },
  async fn() {
    await using stub = startStub();
    await using browser = await startChromium();
    const page = await browser.newPage({ locale: "en-GB", viewport: { width: 390, height: 900 } });
    stub.change = (path, body) => {
      if (path !== "/connect") return body;
      const { endpoints, ...rest } = body as Connect;
      const places = ["eu.pool.example", "us.pool.example"];
      return {
        ...rest,
        endpoints: places.flatMap((host) => endpoints.map((e) => ({ ...e, host }))),
      };
    };
    await page.goto(stub.url + PAGES.connect);
    const line = page.locator("pre.line code");
    await line.waitFor();
    assert.match(await line.innerText(), / eu\.pool\.example:8008 /);
    await page.locator("main select").first().selectOption("us.pool.example:8008");
    await page.getByText("--pool us.pool.example:8008 ").waitFor();
    for (const path of Object.values(PAGES)) {
      await page.goto(stub.url + path);
      const links = await page.locator("header nav a").all();
      const tops = await Promise.all(links.map(async (link) => (await link.boundingBox())!.y));
      assert.deepEqual(tops, tops.map(() => tops[0]), path);
    }
  },
});

/** What goes wrong beside the page: errors, and requests to others. */
function listen(page: Page, stub: Stub): string[] {
  const noises: string[] = [];
  page.on("pageerror", (error) => noises.push(String(error)));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) {
      noises.push(message.text());
    }
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(stub.url)) {
      noises.push(`asked ${request.url()}`);
    }
  });
  return noises;
}

async function assertReadable(page: Page, where: string): Promise<void> {
  const over = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = (globalThis as unknown as {
      document: {
        documentElement: { scrollWidth: number; clientWidth: number };
      };
    }).document.documentElement;
    return scrollWidth - clientWidth;
  });
  assert.ok(over <= 0, `${where}: ${over} px too wide`);
  const text = await page.innerText("body");
  assert.doesNotMatch(text, /undefined|NaN|\[object/, where);
  // The page's own policy forbids scripts in it; this one comes from outside of the page.
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: typeof axe })
      .axe.run();
    return violations.map(({ id, nodes }) =>
      `${id}: ${
        nodes.slice(0, 3).map((node) => `${node.html} ${node.failureSummary}`)
          .join(" | ")
      }`
    );
  });
  assert.deepEqual(found, [], where);
}
