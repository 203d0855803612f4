// `/shares/{id}`: the files of a share, to look at and to download, and files to send back.

import { useEffect, useMemo } from "preact/hooks";
import { ask, isRefused } from "../api/client";
import type { ShareWithFiles } from "../api/types";
import { DownloadAll } from "../components/DownloadAll";
import { Empty } from "../components/Empty";
import { Files } from "../components/Files";
import { Icon } from "../components/Icon";
import { Failure } from "../components/Notice";
import { SendBack } from "../components/SendBack";
import { ShareHead } from "../components/ShareHead";
import { Lines, Tiles } from "../components/Skeleton";
import { shown } from "../lib/folders";
import { markOpened } from "../lib/inbox";
import { useLive } from "../lib/live";
import { useLoad } from "../lib/load";
import { useMe } from "../lib/me";
import { session, update } from "../lib/session";
import { ofShare } from "../lib/source";
import { t } from "../lib/text";
import { useTitle } from "../lib/title";

export function Share({ id }: { id: string }) {
  const me = useMe();
  const read = (signal?: AbortSignal): Promise<ShareWithFiles> => ask("GET /v1/shares/{id}", { at: { id }, signal });
  const share = useLoad(id, read);
  const source = useMemo(() => ofShare(id), [id]);
  useTitle(share.data?.title ?? t("nav.files"));
  useEffect(() => {
    if (!share.data) return;
    markOpened(id);
    const now = session.get();
    if (share.data.unread && now.state === "in" && now.me.unread) update({ ...now.me, unread: now.me.unread - 1 });
    // Once for each share.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [id, share.data === undefined]);
  useLive(async () => share.set(await read()), () => undefined);

  if (isRefused(share.error, "not_found", "share_expired", "share_revoked", "forbidden")) return <Gone expired={isRefused(share.error, "share_expired")} />;
  const back = (
    <a class="crumb-back" href="/">
      <Icon sign="left" size={16} /> {t("nav.files")}
    </a>
  );
  if (!share.data)
    return (
      <main id="main" class="page share">
        {back}
        {share.error !== undefined ? (
          <Failure what={t("share.failed")} error={share.error} again={share.again} />
        ) : (
          <>
            <Lines count={3} />
            <Tiles />
          </>
        )}
      </main>
    );
  const { data } = share;
  const files = shown(data.files);
  const maySend = me.kind === "customer" && data.allow_upload && (me.areas?.includes("upload") ?? false);
  return (
    <main id="main" class="page share">
      <div class="share-columns">
        <div class="share-content">
          <ShareHead share={data} back={back} />
          {share.error !== undefined && <Failure what={t("share.failed")} error={share.error} again={share.again} />}
          {files.length ? <Files files={data.files} source={source} title={data.title} name={id} /> : <Empty title={t("share.empty")}>{t("share.empty_why")}</Empty>}
        </div>
        <aside class="share-deeds" aria-label={t("share.deeds")}>
          {files.length > 0 && (
            <div class="deeds-bar">
              {maySend && (
                <a class="button secondary narrow-only" href="#send-back" data-plain="1">
                  <Icon sign="upload" size={18} />
                  <span>{t("send.back_short")}</span>
                </a>
              )}
              <DownloadAll files={files} source={source} title={data.title} name={id} />
            </div>
          )}
          {maySend && <SendBack share={id} onSent={() => void read().then(share.set, () => undefined)} />}
        </aside>
      </div>
    </main>
  );
}

function Gone({ expired }: { expired: boolean }) {
  const me = useMe();
  return (
    <main id="main" class="page">
      <Empty title={expired ? t("share.expired") : t("share.gone")} actions={<a href="/">{t("share.to_files")}</a>}>
        {expired ? t("share.expired_why") : t("share.gone_why", { email: me.email ?? me.name })}
      </Empty>
    </main>
  );
}
