// `/unsubscribe#…`: no more mails to this address. Opening it changes nothing; the button does.

import { useState } from "preact/hooks";
import { ask, isRefused } from "../api/client";
import { Button } from "../components/Button";
import { Narrow } from "../components/Narrow";
import { Failure } from "../components/Notice";
import { portal } from "../lib/boot";
import { useSending } from "../lib/form";
import { t } from "../lib/text";
import { takeToken } from "../lib/token";

export function Unsubscribe() {
  const [token] = useState(takeToken);
  const [isDone, done] = useState(false);
  const sending = useSending(async () => {
    await ask("POST /v1/unsubscribe/{token}", { at: { token: token ?? "" }, body: { confirm: true }, isPublic: true });
    done(true);
  });
  if (isDone)
    return (
      <Narrow title={t("unsubscribe.done")} intro={t("unsubscribe.done_intro")}>
        <p class="after">
          <a href="/preferences">{t("unsubscribe.preferences")}</a>
        </p>
      </Narrow>
    );
  if (!token || isRefused(sending.error, "link_unknown", "not_found"))
    return (
      <Narrow title={t("link.dead")} intro={t("unsubscribe.dead_intro")}>
        <p class="after">
          <a href="/preferences">{t("unsubscribe.preferences")}</a>
        </p>
      </Narrow>
    );
  return (
    <Narrow title={t("unsubscribe.title")} intro={t("unsubscribe.intro", { operator: portal.operator })}>
      {sending.error !== undefined && <Failure error={sending.error} again={sending.send} />}
      <Button look="primary" busy={sending.busy && t("saving")} onClick={sending.send}>
        {t("unsubscribe.confirm")}
      </Button>
    </Narrow>
  );
}
