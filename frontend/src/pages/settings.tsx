/** A miner's own threshold, fee ceiling and alerts; changed by a signature of the address alone. */
import { useSignal } from "@preact/signals";
import { checksummed } from "../checksum.ts";
import { tell } from "../client.ts";
import { currency } from "../facts.ts";
import { parseCoins, typedCoins } from "../amounts.ts";
import { duration, exactCoins, SHANNON, WEI } from "../format.ts";
import { t } from "../i18n/mod.ts";
import { Copy } from "../parts/copy.tsx";
import { Form, TextField } from "../parts/field.tsx";
import { Frame } from "../parts/frame.tsx";
import { Search } from "../parts/search.tsx";
import { Amount, Heading, Since } from "../parts/small.tsx";
import { Tile, Tiles } from "../parts/tiles.tsx";
import { feedOf, type Resource, useResource } from "../resource.ts";
import type { Settings } from "../types.ts";
import { hasWallet, signTypedData, WrongAccount } from "../wallet.ts";

/** A form is not asked anew while it is written in (milliseconds). */
const NEVER_MS = 10 ** 9;
/** What the API takes: wei, and minutes without a share. */
const FEE_CEILING_MAX = 10n ** 27n;
const SILENT_MINUTES = [5, 1_440] as const;

/** What the first drawing is better for. */
export const ready = async (address: string) => {
  if (address !== "") await feedOf(`/miners/${address}/settings`).refresh();
};

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
  return (
    <>
      <div class="hero slim">
        <Heading text={t("settings.title")} />
        <p class="mono wrap">{checksummed(address)}</p>
        <p class="links">
          <a href={`/miner/${address}`}>{t("settings.back")}</a>
        </p>
      </div>
      {settings.code === "settings_off"
        ? <p class="empty">{t("settings.notHere")}</p>
        : <Numbers address={address} settings={settings} />}
    </>
  );
}

function Numbers({ address, settings }: { address: string; settings: Resource<Settings> }) {
  const { data } = settings;
  return (
    <>
      <p class="muted">{t("settings.text")}</p>
      <Frame of={settings}>
        <Tiles label={t("settings.title")}>
          <Tile
            name={t("settings.threshold")}
            note={data && !data.ownThreshold && t("settings.pools")}
          >
            <Amount of={data?.thresholdShannon} />
          </Tile>
          <Tile name={t("settings.ceilingNow")}>
            {data?.feeCeilingWei == null
              ? data === undefined ? "—" : t("settings.none")
              : <Amount of={data.feeCeilingWei} decimals={WEI} />}
          </Tile>
          <Tile
            name={t("settings.alerts")}
            note={data?.silentAfterSeconds != null &&
              t("settings.silentNow", {
                span: duration(data.silentAfterSeconds * 1000),
              })}
          >
            {data === undefined ? "—" : t(data.alerts ? "settings.on" : "settings.off")}
          </Tile>
          <Tile name={t("settings.changed")}>
            {data?.changedAtMs == null ? t("settings.never") : <Since at={data.changedAtMs} />}
          </Tile>
        </Tiles>
        {data !== undefined && <Change address={address} settings={data} />}
      </Frame>
    </>
  );
}

/** What is typed, as it is signed; undefined where it cannot be. */
function read(
  { threshold, ceiling, minutes }: {
    threshold: string;
    ceiling: string;
    minutes: string;
  },
  { thresholdMin, thresholdMax }: Settings["bounds"],
) {
  const coinsOf = (text: string, decimals: number) =>
    text.trim() === "" ? 0n : parseCoins(text, decimals);
  const shannon = coinsOf(threshold, SHANNON);
  const inBounds = shannon !== undefined &&
    (shannon === 0n ||
      (shannon >= BigInt(thresholdMin) && shannon <= BigInt(thresholdMax)));
  const wei = coinsOf(ceiling, WEI);
  const silent = Number(minutes.trim() || 0);
  const silentOk = silent === 0 ||
    (Number.isInteger(silent) && silent >= SILENT_MINUTES[0] &&
      silent <= SILENT_MINUTES[1]);
  return {
    thresholdShannon: inBounds ? String(shannon) : undefined,
    feeCeilingWei: wei === undefined || wei >= FEE_CEILING_MAX ? undefined : String(wei),
    silentAfterSeconds: silentOk ? String(silent * 60) : undefined,
  };
}

