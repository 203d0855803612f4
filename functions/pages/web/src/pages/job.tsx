// One job: how it stands, what happened to it, and a word or photos for whoever works on it. Part of `/jobs/{id}`.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ask, isRefused } from "../api/client";
import type { JobWithHistory } from "../api/types";
import { Button } from "../components/Button";
import { Empty } from "../components/Empty";
import { Icon } from "../components/Icon";
import { JobMark } from "../components/JobMark";
import { Failure } from "../components/Notice";
import { Lines } from "../components/Skeleton";
import { author, Timeline } from "../components/Timeline";
import { UploadList } from "../components/UploadList";
import { Viewer } from "../components/Viewer";
import { portal } from "../lib/boot";
import { chosen } from "../lib/dropped";
import { moment } from "../lib/format";
import { useSending } from "../lib/form";
import { asShareFile, ofJob, uploadsToJob } from "../lib/job";
import { useLive } from "../lib/live";
import { useLoad } from "../lib/load";
import { useMe } from "../lib/me";
import { go, place } from "../lib/router";
import { useShared } from "../lib/state";
import { t } from "../lib/text";
import { useTitle } from "../lib/title";

export function Job({ id }: { id: string }) {
  const me = useMe();
  const { path, search } = useShared(place);
  const read = (signal?: AbortSignal) => ask("GET /v1/jobs/{id}", { at: { id }, signal });
  const job = useLoad(id, read);
  const source = useMemo(() => ofJob(id), [id]);
  useTitle(job.data?.title ?? t("nav.jobs"));
  useLive(async () => job.set(await read()), () => undefined);
  const back = (
    <a class="crumb-back" href={`/jobs${withoutFile(search)}`}>
      <Icon sign="left" size={16} /> {t("nav.jobs")}
    </a>
  );
  if (isRefused(job.error, "not_found", "area_not_open", "forbidden"))
    return (
      <Empty title={t("job.gone")} actions={<a href="/jobs">{t("nav.jobs")}</a>}>
        {t("job.gone_why", { email: me.email ?? me.name })}
      </Empty>
    );
  if (!job.data)
    return (
      <>
        {back}
        {job.error !== undefined ? <Failure what={t("job.failed")} error={job.error} again={job.again} /> : <Lines count={6} />}
      </>
    );
  const { data } = job;
  const files = data.files.map(asShareFile);
  const asked = new URLSearchParams(search).get("file");
  const looked = files.find((file) => file.id === asked);
  const hrefOf = (file: { id: string }) => `${path}${withFile(search, file.id)}`;
  const mayWrite = me.kind === "customer";
  const mayAdd = mayWrite && (me.areas?.includes("report_problem") || me.areas?.includes("upload"));
  return (
    <article class="job">
      {back}
      <div class="job-head">
        <div>
          <h1 tabIndex={-1}>{data.title}</h1>
          <p class="meta">
            {data.reference !== data.id && <span>{data.reference}</span>}
            {data.site_reference && <span>{data.site_reference}</span>}
          </p>
        </div>
        <JobMark job={data} />
      </div>
      <Facts job={data} me={me.id} />
      <Timeline job={data} me={me.id} source={source} hrefOf={hrefOf}>
        {mayWrite && <Write id={id} mayAdd={mayAdd ?? false} onWritten={() => void read().then(job.set, () => undefined)} />}
      </Timeline>
      {looked && <Viewer files={files} file={looked} source={source} hrefOf={hrefOf} onClose={() => go(`${path}${withoutFile(search)}`, { replace: true })} />}
    </article>
  );
}

function withFile(search: string, file: string): string {
  const query = new URLSearchParams(search);
  query.set("file", file);
  return `?${query}`;
}

function withoutFile(search: string): string {
  const query = new URLSearchParams(search);
  query.delete("file");
  return query.size ? `?${query}` : "";
}

/** When it was reported, and by whom. */
function reported(job: JobWithHistory, me: string): string {
  const time = moment(job.created_at);
  if (!job.reported_by) return time;
  return job.reported_by.id === me ? t("job.reported_by_you", { time }) : t("job.reported_by", { time, name: author(job.reported_by, me) });
}

function Facts({ job, me }: { job: JobWithHistory; me: string }) {
  const facts: [label: string, value: string | null][] = [
    [t("job.reported"), job.reported_by && reported(job, me)],
    [t("job.planned"), job.scheduled_at && moment(job.scheduled_at)],
    [t("job.asset"), job.asset_reference],
  ];
  const known = facts.filter(([, value]) => value);
  if (known.length === 0) return null;
  return (
    <dl class="facts">
      {known.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{label === t("job.asset") && job.asset_id ? <a href={`/assets/${job.asset_id}`}>{value}</a> : value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Write({ id, mayAdd, onWritten }: { id: string; mayAdd: boolean; onWritten: () => void }) {
  const kept = `gatehouse-word:${id}`;
  const [text, setText] = useState(() => sessionStorage.getItem(kept) ?? "");
  const uploads = useMemo(() => uploadsToJob(id), [id]);
  const items = useShared(uploads.items);
  const input = useRef<HTMLInputElement>(null);
  const type = (text: string) => {
    sessionStorage.setItem(kept, text);
    setText(text);
  };
  const sending = useSending(async (key) => {
    if (!text.trim()) return;
    await ask("POST /v1/jobs/{id}/comments", { at: { id }, body: { text }, key });
    type("");
    onWritten();
  });
  const sent = items.filter(({ state }) => state === "sent").length;
  useEffect(() => {
    if (sent) onWritten();
    // When one more is there, and not when the page is drawn.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [sent]);
  const label = t("job.write", { operator: portal.operator });
  return (
    <form class="write-form" method="post" onSubmit={sending.onSubmit}>
      {sending.error !== undefined && <Failure error={sending.error} />}
      <div class="field">
        <textarea rows={2} maxLength={5000} aria-label={label} placeholder={label} value={text} onInput={(event) => type(event.currentTarget.value)} />
      </div>
      <UploadList uploads={uploads} />
      <div class="actions">
        {mayAdd && (
          <>
            <input ref={input} type="file" accept="image/*" multiple hidden aria-label={t("photos.add")}
              onChange={(event) => {
                uploads.add(chosen(event.currentTarget));
                event.currentTarget.value = "";
              }} />
            <Button small sign="camera" onClick={() => input.current?.click()}>
              {t("photos.add")}
            </Button>
          </>
        )}
        <Button small type="submit" look="primary" disabled={!text.trim()} busy={sending.busy && t("sending")}>
          {t("send")}
        </Button>
      </div>
    </form>
  );
}
