// Whose portal it is, the language, and what the law wants to be found.

import { portal } from "../lib/boot";
import { change, ownName, spoken } from "../lib/language";
import { useShared } from "../lib/state";
import { t } from "../lib/text";
import { Icon } from "./Icon";

export function Footer() {
  const language = useShared(spoken);
  return (
    <footer class="footer">
      <span>{portal.operator}</span>
      <nav aria-label={t("footer.label")}>
        {portal.languages.length > 1 && (
          <label class="language">
            <Icon sign="globe" size={16} />
            <span class="unseen">{t("language")}</span>
            <select value={language} onChange={(event) => void change(event.currentTarget.value)}>
              {portal.languages.map((one) => (
                <option key={one} value={one} lang={one}>
                  {ownName(one)}
                </option>
              ))}
            </select>
          </label>
        )}
        {portal.imprint_url && <a href={portal.imprint_url}>{t("footer.imprint")}</a>}
        {portal.privacy_url && <a href={portal.privacy_url}>{t("footer.privacy")}</a>}
        {portal.support_email && <a href={`mailto:${portal.support_email}`}>{t("footer.help")}</a>}
        <a href="/licences" data-plain="1">
          {t("footer.licences")}
        </a>
      </nav>
    </footer>
  );
}
