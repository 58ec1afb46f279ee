/**
 * A miner's way on a pool that is really running: Redis, a chain, the pool, a CPU miner, Chromium.
 * From an address that nobody knows over the command line to the first payment on the page.
 */
import assert from "node:assert/strict";
import { startDemo } from "../../scripts/demo_run/start.ts";
import { hasChromium, startChromium } from "./chromium.ts";

const STRANGER = "0x" + "5a".repeat(20);
const PAYMENT_MS = 180_000;

Deno.test({
  name: "a miner finds its command line, its shares, its blocks and its first payment",
  ...{ ignore: !hasChromium, sanitizeOps: false, sanitizeResources: false },
  async fn(t) {
    await using stack = new AsyncDisposableStack();
    const dir = await Deno.makeTempDir({ prefix: "quarry-journey-" });
    stack.defer(() => Deno.remove(dir, { recursive: true }));
    const said: string[] = [];
    const demo = stack.use(
      await startDemo(
        {
          dir: `${dir}/demo`,
          geth: false,
          hashrateWindow: "40s",
          say: (line) => void said.push(line),
        },
        new AbortController().signal,
      ),
    );
    const find = (pattern: RegExp) => pattern.exec(said.join("\n"))![1]!;
    const url = find(/^Page +(http\S+)\/$/m);
    const miner = find(/^Miner +(0x[0-9a-fA-F]{40})/m).toLowerCase();
    const browser = stack.use(await startChromium());
    const context = await browser.newContext({ locale: "en-GB" });
    const page = await context.newPage();
    const noises: string[] = [];
    page.on("pageerror", (error) => noises.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") noises.push(message.text());
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(url)) noises.push(`asked ${request.url()}`);
    });

    await t.step(
      "an unknown address leads to the command line, by keyboard alone",
      async () => {
        // The pool's first collection may be a moment away.
        await page.goto(url);
        await page.focus("#hero-address");
        await page.keyboard.type("0x123");
        await page.keyboard.press("Enter");
        await page.getByText("An address has 0x and 40 digits.").waitFor();
        await page.keyboard.press("ControlOrMeta+A");
        await page.keyboard.type(STRANGER);
        await page.keyboard.press("Enter");
        await page.getByText("This address has not mined here yet").waitFor();
        // The new page's heading has the focus, so that a screen reader begins there.
        await page.waitForSelector("h1:focus");
        await page.focus("main .notice .button");
        await page.keyboard.press("Enter");
        const line = page.locator("pre.line code");
        await line.waitFor();
        const port = find(/stratum 127\.0\.0\.1:(\d+)/);
        assert.match(
          await line.innerText(),
          new RegExp(`127\\.0\\.0\\.1:${port} .*5A5a.*\\.rig-01`, "i"),
        );
        assert.equal(new URL(page.url()).hash, `#${STRANGER}`);
      },
    );

    await t.step("its shares and workers show up by themselves", async () => {
      await page.goto(`${url}/miner/${miner}`);
      await page.locator("td", { hasText: "demo" }).first().waitFor({
        timeout: 60_000,
      });
      await page.locator(".state.good", { hasText: "online" }).waitFor();
      await page.waitForFunction(
        `/[1-9]/.test(document.querySelector(".tile.big .value").textContent)`,
      );
    });

    await t.step(
      "its blocks, credits and first payment follow without a reload",
      async () => {
        let late: ReturnType<typeof setTimeout> | undefined;
        await Promise.race([
          demo.firstPayment,
          demo.failed.then((reason) => assert.fail(reason)),
          new Promise((_, reject) => {
            late = setTimeout(
              () => reject(new Error("no payment")),
              PAYMENT_MS,
            );
          }),
        ]);
        clearTimeout(late);
        await page.locator(".state.good", { hasText: "paid" }).first().waitFor({
          timeout: 60_000,
        });
        await page.getByRole("link", { name: "Credits" }).click();
        await page.locator(".state.good", { hasText: "matured" }).first()
          .waitFor();
        await page.getByRole("link", { name: "Blocks", exact: true }).click();
        await page.getByRole("heading", { name: "Blocks" }).waitFor();
        await page.locator("td .state", { hasText: "matured" }).first()
          .waitFor();
        await page.getByRole("link", { name: "Payments", exact: true }).first()
          .click();
        await page.locator(`a[href="/miner/${miner}"]`).first().waitFor();
      },
    );

    await t.step("status, language and theme", async () => {
      await page.getByRole("link", { name: "Status" }).first().click();
      await page.getByText("Everything works.").waitFor();
      await page.getByLabel("Language").selectOption("de");
      await page.getByText("Alles läuft.").waitFor();
      await page.getByLabel("Darstellung").selectOption("dark");
      await page.reload();
      await page.getByText("Alles läuft.").waitFor();
      assert.equal(
        await page.locator("html").getAttribute("data-theme"),
        "dark",
      );
    });

    await page.getByLabel("Sprache").selectOption("en");
    await t.step("its worker's protocol is named, and its silence is told", async () => {
      await page.goto(`${url}/miner/${miner}`);
      await page.locator("td small", { hasText: "eth-proxy" }).waitFor();
      await page.getByText("test network").waitFor();
      assert.equal(await page.locator(".trouble").count(), 0);
      await demo.stopMiner();
      await page.locator(".trouble li", { hasText: "demo has sent no share for" })
        .waitFor({ timeout: 120_000 });
      await page.locator("td .state.warn", { hasText: "silent" }).waitFor();
    });

    await Deno.mkdir("data/pictures", { recursive: true });
    await page.locator("td .state").first().waitFor();
    await page.screenshot({
      path: "data/pictures/journey-miner.png",
      fullPage: true,
    });
    assert.deepEqual(noises, []);
  },
});
