/** The questions that miners ask. */
import { useEffect } from "preact/hooks";
import { signal } from "@preact/signals";
import type { Help } from "../i18n/help_en.ts";
import { lang } from "../i18n/lang.ts";
import { t } from "../i18n/mod.ts";
import { Heading } from "../parts/small.tsx";

const help = signal<Help>([]);

/** Loads the answers in the reader's language. */
export async function ready(): Promise<void> {
  const answers = lang.value === "de" ? import("../i18n/help_de.ts") : import("../i18n/help_en.ts");
  help.value = (await answers).help;
}

export default function HelpPage() {
  const language = lang.value;
  useEffect(() => void ready(), [language]);
  return (
    <>
      <Heading text={t("help")} />
      <p class="muted">{t("help.text")}</p>
      <div class="answers" aria-busy={help.value.length === 0}>
        {help.value.map(([id, question, ...answer]) => (
          <section key={id} id={id}>
            <h2>{question}</h2>
            {answer.map((text) => <p key={text}>{text}</p>)}
          </section>
        ))}
      </div>
      <p>
        {t("help.api")} <a href="/api/v2/docs">/api/v2/docs</a>
      </p>
    </>
  );
}
