// `/signin`, and in the place of any page that needs a session: once signed in, that page follows.

import { useEffect } from "preact/hooks";
import { ButtonLink } from "../components/Button";
import { Narrow } from "../components/Narrow";
import { SignInForm } from "../components/SignInForm";
import { portal } from "../lib/boot";
import { focusFirst } from "../lib/focus";
import { go, place } from "../lib/router";
import { session } from "../lib/session";
import { useShared } from "../lib/state";
import { t } from "../lib/text";

export function SignIn() {
  const { path } = useShared(place);
  const { state } = useShared(session);
  const isOwnPage = path === "/signin";
  useEffect(() => {
    if (isOwnPage && state === "in") go("/", { replace: true });
    else focusFirst();
  }, [isOwnPage, state]);
  const intro = isOwnPage || path === "/" ? t("signin.intro", { operator: portal.operator }) : t("signin.first");
  return (
    <Narrow title={t("signin")} intro={intro}>
      <SignInForm />
      <div class="aside-offer">
        <div>
          <strong>{t("signin.no_account")}</strong>
          <p>{t("signin.no_account_hint", { operator: portal.operator })}</p>
        </div>
        <ButtonLink href="/register">{t("register.title")}</ButtonLink>
      </div>
    </Narrow>
  );
}
