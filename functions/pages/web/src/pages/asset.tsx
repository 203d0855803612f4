// `/assets/{id}` and `/sites/{id}`: what is known of a thing or a place, its jobs, and reporting a problem with it.

import type { ComponentChildren } from "preact";
import { ask, isRefused } from "../api/client";
import { ButtonLink } from "../components/Button";
import { Empty } from "../components/Empty";
import { Icon } from "../components/Icon";
import { JobMark } from "../components/JobMark";
import { More } from "../components/More";
import { Failure } from "../components/Notice";
import { Lines, Rows } from "../components/Skeleton";
import { When } from "../components/When";
import { useLoad } from "../lib/load";
import { useMe } from "../lib/me";
import { useJobs } from "../lib/records";
import { t } from "../lib/text";
import { useTitle } from "../lib/title";

export function AssetPage({ id }: { id: string }) {
  const asset = useLoad(id, (signal) => ask("GET /v1/assets/{id}", { at: { id }, signal }));
  const { data } = asset;
  const facts: [string, ComponentChildren][] = data
    ? [
        [t("reference"), data.reference],
        [t("asset.kind"), data.kind],
        [t("asset.serial"), data.serial],
        [t("asset.site"), data.site_id ? <a href={`/sites/${data.site_id}`}>{data.site_reference}</a> : data.site_reference],
        [t("asset.status"), data.status],
      ]
    : [];
  return (
    <About title={data?.name} facts={facts} back="/assets" report={`asset=${id}`} error={asset.error} again={asset.again}>
      <JobsOf query={{ asset_id: id }} />
    </About>
  );
}

export function SitePage({ id }: { id: string }) {
  const site = useLoad(id, (signal) => ask("GET /v1/sites/{id}", { at: { id }, signal }));
  const { data } = site;
  const facts: [string, ComponentChildren][] = data ? [[t("reference"), data.reference], [t("site.address"), data.address && <span class="said">{data.address}</span>]] : [];
  return (
    <About title={data?.name} facts={facts} back="/assets?of=sites" report={`site=${id}`} error={site.error} again={site.again}>
      <JobsOf query={{ site_id: id }} />
    </About>
  );
}

function About({ title, facts, back, report, error, again, children }: {
  title: string | undefined;
  facts: [string, ComponentChildren][];
  back: string;
  report: string;
  error: unknown;
  again: () => void;
  children: ComponentChildren;
}) {
  const me = useMe();
  useTitle(title ?? t("nav.assets"));
  const isGone = isRefused(error, "not_found", "area_not_open", "forbidden");
  return (
    <main id="main" class="page record">
      <a class="crumb-back" href={back}>
        <Icon sign="left" size={16} /> {t("nav.assets")}
      </a>
      {isGone ? (
        <Empty title={t("asset.gone")}>{t("job.gone_why", { email: me.email ?? me.name })}</Empty>
      ) : error !== undefined && !title ? (
        <Failure what={t("asset.list_failed")} error={error} again={again} />
      ) : !title ? (
        <Lines count={5} />
      ) : (
        <>
          <div class="page-head">
            <h1 tabIndex={-1}>{title}</h1>
            {me.areas?.includes("report_problem") && (
              <ButtonLink sign="alert" href={`/report?${report}`}>
                {t("nav.report")}
              </ButtonLink>
            )}
          </div>
          <dl class="facts">
            {facts
              .filter(([, value]) => value)
              .map(([label, value]) => (
                <div key={label}>
                  <dt>{label}</dt>
                  <dd>{value}</dd>
                </div>
              ))}
          </dl>
          {(me.kind === "staff" || me.areas?.includes("jobs")) && children}
        </>
      )}
    </main>
  );
}

/** The jobs of one asset or site, newest news first. */
export function JobsOf({ query, title = t("asset.jobs"), hint }: { query: Record<string, string>; title?: string; hint?: string }) {
  const jobs = useJobs(query);
  const rows = jobs.found?.pages.flat();
  return (
    <section class="jobs-of">
      <h2>{title}</h2>
      {jobs.error !== undefined && <Failure what={t("job.list_failed")} error={jobs.error} again={jobs.again} />}
      {!rows && jobs.error === undefined && <Rows count={3} pictures={false} />}
      {rows?.length === 0 && <p class="meta">{t("asset.no_jobs")}</p>}
      {rows && rows.length > 0 && (
        <>
          <ul class="rows side">
            {rows.map((job) => (
              <li key={job.id} class="row">
                <div class="text">
                  <a class="title" href={`/jobs/${job.id}`}>
                    {job.title}
                  </a>
                  <p class="meta">
                    <span>
                      <When at={job.updated_at} />
                    </span>
                  </p>
                </div>
                <JobMark job={job} />
              </li>
            ))}
          </ul>
          {hint && <p class="meta">{hint}</p>}
          <More list={jobs} />
        </>
      )}
    </section>
  );
}
