/** The address field: says why a text is no address, and remembers the last ones looked up. */
import { useSignal } from "@preact/signals";
import { shortAddress } from "../format.ts";
import { allWords, t } from "../i18n/mod.ts";
import { forgetRecent, recent } from "../recent.ts";
import { go } from "../router.ts";

/** @param id of the field: there may be two on a page */
export function Search({ id, big }: { id: string; big?: boolean }) {
  const text = useSignal("");
  const fault = useSignal("");
  async function submit(event: Event) {
    event.preventDefault();
    const [{ checkAddress }] = await Promise.all([
      import("../checksum.ts"),
      allWords(),
    ]);
    const read = checkAddress(text.value);
    if ("fault" in read) {
      fault.value = t(`address.${read.fault}`);
      return;
    }
    fault.value = "";
    text.value = "";
    go(`/miner/${read.address}`);
  }
  return (
    <form
      class={big ? "search big" : "search"}
      role="search"
      onSubmit={submit}
      aria-label={t("search")}
    >
      <label class={big ? "" : "hidden"} for={id}>{t("search.label")}</label>
      <div class="field">
        <input
          id={id}
          type="text"
          inputMode="text"
          autocapitalize="off"
          autocomplete="off"
          spellcheck={false}
          placeholder="0x…"
          list={`${id}-recent`}
          value={text.value}
          aria-invalid={fault.value !== ""}
          aria-describedby={`${id}-fault`}
          onInput={(event) => text.value = event.currentTarget.value}
        />
        <button type="submit">{t("search.go")}</button>
      </div>
      <datalist id={`${id}-recent`}>
        {recent.value.map((address) => (
          <option
            key={address}
            value={address}
          />
        ))}
      </datalist>
      <p class="fault" id={`${id}-fault`} role="alert">{fault.value}</p>
      {big && recent.value.length > 0 && (
        <p class="recent">
          {t("search.recent")}{" "}
          {recent.value.map((address) => (
            <a key={address} class="mono chip" href={`/miner/${address}`}>
              {shortAddress(address)}
            </a>
          ))}
          <button type="button" class="plain" onClick={forgetRecent}>
            {t("search.forget")}
          </button>
        </p>
      )}
    </form>
  );
}
