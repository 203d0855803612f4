// One button that becomes its own progress, and says what came of it.

import { useState } from "preact/hooks";
import type { ShareFile } from "../api/types";
import { left, size } from "../lib/format";
import { isHeldBack } from "../lib/scan";
import { type Source, take } from "../lib/source";
import { useShared } from "../lib/state";
import { t } from "../lib/text";
import { begin, clear, transferOf } from "../lib/transfers";
import type { Running } from "../lib/zip";
import { Button } from "./Button";
import { Icon } from "./Icon";
import { Failure, Notice } from "./Notice";

export function DownloadAll({ files: all, source, title, name, label }: {
  files: ShareFile[];
  source: Source;
  title: string;
  /** What the download is known by: the share. */
  name: string;
  label?: string;
}) {
  const running = useShared(transferOf(name));
  const [error, fail] = useState<unknown>();
  const files = all.filter((file) => !isHeldBack(file));
  const total = files.reduce((sum, file) => sum + file.size, 0);
  const start = () => {
    fail(undefined);
    const [only] = files;
    if (files.length === 1 && only) source.download(only.id).then(({ url }) => take(url), fail);
    else begin(name, source, title, files);
  };
  if (running) return <Far running={running} onAgain={start} onClose={() => clear(name)} />;
  return (
    <div class="download-all">
      <Button look="primary" wide sign="download" onClick={start} disabled={files.length === 0}>
        {label ?? (files.length === 1 ? t("download.one", { size: size(total) }) : t("download.all", { size: size(total) }))}
      </Button>
      {error !== undefined && <Failure error={error} />}
    </div>
  );
}

function Far({ running, onAgain, onClose }: { running: Running; onAgain: () => void; onClose: () => void }) {
  const { state, sent, total, since, file } = useShared(running.transfer);
  if (state === "failed")
    return (
      <Notice action={<Button small onClick={onAgain}>{t("again")}</Button>}>
        {file ? t("download.failed_at", { file }) : t("download.failed")}
      </Notice>
    );
  const part = total ? sent / total : 0;
  const seconds = part > 0.02 ? ((Date.now() - since) / 1000) * (1 / part - 1) : undefined;
  const isOver = state !== "running";
  return (
    <div class="download-all">
      <div class="far-button">
        <span>
          {state === "done" ? (
            <>
              <Icon sign="check" size={18} /> {t("download.done")}
            </>
          ) : state === "stopped" ? (
            t("download.stopped")
          ) : (
            t("download.far", { sent: size(sent), total: size(total) })
          )}
        </span>
        <button type="button" class="icon-button" aria-label={isOver ? t("close") : t("download.stop")} title={isOver ? t("close") : t("download.stop")}
          onClick={() => {
            if (isOver) onClose();
            else running.stop();
          }}>
          <Icon sign="close" size={18} />
        </button>
        {!isOver && <div class="bar" role="progressbar" aria-label={t("download.running")} aria-valuenow={Math.floor(part * 100)} style={{ inlineSize: `${part * 100}%` }} />}
      </div>
      <p class="hint" role="status">
        {state === "running" ? `${seconds === undefined ? "" : `${t("left", { time: left(seconds) })} `}${t("download.stay")}` : state === "stopped" ? "" : t("download.done_hint")}
      </p>
    </div>
  );
}
