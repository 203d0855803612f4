// `/reset#…`: a new password, by the link that was mailed.

import { useEffect, useState } from "preact/hooks";
import { ask, isRefused } from "../api/client";
import { Button, ButtonLink } from "../components/Button";
import { Narrow } from "../components/Narrow";
import { NewPassword } from "../components/NewPassword";
import { Failure } from "../components/Notice";
import { focusFirst } from "../lib/focus";
import { useSending } from "../lib/form";
import { go } from "../lib/router";
import { welcome } from "../lib/session";
import { t } from "../lib/text";
import { dropToken, takeToken } from "../lib/token";

export function Reset() {
  const [token] = useState(takeToken);
  const [password, setPassword] = useState("");
  const sending = useSending(async () => {
    await ask("POST /v1/password-resets/confirm", { body: { token: token ?? "", password }, isPublic: true });
    dropToken();
    await welcome();
    go("/", { replace: true });
  });
  useEffect(focusFirst, []);
  const dead = isRefused(sending.error, "link_expired", "link_used", "link_unknown", "link_replaced", "link_withdrawn");
  if (!token || dead)
    return (
      <Narrow title={t("reset.dead")} intro={t("reset.dead_intro")}>
        <ButtonLink look="primary" href="/forgot">
          {t("link.renew")}
        </ButtonLink>
      </Narrow>
    );
  const general = sending.general(["password"]);
  return (
    <Narrow title={t("reset.title")} intro={t("reset.intro")}>
      <form method="post" onSubmit={sending.onSubmit} aria-busy={sending.busy}>
        {general !== undefined && <Failure error={general} />}
        <NewPassword value={password} onValue={setPassword} known={[]} error={sending.wrong("password")} />
        <Button type="submit" look="primary" wide busy={sending.busy && t("saving")}>
          {t("reset.save")}
        </Button>
      </form>
    </Narrow>
  );
}
