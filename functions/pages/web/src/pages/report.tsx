// `/report`: a problem with an asset or at a site, with photos. It becomes a job at once; until then it is kept on this device.

import { useEffect, useRef, useState } from "preact/hooks";
import { ask } from "../api/client";
import { Button } from "../components/Button";
import { Empty } from "../components/Empty";
import { Area, Field } from "../components/Field";
import { Failure } from "../components/Notice";
import { PhotoPicker } from "../components/PhotoPicker";
import { ofAsset, ofSite, PickThing } from "../components/PickThing";
import { Segment } from "../components/Segment";
import { portal } from "../lib/boot";
import { type Draft, draftOf, dropDraft, keepDraft } from "../lib/draft";
import { useSending } from "../lib/form";
import { useMe } from "../lib/me";
import { dropPhotos, photosOf } from "../lib/photos";
import { go } from "../lib/router";
import { useShared } from "../lib/state";
import { t } from "../lib/text";
import { useTitle } from "../lib/title";
import { JobsOf } from "./asset";

const URGENCIES = ["low", "normal", "urgent"] as const;

export function Report() {
  const me = useMe();
  useTitle(t("nav.report"));
  const may = me.areas ?? [];
  if (!may.includes("report_problem"))
    return (
      <main id="main" class="page">
        <Empty title={t("report.closed")}>{t("error.area_not_open", { operator: portal.operator })}</Empty>
      </main>
    );
  return (
    <main id="main" class="page report">
      <h1 tabIndex={-1}>{t("nav.report")}</h1>
      <p class="intro">{t("report.intro", { operator: portal.operator })}</p>
      <Form />
    </main>
  );
}

function Form() {
  const me = useMe();
  const [draft, set] = useState(() => draftOf(me.id));
  const [isAsked, asked] = useState(false);
  const put = (change: Partial<Draft>) =>
    set((old) => {
      const next = { ...old, ...change };
      keepDraft(me.id, next);
      return next;
    });
  useAbout(put);
  const photos = photosOf(me.id);
  const items = useShared(photos.items);
  const [isWaiting, wait] = useState(false);
  const sending = useSending(async () => {
    const { about, title, description, urgency, key } = draft;
    asked(true);
    if (!about) return;
    const photo_ids = items.flatMap(({ id, state }) => (id && state === "sent" ? [id] : []));
    const body = { title, description, urgency, photo_ids, ...(about.kind === "asset" ? { asset_id: about.id } : { site_id: about.id }) };
    // The key is the draft's own: sent twice, it is one report. What is changed after a refusal is another deed.
    const { job_id } = await ask("POST /v1/problems", { body, key }).catch((error: unknown) => {
      put({ key: crypto.randomUUID() });
      throw error;
    });
    dropDraft(me.id);
    dropPhotos(me.id);
    go(`/jobs/${job_id}`, { replace: true });
  });
  const isMoving = items.some(({ state }) => state === "waiting" || state === "sending" || state === "checking");
  const { send } = sending;
  useEffect(() => {
    if (!isWaiting || isMoving) return;
    wait(false);
    send();
  }, [isWaiting, isMoving, send]);
  const general = sending.general(["title", "description", "asset_id", "site_id"]);
  const count = items.filter(({ state }) => state !== "failed").length;
  const busy = isWaiting ? t("report.waiting") : sending.busy && t("sending");
  return (
    <div class="report-columns">
      <form method="post" aria-busy={sending.busy}
        onSubmit={(event) => {
          event.preventDefault();
          // A photo that is still on its way belongs to it, too.
          if (isMoving) wait(true);
          else send();
        }}>
        {general !== undefined && <Failure what={t("send.failed")} error={general} />}
        <PickThing me={me} value={draft.about} error={isAsked && !draft.about ? t("report.pick") : (sending.wrong("asset_id") ?? sending.wrong("site_id"))}
          onValue={(about) => put({ about })} />
        <Field label={t("report.title")} name="title" required value={draft.title} onValue={(title) => put({ title })} error={sending.wrong("title")} />
        <Area label={t("report.description")} name="description" required maxLength={5000} value={draft.description} onValue={(description) => put({ description })}
          error={sending.wrong("description")} />
        <div class="field">
          <span class="label">{t("report.urgency")}</span>
          <Segment label={t("report.urgency")} value={draft.urgency} options={URGENCIES.map((value) => ({ value, label: t(`urgency.${value}`) }))}
            onValue={(urgency) => put({ urgency })} />
        </div>
        <PhotoPicker uploads={photos} />
        <div class="actions send-bar">
          <Button type="submit" look="primary" busy={busy}>
            {count ? t("report.send_with", { count }) : t("report.send")}
          </Button>
          <span class="hint">{t("report.kept")}</span>
        </div>
      </form>
      {draft.about && me.areas?.includes("jobs") && (
        <aside>
          <JobsOf key={draft.about.id} query={draft.about.kind === "asset" ? { asset_id: draft.about.id } : { site_id: draft.about.id }}
            title={t("report.already", { name: draft.about.name })} hint={t("report.already_hint")} />
        </aside>
      )}
    </div>
  );
}

/** `/report?asset=…`: from the page of that asset or site. */
function useAbout(put: (change: Partial<Draft>) => void): void {
  const putting = useRef(put);
  useEffect(() => {
    const query = new URLSearchParams(location.search);
    const [asset, site] = [query.get("asset"), query.get("site")];
    if (asset) void ask("GET /v1/assets/{id}", { at: { id: asset } }).then((found) => putting.current({ about: ofAsset(found) }), () => undefined);
    else if (site) void ask("GET /v1/sites/{id}", { at: { id: site } }).then((found) => putting.current({ about: ofSite(found) }), () => undefined);
  }, []);
}
