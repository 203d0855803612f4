// How a job stands: the shape says it, the word repeats it. The word may be the operator's own.

import type { JobRow, JobStatus } from "../api/types";
import { t } from "../lib/text";
import { Icon } from "./Icon";

function Shape({ status }: { status: JobStatus }) {
  if (status === "scheduled") return <Icon sign="clock" size={12} />;
  if (status === "done") return <Icon sign="check" size={12} />;
  return (
    <svg class={`mark ${status}`} width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">
      {status === "cancelled" ? <path d="M1 5h8" /> : <circle cx="5" cy="5" r="4" />}
      {status === "in_progress" && <path d="M5 1a4 4 0 0 1 0 8z" />}
    </svg>
  );
}

export function JobMark({ job }: { job: Pick<JobRow, "status" | "status_label"> }) {
  return (
    <span class={`pill job ${job.status}`}>
      <Shape status={job.status} /> {job.status_label ?? t(`job.${job.status}`)}
    </span>
  );
}
