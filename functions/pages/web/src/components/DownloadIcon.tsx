// Downloads all files of a share from its row, and shows how far that is.

import { useState } from "preact/hooks";
import { ask } from "../api/client";
import { percent } from "../lib/format";
import { ofShare, take } from "../lib/source";
import { useShared } from "../lib/state";
import { t } from "../lib/text";
import { begin, transferOf } from "../lib/transfers";
import { Icon } from "./Icon";
import { reason } from "./Notice";
import type { Running } from "../lib/zip";

export function DownloadIcon({ label, title, count, share }: { label: string; title: string; count: number; share: string }) {
  const running = useShared(transferOf(share));
  const [error, fail] = useState<unknown>();
  if (count === 0) return <div class="row-action" />;
  const start = async () => {
    fail(undefined);
    try {
      const source = ofShare(share);
      const { files } = await ask("GET /v1/shares/{id}", { at: { id: share } });
      const stored = files.filter(({ state }) => state === "stored");
      const [only] = stored;
      if (stored.length === 1 && only) take((await source.download(only.id)).url);
      else begin(share, source, title, stored);
    } catch (error) {
      fail(error);
    }
  };
  return (
    <div class="row-action">
      {running ? (
        <Far running={running} onAgain={() => void start()} label={label} />
      ) : (
        <button type="button" class="icon-button framed" aria-label={label} title={error ? reason(error) : label} onClick={() => void start()}>
          <Icon sign={error ? "alert" : "download"} size={18} />
        </button>
      )}
    </div>
  );
}

function Far({ running, onAgain, label }: { running: Running; onAgain: () => void; label: string }) {
  const { state, sent, total } = useShared(running.transfer);
  if (state === "running")
    return (
      <span class="far" role="status" title={t("download.stay")}>
        {percent(total ? sent / total : 0)}
      </span>
    );
  return (
    <button type="button" class="icon-button framed" aria-label={label} title={state === "failed" ? t("download.failed") : label} onClick={onAgain}>
      <Icon sign={state === "failed" ? "alert" : state === "done" ? "check" : "download"} size={18} />
    </button>
  );
}
