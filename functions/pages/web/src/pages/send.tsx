// `/shares/new`: a share of one's own. Its title comes first, so that no file is left without one; the files follow, and when
// all are there it is sent.

import { useEffect, useRef, useState } from "preact/hooks";
import { ask } from "../api/client";
import { Button } from "../components/Button";
import { DropZone } from "../components/DropZone";
import { Empty } from "../components/Empty";
import { Area, Field } from "../components/Field";
import { Icon } from "../components/Icon";
import { Failure } from "../components/Notice";
import { UploadList } from "../components/UploadList";
import { portal } from "../lib/boot";
import type { Dropped } from "../lib/dropped";
import { focusFirst } from "../lib/focus";
import { size } from "../lib/format";
import { useSending } from "../lib/form";
import { useMe } from "../lib/me";
import { go } from "../lib/router";
import { useShared } from "../lib/state";
import { t } from "../lib/text";
import { useTitle } from "../lib/title";
import { uploadsTo } from "../lib/uploads";

export function Send() {
  const me = useMe();
  const [draft, made] = useState<string>();
  useTitle(t("send.files"));
  if (!me.areas?.includes("upload"))
    return (
      <main id="main" class="page">
        <Empty title={t("send.closed")}>{t("error.area_not_open", { operator: portal.operator })}</Empty>
      </main>
    );
  return (
    <main id="main" class="page send">
      <a class="crumb-back" href="/">
        <Icon sign="left" size={16} /> {t("nav.files")}
      </a>
      <h1 tabIndex={-1}>{t("send.files_to", { operator: portal.operator })}</h1>
      {draft ? <Going draft={draft} /> : <About onMade={made} />}
    </main>
  );
}

/** What it is, and which files. */
function About({ onMade }: { onMade: (id: string) => void }) {
  const [title, setTitle] = useState("");
  const [message, setMessage] = useState("");
  const [files, setFiles] = useState<Dropped[]>([]);
  const [isMissing, missing] = useState(false);
  useEffect(focusFirst, []);
  const sending = useSending(async (key) => {
    missing(files.length === 0);
    if (files.length === 0) return;
    const { id } = await ask("POST /v1/shares", { body: { title, message: message.trim() || null, allow_upload: true, files: [], recipients: [] }, key });
    uploadsTo(id).add(files);
    onMade(id);
  });
  const total = files.reduce((sum, { file }) => sum + file.size, 0);
  const general = sending.general(["title", "message"]);
  return (
    <form method="post" onSubmit={sending.onSubmit} aria-busy={sending.busy}>
      {general !== undefined && <Failure what={t("send.failed")} error={general} />}
      <Field label={t("send.title")} name="title" required value={title} onValue={setTitle} error={sending.wrong("title")} />
      <Area label={t("message.optional")} name="message" maxLength={5000} value={message} onValue={setMessage} error={sending.wrong("message")} />
      <div class={isMissing && files.length === 0 ? "field wrong" : "field"}>
        <DropZone title={t("drop.here")} onFiles={(more) => setFiles((files) => [...files, ...more])} />
        {isMissing && files.length === 0 && (
          <p class="error" role="alert">
            <Icon sign="alert" size={16} /> {t("send.no_files")}
          </p>
        )}
        {files.length > 0 && (
          <ul class="picked">
            {files.map(({ file, folder }, index) => (
              <li key={index}>
                <span>{folder ? `${folder}/${file.name}` : file.name}</span>
                <span class="number">{size(file.size)}</span>
                <button type="button" class="icon-button" aria-label={t("upload.remove", { name: file.name })} onClick={() => setFiles(files.filter((_, other) => other !== index))}>
                  <Icon sign="close" size={16} />
                </button>
              </li>
            ))}
          </ul>
        )}
      </div>
      <div class="actions">
        <Button type="submit" look="primary" busy={sending.busy && t("sending")}>
          {files.length ? t("send.count", { count: files.length }) : t("send.files")}
        </Button>
        {files.length > 0 && <span class="hint">{size(total)}</span>}
      </div>
    </form>
  );
}

/** The files on their way; when the last is there, the share is sent by itself. */
function Going({ draft }: { draft: string }) {
  const uploads = uploadsTo(draft);
  const items = useShared(uploads.items);
  const isWhole = items.length > 0 && items.every(({ state }) => state === "sent");
  const started = useRef(false);
  const sending = useSending(async (key) => {
    await ask("POST /v1/shares/{id}/send", { at: { id: draft }, key });
    go(`/shares/${draft}`, { replace: true });
  });
  const { send } = sending;
  useEffect(() => {
    if (!isWhole || started.current) return;
    started.current = true;
    send();
  }, [isWhole, send]);
  const [isLeaving, leave] = useState(false);
  const away = useSending(async () => {
    await Promise.all(items.map(({ key }) => uploads.remove(key)));
    await ask("DELETE /v1/shares/{id}", { at: { id: draft } });
    go("/", { replace: true });
  });
  return (
    <section class="going" aria-live="polite">
      <p class="about">{isWhole ? t("send.finishing") : t("send.going", { operator: portal.operator })}</p>
      <UploadList uploads={uploads} />
      {sending.error !== undefined && <Failure what={t("send.failed")} error={sending.error} again={send} />}
      {away.error !== undefined && <Failure error={away.error} />}
      <div class="actions">
        {isLeaving ? (
          <>
            <p>{t("send.discard_sure")}</p>
            <Button look="danger" busy={away.busy && t("send.discarding")} onClick={away.send}>
              {t("send.discard")}
            </Button>
            <Button onClick={() => leave(false)}>{t("send.keep")}</Button>
          </>
        ) : (
          !isWhole && (
            <Button look="quiet" onClick={() => leave(true)}>
              {t("send.discard")}
            </Button>
          )
        )}
      </div>
    </section>
  );
}
