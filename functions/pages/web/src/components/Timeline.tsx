// What happened to a job, oldest first, so that one writes right after what one answers.

import type { ComponentChildren } from "preact";
import type { JobEvent, JobFileView, JobStatus, JobWithHistory } from "../api/types";
import { portal } from "../lib/boot";
import { moment } from "../lib/format";
import type { Source } from "../lib/source";
import { type Key, t } from "../lib/text";
import { JobPhoto } from "./JobPhoto";
import { When } from "./When";

const STATUSES = ["open", "scheduled", "in_progress", "done", "cancelled"];

/** Who did it: oneself, a person by name, or the operator's system. */
export function author(by: JobEvent["by"], me: string): string {
  if (by.id === me) return t("you");
  return by.name ?? (by.kind === "customer" ? t("job.customer") : portal.operator);
}

function statusWord(status: string | null | undefined): string {
  return status && STATUSES.includes(status) ? t(`job.${status as JobStatus}`) : (status ?? "");
}

/** What an event did, in a few words. */
function deed(event: JobEvent, job: JobWithHistory): string {
  const after = (field: string) => event.changed.find((change) => change.field === field)?.after;
  if (event.kind === "created") {
    if (job.source !== "portal") return t("event.created");
    return job.urgency === "urgent" ? t("event.reported_urgent") : t("event.reported");
  }
  if (event.kind === "commented") return t("event.commented");
  if (event.kind === "file_added") return t("event.photos", { count: event.files.length || 1 });
  const status = after("status_label") ?? statusWord(after("status"));
  if (status) return t("event.status", { status });
  const scheduled = after("scheduled_at");
  if (scheduled) return t("event.scheduled", { time: moment(scheduled) });
  const fields: Key[] = event.changed.length ? ["event.changed"] : ["event.commented"];
  return t(fields[0] ?? "event.changed");
}

/** Photos that came one after the other, from one person, are one event. */
export function gathered(events: JobEvent[]): JobEvent[] {
  const together: JobEvent[] = [];
  for (const event of events) {
    const last = together.at(-1);
    const isSame = last?.kind === "file_added" && event.kind === "file_added" && last.by.id === event.by.id;
    if (last && isSame) together[together.length - 1] = { ...last, files: [...last.files, ...event.files] };
    else together.push(event);
  }
  return together;
}

export function Timeline({ job, me, source, hrefOf, children }: {
  job: JobWithHistory;
  me: string;
  source: Source;
  hrefOf: (file: JobFileView) => string;
  children?: ComponentChildren;
}) {
  const events = gathered(job.events);
  const told = new Set(events.flatMap(({ files }) => files));
  // Photos that came with the report belong to its first event.
  const first = job.files.filter(({ id }) => !told.has(id)).map(({ id }) => id);
  return (
    <ol class="timeline">
      {job.events_truncated && <li class="meta">{t("event.earlier")}</li>}
      {events.map((event, index) => {
        const isFirst = event.kind === "created";
        const files = job.files.filter(({ id }) => event.files.includes(id) || (isFirst && first.includes(id)));
        const text = event.note ?? (isFirst ? job.description : null);
        return (
          <li key={event.id} class={index === events.length - 1 ? `last ${job.status}` : undefined}>
            <p class="head">
              <strong>{author(event.by, me)}</strong> {deed(event, job)} · <When at={event.at} inSentence />
            </p>
            {text && <p class="said">{text}</p>}
            {files.length > 0 && (
              <ul class="photos">
                {files.map((file) => (
                  <li key={file.id}>
                    <JobPhoto file={file} source={source} href={hrefOf(file)} />
                  </li>
                ))}
              </ul>
            )}
          </li>
        );
      })}
      {children && <li class="write">{children}</li>}
    </ol>
  );
}
