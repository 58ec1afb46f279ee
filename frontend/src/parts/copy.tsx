/** A button that copies a text, and says that it did. */
import { useSignal } from "@preact/signals";
import { t } from "../i18n/mod.ts";

const SAID_MS = 2_000;

/** @param label what is copied, for those who do not see where the button stands */
export function Copy(
  { text, label, small }: { text: string; label: string; small?: boolean },
) {
  const said = useSignal("");
  async function copy() {
    said.value = await write(text) ? t("copied") : t("copyFailed");
    setTimeout(() => said.value = "", SAID_MS);
  }
  return (
    <>
      <button
        type="button"
        class={small ? "copy small" : "copy"}
        onClick={copy}
        aria-label={label}
      >
        <span aria-hidden="true">
          {said.value === t("copied") ? "✓" : small ? <Icon /> : t("copy")}
        </span>
      </button>
      <span class="hidden" role="status">{said.value}</span>
    </>
  );
}

function Icon() {
  return (
    <svg width="16" height="16" viewBox="0 0 16 16">
      <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" />
      <path d="M3.5 10.5h-1v-8h8v1" />
    </svg>
  );
}

/** The clipboard is there over TLS and on this machine alone; elsewhere the old way does. */
async function write(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
