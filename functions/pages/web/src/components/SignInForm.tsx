// Signing in, on a page of its own or over one whose session has ended.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { isRefused } from "../api/client";
import { useSending } from "../lib/form";
import { signIn } from "../lib/session";
import { t } from "../lib/text";
import { Button } from "./Button";
import { Field, Fixed, Password } from "./Field";
import { Failure, Notice } from "./Notice";

export function SignInForm({ email: fixed, more, onDone }: {
  /** Whose session has ended. */
  email?: string | undefined;
  /** Beside the button. */
  more?: ComponentChildren;
  onDone?: () => void;
}) {
  const [email, setEmail] = useState(fixed ?? "");
  const [password, setPassword] = useState("");
  const sending = useSending(() => signIn(email.trim(), password).then(onDone));
  const isWrong = isRefused(sending.error, "wrong_credentials");
  return (
    <form method="post" action="/signin" onSubmit={sending.onSubmit} aria-busy={sending.busy}>
      {isWrong && <Notice>{t("signin.wrong")}</Notice>}
      {!isWrong && sending.error !== undefined && <Failure error={sending.error} />}
      {fixed ? (
        <>
          <Fixed label={t("email")} value={fixed} />
          <input type="hidden" name="email" value={fixed} autocomplete="username" />
        </>
      ) : (
        <Field label={t("email")} name="email" type="email" autocomplete="username" required value={email} onValue={setEmail} />
      )}
      <Password label={t("password")} name="password" autocomplete="current-password" required value={password} onValue={setPassword}
        aside={
          !fixed && (
            <a class="small" href={`/forgot${email ? `?email=${encodeURIComponent(email)}` : ""}`}>
              {t("signin.forgot")}
            </a>
          )
        } />
      <div class={fixed ? "actions" : undefined}>
        <Button type="submit" look="primary" wide={!fixed} busy={sending.busy && t("signin.busy")}>
          {t("signin")}
        </Button>
        {more}
      </div>
    </form>
  );
}
