// What a scan has said of a file, as people are told.

import type { ShareFile } from "../api/types";
import { t } from "./text";

type Scanned = Pick<ShareFile, "scan">;

/** Whether nobody gets its bytes now: it waits for its scan, or that found something. */
export function isHeldBack({ scan }: Scanned): boolean {
  return scan === "waiting" || scan === "found";
}

/** In a word; nothing, where there is nothing to say. */
export function scanned({ scan }: Scanned): string | undefined {
  if (scan === "waiting") return t("scan.waiting");
  if (scan === "found") return t("scan.found");
  return scan === "unsupported" ? t("scan.unsupported") : undefined;
}

/** Why it cannot be opened. */
export function whyHeldBack({ scan }: Scanned): string {
  return scan === "waiting" ? t("scan.waiting_why") : t("scan.found_why");
}
