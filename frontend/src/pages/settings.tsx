/** A miner's own threshold, fee ceiling and alerts; changed by a signature of the address alone. */
import { useSignal } from "@preact/signals";
import { checksummed } from "../checksum.ts";
import { tell } from "../client.ts";
import { currency } from "../facts.ts";
import { parseCoins, typedCoins } from "../amounts.ts";
import { exactCoins, SHANNON } from "../format.ts";
import { t } from "../i18n/mod.ts";
import { Copy } from "../parts/copy.tsx";
import { Frame } from "../parts/frame.tsx";
import { Search } from "../parts/search.tsx";
import { Amount, Heading, Since } from "../parts/small.tsx";
import { Tile, Tiles } from "../parts/tiles.tsx";
import { useResource } from "../resource.ts";
import type { Settings } from "../types.ts";
import { hasWallet, signTypedData, WrongAccount } from "../wallet.ts";

/** A form is not asked anew while it is written in (milliseconds). */
const NEVER_MS = 10 ** 9;

export default function SettingsPage({ address }: { address: string }) {
  if (address === "") {
    return (
      <>
        <Heading text={t("settings.title")} />
        <p>{t("settings.which")}</p>
        <Search id="settings-address" big />
      </>
    );
  }
  return <Own address={address} />;
}

function Own({ address }: { address: string }) {
  const settings = useResource<Settings>({
    path: `/miners/${address}/settings`,
    everyMs: NEVER_MS,
  });
  const { data } = settings;
  return (
    <>
      <div class="hero slim">
        <Heading text={t("settings.title")} />
        <p class="mono wrap">{checksummed(address)}</p>
        <p class="links">
          <a href={`/miner/${address}`}>{t("settings.back")}</a>
        </p>
      </div>
      <p class="muted">{t("settings.text")}</p>
      <Frame of={settings}>
        <Tiles label={t("settings.title")}>
          <Tile
            name={t("settings.threshold")}
            note={data && !data.ownThreshold && t("settings.pools")}
          >
            <Amount of={data?.thresholdShannon} />
          </Tile>
          <Tile name={t("settings.alerts")}>
            {data === undefined ? "—" : t(data.alerts ? "settings.on" : "settings.off")}
          </Tile>
          <Tile name={t("settings.changed")}>
            {data?.changedAtMs == null ? t("settings.never") : <Since at={data.changedAtMs} />}
          </Tile>
        </Tiles>
        {data !== undefined && <Form address={address} settings={data} />}
      </Frame>
    </>
  );
}

function Form({ address, settings }: { address: string; settings: Settings }) {
  const { bounds } = settings;
  // What is signed must not change while a wallet is at it.
  const { value: typedData } = useSignal(settings.typedData);
  const threshold = useSignal(
    settings.ownThreshold ? typedCoins(settings.thresholdShannon, SHANNON) : "",
  );
  const notify = useSignal("");
  const signature = useSignal("");
  const said = useSignal<{ bad: boolean; text: string }>({
    bad: false,
    text: "",
  });
  const shannon = threshold.value.trim() === "" ? 0n : parseCoins(threshold.value, SHANNON);
  const inBounds = shannon !== undefined && (shannon === 0n ||
    (shannon >= BigInt(bounds.thresholdMin) &&
      shannon <= BigInt(bounds.thresholdMax)));
  const signed = {
    ...typedData,
    message: {
      ...typedData.message,
      ...{
        thresholdShannon: String(shannon ?? 0n),
        notify: notify.value.trim(),
      },
    },
  };
  const range = t("settings.bounds", {
    least: exactCoins(bounds.thresholdMin, SHANNON),
    most: exactCoins(bounds.thresholdMax, SHANNON),
    coin: currency(),
  });

  async function send(text: string) {
    try {
      await tell("/settings", { message: signed.message, signature: text });
      said.value = { bad: false, text: t("settings.saved") };
    } catch (error) {
      said.value = {
        bad: true,
        text: t("settings.refused", { why: (error as Error).message }),
      };
    }
  }
  async function sign() {
    try {
      await send(await signTypedData(address, signed));
    } catch (error) {
      said.value = {
        bad: true,
        text: error instanceof WrongAccount
          ? t("settings.wrongAccount", { account: error.account ?? "—" })
          : t("settings.notSigned"),
      };
    }
  }
  return (
    <form class="card form" onSubmit={(event) => event.preventDefault()}>
      <label>
        <span>{t("settings.newThreshold", { coin: currency() })}</span>
        <input
          type="text"
          inputMode="decimal"
          value={threshold.value}
          aria-invalid={!inBounds}
          aria-describedby="threshold-hint"
          onInput={(event) => threshold.value = event.currentTarget.value}
        />
        <small id="threshold-hint" class={inBounds ? "" : "fault"}>
          {range}
        </small>
      </label>
      <label>
        <span>{t("settings.notify")}</span>
        <input
          type="text"
          maxLength={200}
          autocapitalize="off"
          spellcheck={false}
          value={notify.value}
          aria-describedby="notify-hint"
          onInput={(event) => notify.value = event.currentTarget.value}
        />
        <small id="notify-hint">{t("settings.notifyHint")}</small>
      </label>
      <div class="wide">
        {hasWallet()
          ? (
            <button type="button" disabled={!inBounds} onClick={sign}>
              {t("settings.sign")}
            </button>
          )
          : <p class="muted">{t("settings.noWallet")}</p>}
        <details>
          <summary>{t("settings.byHand")}</summary>
          <p>
            {t("settings.byHandText")}{" "}
            <Copy text={JSON.stringify(signed)} label={t("settings.copy")} />
          </p>
          <pre
            class="line"
            tabIndex={0}
          ><code>{JSON.stringify(signed.message, null, 2)}</code></pre>
          <label>
            <span>{t("settings.signature")}</span>
            <input
              type="text"
              spellcheck={false}
              autocapitalize="off"
              placeholder="0x…"
              value={signature.value}
              onInput={(event) => signature.value = event.currentTarget.value}
            />
          </label>
          <button
            type="button"
            disabled={!inBounds ||
              !/^0x[0-9a-fA-F]{130}$/.test(signature.value.trim())}
            onClick={() => send(signature.value.trim())}
          >
            {t("settings.send")}
          </button>
        </details>
      </div>
      <p class={said.value.bad ? "fault wide" : "wide"} role="status">
        {said.value.text}
      </p>
    </form>
  );
}
