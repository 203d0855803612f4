// `/preferences`: one's name, language and mails, the password, and leaving everywhere.

import { useState } from "preact/hooks";
import { ask, isRefused } from "../api/client";
import type { Me } from "../api/types";
import { Button } from "../components/Button";
import { Field, Fixed, Password, Select } from "../components/Field";
import { NewPassword } from "../components/NewPassword";
import { Failure, Notice } from "../components/Notice";
import { portal } from "../lib/boot";
import { useSending } from "../lib/form";
import { change, ownName } from "../lib/language";
import { useMe } from "../lib/me";
import { signOut, update, welcome } from "../lib/session";
import { t } from "../lib/text";
import { useTitle } from "../lib/title";

export function Preferences() {
  const me = useMe();
  useTitle(t("preferences.title"));
  return (
    <main id="main" class="page preferences">
      <h1 tabIndex={-1}>{t("preferences.title")}</h1>
      <Person me={me} />
      {me.notifications && <Mails me={me} wish={me.notifications.email} />}
      <NewPasswordForm me={me} />
      <Leave />
    </main>
  );
}

/** That it is as it says now. */
function Saved({ isSaved }: { isSaved: boolean }) {
  return (
    <span class="saved" role="status">
      {isSaved ? t("saved") : ""}
    </span>
  );
}

function Person({ me }: { me: Me }) {
  const [name, setName] = useState(me.name);
  const [language, setLanguage] = useState(me.language);
  const [isSaved, saved] = useState(false);
  const sending = useSending(async () => {
    const now = (await ask("PATCH /v1/me", { body: { name, language } })) as Me;
    update({ ...me, ...now });
    await change(language);
    saved(true);
  });
  const put = (set: (value: string) => void) => (value: string) => {
    saved(false);
    set(value);
  };
  const general = sending.general(["name", "language"]);
  return (
    <section aria-labelledby="person">
      <h2 id="person">{t("preferences.person")}</h2>
      <form method="post" onSubmit={sending.onSubmit}>
        {general !== undefined && <Failure error={general} />}
        {me.email && <Fixed label={t("activate.email")} value={me.email} />}
        <Field label={t("name")} name="name" autocomplete="name" required value={name} onValue={put(setName)} error={sending.wrong("name")} />
        <Select label={t("language")} value={language} onValue={put(setLanguage)} error={sending.wrong("language")}
          choices={portal.languages.map((value) => ({ value, label: ownName(value) }))} />
        <div class="actions">
          <Button type="submit" busy={sending.busy && t("saving")}>
            {t("save")}
          </Button>
          <Saved isSaved={isSaved} />
        </div>
      </form>
    </section>
  );
}

const WISHES = ["each", "daily", "off"] as const;

function Mails({ me, wish }: { me: Me; wish: (typeof WISHES)[number] }) {
  const [chosen, choose] = useState(wish);
  const sending = useSending(async () => {
    const now = (await ask("PATCH /v1/me", { body: { notifications: { email: chosen } } })) as Me;
    update({ ...me, ...now });
  });
  return (
    <section>
      <form method="post" onSubmit={sending.onSubmit}>
        <fieldset>
          <legend>{t("preferences.mails", { operator: portal.operator })}</legend>
          {WISHES.map((value) => (
            <label key={value} class="radio">
              <input type="radio" name="mails" value={value} checked={chosen === value} onChange={() => choose(value)} />
              <span>
                {t(`mails.${value}`)}
                {value === "off" && <small>{t("mails.off_hint")}</small>}
              </span>
            </label>
          ))}
        </fieldset>
        {sending.error !== undefined && <Failure error={sending.error} />}
        <div class="actions">
          <Button type="submit" busy={sending.busy && t("saving")}>
            {t("save")}
          </Button>
          <Saved isSaved={chosen === me.notifications?.email && chosen !== wish} />
        </div>
      </form>
    </section>
  );
}

function NewPasswordForm({ me }: { me: Me }) {
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const [isSaved, saved] = useState(false);
  const sending = useSending(async () => {
    await ask("PUT /v1/me/password", { body: { current_password: current, password } });
    await welcome();
    setCurrent("");
    setPassword("");
    saved(true);
  });
  const isWrong = isRefused(sending.error, "wrong_credentials");
  const general = isWrong ? undefined : sending.general(["current_password", "password"]);
  return (
    <section aria-labelledby="password">
      <h2 id="password">{t("preferences.password")}</h2>
      <form method="post" onSubmit={sending.onSubmit}>
        {isSaved && <Notice kind="done">{t("preferences.password_saved")}</Notice>}
        {general !== undefined && <Failure error={general} />}
        <input type="hidden" name="username" autocomplete="username" value={me.email ?? ""} />
        <Password label={t("preferences.current")} name="password" autocomplete="current-password" required value={current} onValue={setCurrent}
          error={isWrong ? t("preferences.current_wrong") : sending.wrong("current_password")} />
        <NewPassword label={t("preferences.new")} value={password} onValue={setPassword} known={[me.name, me.email ?? ""]} error={sending.wrong("password")} />
        <div class="actions">
          <Button type="submit" busy={sending.busy && t("saving")}>
            {t("preferences.change_password")}
          </Button>
        </div>
      </form>
    </section>
  );
}

function Leave() {
  const sending = useSending(() => signOut(true));
  return (
    <section aria-labelledby="leave">
      <h2 id="leave">{t("preferences.leave")}</h2>
      <p>{t("preferences.leave_why")}</p>
      {sending.error !== undefined && <Failure error={sending.error} />}
      <div class="actions">
        <Button busy={sending.busy && t("signout.busy")} onClick={sending.send}>
          {t("preferences.leave_all")}
        </Button>
      </div>
    </section>
  );
}
