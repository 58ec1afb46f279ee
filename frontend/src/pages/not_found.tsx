/** There is no such page; the search is here. */
import { t } from "../i18n/mod.ts";
import { Search } from "../parts/search.tsx";
import { Heading } from "../parts/small.tsx";

export default function NotFoundPage() {
  return (
    <>
      <Heading text={t("notFound")} />
      <p>{t("notFound.text")}</p>
      <Search id="lost-address" big />
      <p>
        <a href="/">{t("notFound.home")}</a>
      </p>
    </>
  );
}
