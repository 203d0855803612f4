// The offer beneath the files of a link: an account, or asking for one. The link goes on working without.

import { useEffect, useState } from "preact/hooks";
import { ask } from "../api/client";
import type { Offer } from "../api/types";
import { portal } from "../lib/boot";
import { focusFirst } from "../lib/focus";
import { useSending } from "../lib/form";
import { t } from "../lib/text";
import { Button, ButtonLink } from "./Button";
import { Dialog } from "./Dialog";
import { Field, Fixed } from "./Field";
import { Failure, Notice } from "./Notice";

export function GetAccess({ offer, email, token }: { offer: Offer; email: string; token: string }) {
  const [isOpen, open] = useState(false);
  const [outcome, came] = useState<string>();
  if (outcome)
    return (
      <section class="offer">
        <Notice kind="done">{outcome === "activation_mailed" ? t("offer.mailed", { email }) : t("offer.requested", { operator: portal.operator })}</Notice>
      </section>
    );
  const isSignIn = offer === "sign_in";
  return (
    <section class="offer">
      <div>
        <h2>{isSignIn ? t("offer.have") : t("offer.title", { operator: portal.operator })}</h2>
        <p>{isSignIn ? t("offer.have_why", { operator: portal.operator }) : t("offer.why")}</p>
      </div>
      {isSignIn ? (
        <ButtonLink href="/signin">{t("signin")}</ButtonLink>
      ) : (
        <Button onClick={() => open(true)}>{offer === "get_access" ? t("offer.get") : t("offer.request")}</Button>
      )}
      {isOpen && <Asking offer={offer} email={email} token={token} onClose={() => open(false)} onDone={came} />}
    </section>
  );
}

function Asking({ offer, email, token, onClose, onDone }: { offer: Offer; email: string; token: string; onClose: () => void; onDone: (outcome: string) => void }) {
  const [name, setName] = useState("");
  const [company, setCompany] = useState("");
  const sending = useSending(async () => {
    const body = { token, name, company: company.trim() || null };
    onDone((await ask("POST /v1/links/get-access", { body, isPublic: true })).status);
  });
  useEffect(focusFirst, []);
  const general = sending.general(["name", "company"]);
  return (
    <Dialog title={offer === "get_access" ? t("offer.get") : t("offer.request")} onClose={onClose}>
      <p class="small">{offer === "get_access" ? t("offer.get_how") : t("offer.request_how", { operator: portal.operator })}</p>
      <form method="post" onSubmit={sending.onSubmit} aria-busy={sending.busy}>
        {general !== undefined && <Failure error={general} />}
        <Fixed label={t("email")} value={email} />
        <Field label={t("your_name")} name="name" autocomplete="name" required value={name} onValue={setName} error={sending.wrong("name")} />
        <Field label={t("company.optional")} name="company" autocomplete="organization" value={company} onValue={setCompany} error={sending.wrong("company")} />
        <div class="actions">
          <Button type="submit" look="primary" busy={sending.busy && t("sending")}>
            {offer === "get_access" ? t("offer.get") : t("offer.request")}
          </Button>
          <Button look="quiet" onClick={onClose}>
            {t("cancel")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
