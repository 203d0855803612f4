// `/jobs` and `/jobs/{id}`: the jobs of one's company, and beside the list the one that is looked at.

import { Button, ButtonLink } from "../components/Button";
import { Empty } from "../components/Empty";
import { JobMark } from "../components/JobMark";
import { Menu } from "../components/Menu";
import { More } from "../components/More";
import { Failure } from "../components/Notice";
import { Rows } from "../components/Skeleton";
import { When } from "../components/When";
import type { JobRow } from "../api/types";
import { portal } from "../lib/boot";
import { step } from "../lib/focus";
import { moment } from "../lib/format";
import { useMe } from "../lib/me";
import { given, useJobs } from "../lib/records";
import { go, place } from "../lib/router";
import { useShared } from "../lib/state";
import { t } from "../lib/text";
import { useTitle } from "../lib/title";
import { Job } from "./job";

const STATUSES = ["open", "scheduled", "in_progress", "done", "cancelled"] as const;

export function Jobs({ id }: { id: string }) {
  const me = useMe();
  const { search } = useShared(place);
  const maySee = me.kind === "staff" || (me.areas?.includes("jobs") ?? false);
  useTitle(t("nav.jobs"));
  // Who may only report sees what becomes of its own reports, one by one.
  if (!maySee) return <main id="main" class="page job-only">{id ? <Job id={id} key={id} /> : <Closed />}</main>;
  return (
    <main id="main" class={id ? "page jobs one" : "page jobs"}>
      <JobList search={search} current={id} />
      {id && (
        <section class="job-pane" aria-label={t("job.one")}>
          <Job id={id} key={id} />
        </section>
      )}
    </main>
  );
}

function JobList({ search, current }: { search: string; current: string }) {
  const me = useMe();
  const query = given(search, ["q", "status", "site_id", "asset_id"]);
  const jobs = useJobs(query);
  const rows = jobs.found?.pages.flat();
  const keep = new URLSearchParams(query).toString();
  const look = (status: string) => {
    const next = new URLSearchParams(query);
    if (status) next.set("status", status);
    else next.delete("status");
    go(`/jobs${current ? `/${current}` : ""}${next.size ? `?${next}` : ""}`, { replace: true });
  };
  const options = [{ value: "", label: t("filter.any") }, ...STATUSES.map((value) => ({ value, label: t(`job.${value}`) }))];
  const Title = current ? "h2" : "h1";
  return (
    <section class="job-list" aria-label={t("nav.jobs")}>
      <div class="page-head">
        <Title class="list-title" tabIndex={-1}>
          {t("nav.jobs")}
        </Title>
        {me.areas?.includes("report_problem") && (
          <ButtonLink small sign="alert" href="/report">
            {t("nav.report")}
          </ButtonLink>
        )}
      </div>
      <div class="filters">
        <Menu label={t("job.status")} value={query.status ?? ""} options={options} onValue={look} />
        {(query.q ?? query.site_id ?? query.asset_id) && (
          <Button look="quiet" small onClick={() => go("/jobs", { replace: true })}>
            {t("filter.clear")}
          </Button>
        )}
      </div>
      {jobs.error !== undefined && <Failure what={t("job.list_failed")} error={jobs.error} again={jobs.again} />}
      {!rows && jobs.error === undefined && <Rows pictures={false} />}
      {rows?.length === 0 && !jobs.isStale && (Object.keys(query).length ? <NoMatch q={query.q} /> : <Empty sign="inbox" title={t("job.none")}>{t("job.none_why", { operator: portal.operator })}</Empty>)}
      {rows && rows.length > 0 && (
        // Arrow keys go from row to row; each row is a link all the same.
        // eslint-disable-next-line jsx-a11y/no-static-element-interactions
        <div class={jobs.isStale ? "list stale" : "list"} onKeyDown={step}>
          <ul class="rows side">
            {rows.map((job) => (
              <JobLine key={job.id} job={job} isCurrent={job.id === current} query={keep} />
            ))}
          </ul>
          <More list={jobs} />
        </div>
      )}
    </section>
  );
}

function JobLine({ job, isCurrent, query }: { job: JobRow; isCurrent: boolean; query: string }) {
  return (
    <li class={isCurrent ? "row current" : "row"}>
      <div class="text">
        <a class="title" href={`/jobs/${job.id}${query ? `?${query}` : ""}`} aria-current={isCurrent ? "true" : undefined}>
          {job.title}
        </a>
        <p class="meta">
          {job.reference !== job.id && <span>{job.reference}</span>}
          <span>{job.status === "scheduled" && job.scheduled_at ? moment(job.scheduled_at) : <When at={job.updated_at} />}</span>
        </p>
      </div>
      <JobMark job={job} />
    </li>
  );
}

function NoMatch({ q }: { q: string | undefined }) {
  return (
    <Empty title={q ? t("inbox.no_match", { q }) : t("inbox.no_filtered")}
      actions={<Button onClick={() => go("/jobs", { replace: true })}>{t("filter.clear")}</Button>} />
  );
}

function Closed() {
  return <Empty title={t("job.closed")}>{t("error.area_not_open", { operator: portal.operator })}</Empty>;
}
