/** The questions that miners ask. */
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import type { Help } from "../i18n/help_en.ts";
import { lang } from "../i18n/lang.ts";
import { t } from "../i18n/mod.ts";
import { Heading } from "../parts/small.tsx";

export default function HelpPage() {
  const help = useSignal<Help>([]);
  const language = lang.value;
  useEffect(() => {
    const load = language === "de"
      ? import("../i18n/help_de.ts").then(({ help }) => help)
      : import("../i18n/help_en.ts").then(({ help }) => help);
    void load.then((answers) => help.value = answers);
  }, [language]);
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
