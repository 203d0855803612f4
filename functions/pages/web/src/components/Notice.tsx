// What must be read: it stays until it is no longer so.

import type { ComponentChildren } from "preact";
import { Refused, Unreachable } from "../api/client";
import { portal } from "../lib/boot";
import { left } from "../lib/format";
import { t } from "../lib/text";
import { Button } from "./Button";
import { Icon, type Sign } from "./Icon";

const SIGNS: Record<string, Sign> = { error: "alert", pending: "clock", neutral: "offline", done: "check" };

export function Notice({ kind = "error", children, action }: {
  kind?: "error" | "pending" | "neutral" | "done";
  children: ComponentChildren;
  action?: ComponentChildren;
}) {
  return (
    <div class={`notice ${kind}`} role={kind === "error" ? "alert" : "status"}>
      <Icon sign={SIGNS[kind] ?? "alert"} />
      <div>{children}</div>
      {action}
    </div>
  );
}

/** Why something did not happen, in words for whoever wanted it. */
export function reason(error: unknown): string {
  if (error instanceof Unreachable) return navigator.onLine ? t("error.unreachable") : t("error.offline");
  if (!(error instanceof Refused)) return t("error.unknown");
  switch (error.problem.type) {
    case "too_many_requests":
      return error.retryAfter ? t("error.too_many_in", { time: left(error.retryAfter) }) : t("error.too_many");
    case "access_closed":
      return t("error.access_closed", { operator: portal.operator });
    case "area_not_open":
      return t("error.area_not_open", { operator: portal.operator });
    case "internal_error":
      return t("error.internal", { id: error.problem.request_id });
    case "service_busy":
      return t("error.unreachable");
    case "share_expired":
      return t("error.share_expired");
    case "share_revoked":
      return t("error.share_revoked", { operator: portal.operator });
    default:
      return error.problem.errors?.[0]?.problem ?? error.problem.detail;
  }
}

/** That something could not be done, why, and how to go on. */
export function Failure({ what, error, again }: { what?: string; error: unknown; again?: (() => void) | undefined }) {
  return (
    <Notice action={again && <Button small onClick={again}>{t("again")}</Button>}>
      {what && <strong>{what} </strong>}
      {reason(error)}
    </Notice>
  );
}
