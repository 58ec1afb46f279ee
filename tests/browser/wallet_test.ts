/** Settings signed by a wallet in the browser, checked by the real API and kept in a real ledger. */
import assert from "node:assert/strict";
import { type Hex, type TypedDataDefinition } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { DEFAULT_PAGE } from "../../modules/api/static.ts";
import { NO_FACTS } from "../../modules/api/v2/facts.ts";
import { networkOf } from "../../modules/chain/mod.ts";
import { createSettings } from "../../modules/ledger/mod.ts";
import { openApiWorld } from "../support/old_pool.ts";
import { hasChromium, startChromium } from "./chromium.ts";

const POOL = "0x" + "c0".repeat(20);
const ACCENT = { light: "#8a1c5a", dark: "#ff9ad2" };
const COOLDOWN_MS = 60_000;

/** What the page meets as `window.ethereum`: EIP-1193 over a function of the test. */
const PROVIDER = `globalThis.ethereum = {
  request: ({ method, params }) => globalThis.walletAsked(method, JSON.stringify(params ?? []))
};`;

Deno.test({
  name: "a miner signs its settings with a wallet, and the pool keeps them",
  ...{ ignore: !hasChromium, sanitizeOps: false, sanitizeResources: false },
  async fn(t) {
    await using stack = new AsyncDisposableStack();
    const wallet = privateKeyToAccount(generatePrivateKey());
    const other = privateKeyToAccount(generatePrivateKey());
    const miner = wallet.address.toLowerCase();
    const network = { ...networkOf("mordor") };
    const world = stack.use(
      await openApiWorld({
        ...{ nowMs: Date.now(), page: DEFAULT_PAGE },
        facts: { ...NO_FACTS, currency: "METC", network, accent: ACCENT },
        settings: {
          pool: { chainId: network.chainId, address: POOL },
          ...{ thresholdShannon: 500_000_000n, thresholdMin: 100_000_000n },
          ...{ thresholdMax: 10n ** 13n, cooldownMs: COOLDOWN_MS },
        },
      }),
    );
    await world.store.command("HSET", world.keys.miner(miner), "lastShare", "1");
    await world.collect();
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      async (request) => {
        const { pathname, search } = new URL(request.url);
        const body = request.method === "POST" ? { body: await request.text() } : {};
        const { method, headers } = request;
        return await world.get(pathname + search, { method, headers, ...body });
      },
    );
    stack.defer(() => server.shutdown());
    const browser = stack.use(await startChromium());
    const page = await browser.newPage({ locale: "en-GB" });
    let account = other;
    const asked: string[] = [];
    await page.exposeFunction("walletAsked", async (method: string, params: string) => {
      asked.push(method);
      if (method === "eth_requestAccounts") return [account.address];
      const [signer, typed] = JSON.parse(params) as [Hex, string];
      assert.equal(method, "eth_signTypedData_v4");
      assert.equal(signer.toLowerCase(), miner);
      // The types name EIP712Domain for wallets; viem makes it from the domain.
      const { types: { EIP712Domain: _, ...types }, ...rest } = JSON.parse(typed);
      return await account.signTypedData({ types, ...rest } as TypedDataDefinition);
    });
    await page.addInitScript(PROVIDER);
    const own = async () => (await createSettings(world).read([miner])).get(miner);
    await page.goto(`http://127.0.0.1:${server.addr.port}/miner/${miner}/settings`);
    const status = page.locator("form [role=status]").last();

    await t.step("an amount that cannot be taken is told before anything is signed", async () => {
      const field = page.getByLabel("New threshold (METC)");
      const sign = page.getByRole("button", { name: "Sign with my wallet and save" });
      await field.fill("0.05");
      assert.equal(await field.getAttribute("aria-invalid"), "true");
      assert.equal(await sign.isDisabled(), true);
      await field.fill("2.5");
      await page.getByLabel("A worker is silent after (minutes)").fill("4");
      assert.equal(await sign.isDisabled(), true);
      await page.getByLabel("A worker is silent after (minutes)").fill("20");
      await page.getByLabel("Highest fee of a payment (METC)").fill("0.002");
      await page.getByLabel("Tell of alerts").fill("rig@example.org");
      assert.equal(await sign.isDisabled(), false);
      assert.deepEqual(asked, []);
    });

    await t.step("a wallet with another account open signs nothing", async () => {
      await page.getByRole("button", { name: "Sign with my wallet and save" }).click();
      await page.getByText(`The wallet has ${other.address} open`).waitFor();
      assert.deepEqual(asked.splice(0), ["eth_requestAccounts"]);
      assert.equal(await own(), undefined);
    });

    await t.step("the wallet of the address signs, and the ledger has what was typed", async () => {
      account = wallet;
      await page.getByRole("button", { name: "Sign with my wallet and save" }).click();
      await page.getByText("Saved. It counts from the next payout on.").waitFor();
      assert.deepEqual(asked, ["eth_requestAccounts", "eth_signTypedData_v4"]);
      const { thresholdShannon, feeCeilingWei, notify, silentAfterSeconds } = (await own())!;
      assert.deepEqual([thresholdShannon, feeCeilingWei, notify, silentAfterSeconds], [
        ...[2_500_000_000n, 2_000_000_000_000_000n, "rig@example.org", 1_200],
      ]);
    });

    await t.step(
      "what was set is shown, but not who is told; a signature can be pasted",
      async () => {
        await world.clock.advance(COOLDOWN_MS);
        await page.reload();
        await page.locator(".tile", { hasText: "2.50000" }).waitFor();
        await page.locator(".tile", { hasText: "0.00200" }).waitFor();
        assert.equal(
          await page.getByLabel("A worker is silent after (minutes)").inputValue(),
          "20",
        );
        assert.doesNotMatch(await page.content(), /rig@example/);
        await page.getByLabel("New threshold (METC)").fill("3");
        await page.getByText("Sign by hand", { exact: true }).click();
        const message = JSON.parse(await page.locator("pre.line code").innerText());
        const shown = await world.get(`/api/v2/miners/${miner}/settings`);
        const { domain, types: { EIP712Domain: _, ...types }, primaryType } =
          (await shown.json()).typedData;
        const signature = async (by: typeof wallet) =>
          await by.signTypedData({ domain, types, primaryType, message } as TypedDataDefinition);
        await page.getByLabel("Signature").fill(await signature(other));
        await page.getByRole("button", { name: "Send" }).click();
        await status.filter({ hasText: "Not saved: signature: it is of 0x" }).waitFor();
        await page.getByLabel("Signature").fill(await signature(wallet));
        await page.getByRole("button", { name: "Send" }).click();
        await status.filter({ hasText: "Saved." }).waitFor();
        assert.equal((await own())?.thresholdShannon, 3_000_000_000n);
      },
    );

    await t.step("the operator's colour and the test network are to be seen", async () => {
      await page.locator(".badge.warn", { hasText: "test network" }).waitFor();
      const colour = (scheme: "light" | "dark") =>
        page.emulateMedia({ colorScheme: scheme }).then(() =>
          page.locator("main .links a").first().evaluate((link) =>
            (globalThis as unknown as { getComputedStyle(of: unknown): { color: string } })
              .getComputedStyle(link).color
          )
        );
      assert.equal(await colour("light"), "rgb(138, 28, 90)");
      assert.equal(await colour("dark"), "rgb(255, 154, 210)");
    });
  },
});
