// `/register`: a stranger asks for access. What comes back says nothing of whom the operator knows.

import { useEffect, useState } from "preact/hooks";
import { ask } from "../api/client";
import { Button } from "../components/Button";
import { Area, Field } from "../components/Field";
import { Narrow } from "../components/Narrow";
import { Failure } from "../components/Notice";
import { portal } from "../lib/boot";
import { focusFirst, focusTitle } from "../lib/focus";
import { useSending } from "../lib/form";
import { language, t } from "../lib/text";

const FIELDS = ["name", "email", "company", "phone", "message"] as const;

export function Register() {
  const [form, set] = useState({ name: "", email: "", company: "", phone: "", message: "" });
  const [isSent, sent] = useState(false);
  const put = (field: (typeof FIELDS)[number]) => (value: string) => set((form) => ({ ...form, [field]: value }));
  const sending = useSending(async () => {
    const { name, email, company, phone, message } = form;
    const more = { phone: phone.trim() || null, message: message.trim() || null, language: language() };
    await ask("POST /v1/registrations", { body: { name, email: email.trim(), company, ...more }, isPublic: true });
    sent(true);
  });
  useEffect(() => (isSent ? focusTitle() : focusFirst()), [isSent]);
  if (isSent)
    return (
      <Narrow title={t("register.sent")} intro={t("register.sent_intro", { operator: portal.operator, email: form.email.trim() })}>
        <p>
          <a href="/signin">{t("signin.back")}</a>
        </p>
      </Narrow>
    );
  const general = sending.general([...FIELDS]);
  return (
    <Narrow title={t("register.title")} intro={t("register.intro", { operator: portal.operator })} wider>
      <form method="post" onSubmit={sending.onSubmit} aria-busy={sending.busy}>
        {general !== undefined && <Failure error={general} />}
        <Field label={t("name")} name="name" autocomplete="name" required value={form.name} onValue={put("name")} error={sending.wrong("name")} />
        <Field label={t("email")} name="email" type="email" autocomplete="email" required value={form.email} onValue={put("email")} error={sending.wrong("email")} />
        <Field label={t("company")} name="company" autocomplete="organization" required value={form.company} onValue={put("company")} error={sending.wrong("company")} />
        <Field label={t("phone.optional")} name="phone" type="tel" autocomplete="tel" value={form.phone} onValue={put("phone")} error={sending.wrong("phone")} />
        <Area label={t("message.optional")} name="message" maxLength={5000} value={form.message} onValue={put("message")} error={sending.wrong("message")}
          hint={t("register.message_hint")} />
        <Button type="submit" look="primary" wide busy={sending.busy && t("sending")}>
          {t("register.send")}
        </Button>
      </form>
      <p class="after">
        {t("already_account")} <a href="/signin">{t("signin")}</a>
      </p>
    </Narrow>
  );
}