function Change(
  { address, settings }: { address: string; settings: Settings },
) {
  const { bounds } = settings;
  // What is signed must not change while a wallet is at it.
  const { value: typedData } = useSignal(settings.typedData);
  const threshold = useSignal(
    settings.ownThreshold ? typedCoins(settings.thresholdShannon, SHANNON) : "",
  );
  const ceiling = useSignal(
    settings.feeCeilingWei === null ? "" : typedCoins(settings.feeCeilingWei, WEI),
  );
  const minutes = useSignal(
    settings.silentAfterSeconds === null ? "" : String(settings.silentAfterSeconds / 60),
  );
  const notify = useSignal("");
  const said = useSignal<{ bad: boolean; text: string }>({
    bad: false,
    text: "",
  });
  const values = read(
    {
      threshold: threshold.value,
      ceiling: ceiling.value,
      minutes: minutes.value,
    },
    bounds,
  );
  const { thresholdShannon, feeCeilingWei, silentAfterSeconds } = values;
  const fits = Object.values(values).every((value) => value !== undefined);
  const signed = {
    ...typedData,
    message: {
      ...{ ...typedData.message, thresholdShannon: thresholdShannon ?? "0" },
      ...{ feeCeilingWei: feeCeilingWei ?? "0", notify: notify.value.trim() },
      silentAfterSeconds: silentAfterSeconds ?? "0",
    },
  };
  const coin = currency();

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
    <Form>
      <TextField
        id="threshold"
        label={t("settings.newThreshold", { coin })}
        hint={t("settings.bounds", {
          least: exactCoins(bounds.thresholdMin, SHANNON),
          most: exactCoins(bounds.thresholdMax, SHANNON),
          coin,
        })}
        inputMode="decimal"
        value={threshold.value}
        bad={thresholdShannon === undefined}
        onInput={(text) => threshold.value = text}
      />
      <TextField
        id="ceiling"
        label={t("settings.ceiling", { coin })}
        hint={t("settings.ceilingHint")}
        inputMode="decimal"
        value={ceiling.value}
        bad={feeCeilingWei === undefined}
        onInput={(text) => ceiling.value = text}
      />
      <TextField
        id="notify"
        label={t("settings.notify")}
        hint={t("settings.notifyHint")}
        maxLength={200}
        value={notify.value}
        onInput={(text) => notify.value = text}
      />
      <TextField
        id="silent"
        label={t("settings.silent")}
        hint={t("settings.silentHint")}
        inputMode="numeric"
        value={minutes.value}
        bad={silentAfterSeconds === undefined}
        onInput={(text) => minutes.value = text}
      />
      <div class="wide">
        {hasWallet()
          ? (
            <button type="button" disabled={!fits} onClick={sign}>
              {t("settings.sign")}
            </button>
          )
          : <p class="muted">{t("settings.noWallet")}</p>}
        <ByHand signed={signed} fits={fits} send={send} />
      </div>
      <p class={said.value.bad ? "fault wide" : "wide"} role="status">
        {said.value.text}
      </p>
    </Form>
  );
}

/** For a wallet that is elsewhere: what is to be signed, and a field for the signature. */
function ByHand({ signed, fits, send }: {
  signed: Settings["typedData"];
  fits: boolean;
  send(signature: string): void;
}) {
  const signature = useSignal("");
  const text = signature.value.trim();
  return (
    <details>
      <summary>{t("settings.byHand")}</summary>
      <p>
        {t("settings.byHandText")} <Copy text={JSON.stringify(signed)} label={t("settings.copy")} />
      </p>
      <pre
        class="line"
        tabIndex={0}
      ><code>{JSON.stringify(signed.message, null, 2)}</code></pre>
      <TextField
        id="signature"
        label={t("settings.signature")}
        placeholder="0x…"
        value={signature.value}
        onInput={(typed) => signature.value = typed}
      />
      <button
        type="button"
        disabled={!fits || !/^0x[0-9a-fA-F]{130}$/.test(text)}
        onClick={() => send(text)}
      >
        {t("settings.send")}
      </button>
    </details>
  );
}
