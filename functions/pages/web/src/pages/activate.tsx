// `/activate#…`: whoever was invited sees by whom, chooses a password, and is in. Looking changes nothing.

import { useEffect, useState } from "preact/hooks";
import { ask, isRefused } from "../api/client";
import type { ActivationCheck } from "../api/types";
import { Button } from "../components/Button";
import { Field, Fixed } from "../components/Field";
import { Narrow } from "../components/Narrow";
import { NewPassword } from "../components/NewPassword";
import { Failure } from "../components/Notice";
import { Lines } from "../components/Skeleton";
import { portal } from "../lib/boot";
import { focusFirst } from "../lib/focus";
import { moment } from "../lib/format";
import { useSending } from "../lib/form";
import { useLoad } from "../lib/load";
import { go } from "../lib/router";
import { welcome } from "../lib/session";
import { language, t } from "../lib/text";
import { dropToken, takeToken } from "../lib/token";

export function Activate() {
  const [token] = useState(takeToken);
  const check = useLoad(token ?? "", () => ask("POST /v1/activations/check", { body: { token: token ?? "" }, isPublic: true }));
  if (isRefused(check.error, "link_used")) return <Used />;
  if (isRefused(check.error, "link_expired") && token) return <Expired token={token} />;
  if (isRefused(check.error, "link_withdrawn", "link_unknown", "link_replaced", "invalid_fields") || !token)
    return <Dead replaced={isRefused(check.error, "link_replaced")} />;
  if (check.error !== undefined)
    return (
      <Narrow title={t("activate.title", { operator: portal.operator })}>
        <Failure error={check.error} again={check.again} />
      </Narrow>
    );
  if (!check.data)
    return (
      <Narrow title={t("activate.title", { operator: portal.operator })}>
        <Lines count={4} />
      </Narrow>
    );
  return <Welcome check={check.data} token={token} />;
}

function Welcome({ check, token }: { check: ActivationCheck; token: string }) {
  const [name, setName] = useState(check.name);
  const [password, setPassword] = useState("");
  const sending = useSending(async () => {
    await ask("POST /v1/activations", { body: { token, password, name, language: language() }, isPublic: true });
    dropToken();
    await welcome();
    go("/", { replace: true });
  });
  useEffect(focusFirst, []);
  const title = check.invited_by
    ? t("activate.invited_by", { name: check.invited_by, operator: check.operator })
    : t("activate.title", { operator: check.operator });
  // The operator's own people see no company's files.
  const isStaff = check.company === check.operator;
  const general = sending.general(["name", "password"]);
  return (
    <Narrow title={title} wider
      intro={
        <>
          {isStaff ? t("activate.see_staff") : t("activate.see", { company: check.company })}
          {check.waiting_shares ? <br /> : null}
          {check.waiting_shares ? t("activate.waiting", { count: check.waiting_shares }) : null}
        </>
      }>
      <form method="post" onSubmit={sending.onSubmit} aria-busy={sending.busy}>
        {general !== undefined && <Failure error={general} />}
        {check.email && <Fixed label={t("activate.email")} value={check.email} />}
        {check.email && <input type="hidden" name="username" autocomplete="username" value={check.email} />}
        <Field label={t("your_name")} name="name" autocomplete="name" required value={name} onValue={setName} error={sending.wrong("name")} />
        <NewPassword value={password} onValue={setPassword} known={[name, check.email ?? "", check.company, check.operator]} error={sending.wrong("password")} />
        <Button type="submit" look="primary" wide busy={sending.busy && t("activate.busy")}>
          {isStaff ? t("activate.create_staff") : t("activate.create")}
        </Button>
      </form>
      <p class="after">
        {t("activate.until", { time: moment(check.expires_at) })}
        {portal.support_email && (
          <>
            <br />
            {t("activate.not_you", { name: check.name })} <a href={`mailto:${portal.support_email}`}>{t("activate.tell", { operator: check.operator })}</a>
          </>
        )}
      </p>
    </Narrow>
  );
}

function Expired({ token }: { token: string }) {
  const [isSent, sent] = useState(false);
  const sending = useSending(async () => {
    await ask("POST /v1/activations/renew", { body: { token }, isPublic: true });
    sent(true);
  });
  if (isSent) return <Narrow title={t("activate.renewed")} intro={t("activate.renewed_intro")} />;
  return (
    <Narrow title={t("activate.expired")} intro={t("activate.expired_intro")}>
      {sending.error !== undefined && <Failure error={sending.error} />}
      <Button look="primary" busy={sending.busy && t("sending")} onClick={sending.send}>
        {t("link.renew")}
      </Button>
      <AlreadyIn />
    </Narrow>
  );
}

function Used() {
  return (
    <Narrow title={t("activate.used")} intro={t("activate.used_intro")}>
      <AlreadyIn />
    </Narrow>
  );
}

function Dead({ replaced }: { replaced: boolean }) {
  return (
    <Narrow title={t("link.dead")} intro={replaced ? t("link.replaced") : t("activate.dead_intro", { operator: portal.operator })}>
      <AlreadyIn />
      <p class="after">
        {t("signin.no_account")} <a href="/register">{t("register.title")}</a>
      </p>
    </Narrow>
  );
}

function AlreadyIn() {
  return (
    <p class="after">
      {t("already_account")} <a href="/signin">{t("signin")}</a>
    </p>
  );
}
