// `/forgot`: a mail with a link to a new password. The answer is the same whether there is such an account or not.

import { useEffect, useState } from "preact/hooks";
import { ask } from "../api/client";
import { Button } from "../components/Button";
import { Field } from "../components/Field";
import { Narrow } from "../components/Narrow";
import { Failure } from "../components/Notice";
import { focusFirst, focusTitle } from "../lib/focus";
import { useSending } from "../lib/form";
import { t } from "../lib/text";

export function Forgot() {
  const [email, setEmail] = useState(new URLSearchParams(location.search).get("email") ?? "");
  const [isSent, sent] = useState(false);
  const sending = useSending(async () => {
    await ask("POST /v1/password-resets", { body: { email: email.trim() }, isPublic: true });
    sent(true);
  });
  useEffect(() => (isSent ? focusTitle() : focusFirst()), [isSent]);
  if (isSent)
    return (
      <Narrow title={t("forgot.sent")} intro={t("forgot.sent_intro", { email: email.trim() })}>
        <p>
          <a href="/signin">{t("signin.back")}</a>
        </p>
      </Narrow>
    );
  return (
    <Narrow title={t("forgot.title")} intro={t("forgot.intro")}>
      <form method="post" onSubmit={sending.onSubmit} aria-busy={sending.busy}>
        {sending.general(["email"]) !== undefined && <Failure error={sending.error} />}
        <Field label={t("email")} name="email" type="email" autocomplete="username" required value={email} onValue={setEmail} error={sending.wrong("email")} />
        <Button type="submit" look="primary" wide busy={sending.busy && t("sending")}>
          {t("forgot.send")}
        </Button>
      </form>
      <p class="after">
        <a href="/signin">{t("signin.back")}</a>
      </p>
    </Narrow>
  );
}
