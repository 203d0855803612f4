// A share in the list: its title at the left edge, its time at the right one, pictures before it.

import type { ShareRow as Row } from "../api/types";
import { expiry, size } from "../lib/format";
import { acrossShares } from "../lib/source";
import { t } from "../lib/text";
import { DownloadIcon } from "./DownloadIcon";
import { Thumb } from "./Thumb";
import { When } from "./When";

export function ShareRow({ share, isRead }: { share: Row; isRead: boolean }) {
  const unread = share.unread && !isRead;
  const ends = expiry(share.expires_at);
  const files = `${t("files", { count: share.file_count })}, ${size(share.total_size)}`;
  return (
    <li class={unread ? "row unread" : "row"}>
      <div class="text">
        <a class="title" href={`/shares/${share.id}`}>
          {unread && <span class="unseen">{t("unread")}: </span>}
          {share.title}
        </a>
        <p class="meta">
          <span>{share.from}</span>
          <span class="narrow-only">
            <When at={share.received_at} />
          </span>
          {share.reference && <span class="wide-only">{share.reference}</span>}
          <span>{files}</span>
        </p>
        {ends && <p class="meta ends narrow-only">{ends}</p>}
      </div>
      <div class="strip" aria-hidden="true">
        {share.first_files.map((file, index) => (
          <Thumb key={file.id} id={`${share.id}/${file.id}`} from={acrossShares} preview={file.preview}
            more={index === share.first_files.length - 1 ? share.file_count - share.first_files.length : 0} />
        ))}
      </div>
      <DownloadIcon label={t("download.share", { title: share.title })} title={share.title} count={share.file_count} share={share.id} />
      <div class="date wide-only">
        <When at={share.received_at} />
        {ends && <span class="ends">{ends}</span>}
      </div>
    </li>
  );
}
