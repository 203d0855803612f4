// `/open#…`: the files of one share for whoever has the link of its mail, without an account.

import { useMemo, useState } from "preact/hooks";
import { ask, isRefused } from "../api/client";
import type { OpenedLink, ShareFile } from "../api/types";
import { Brand } from "../components/Brand";
import { DownloadAll } from "../components/DownloadAll";
import { Empty } from "../components/Empty";
import { Files } from "../components/Files";
import { Footer } from "../components/Footer";
import { GetAccess } from "../components/GetAccess";
import { Narrow } from "../components/Narrow";
import { Failure } from "../components/Notice";
import { ShareHead } from "../components/ShareHead";
import { Lines, Tiles } from "../components/Skeleton";
import { portal } from "../lib/boot";
import { shown } from "../lib/folders";
import { useLoad } from "../lib/load";
import { ofLink } from "../lib/source";
import { t } from "../lib/text";
import { useTitle } from "../lib/title";
import { takeToken } from "../lib/token";

export function Open() {
  const [token] = useState(takeToken);
  const opened = useLoad(token ?? "", () => ask("POST /v1/links/open", { body: { token: token ?? "" }, isPublic: true }));
  useTitle(opened.data?.share.title ?? t("open.title"));
  if (!token || (isRefused(opened.error) && opened.error.status >= 400 && opened.error.status < 429)) return <Over error={opened.error} />;
  return (
    <>
      <header class="header open">
        <div class="inside">
          <Brand link={undefined} />
          <span class="for wide-only">{opened.data && t("open.for", { email: opened.data.email })}</span>
          <a href="/signin">{t("signin")}</a>
        </div>
      </header>
      <main id="main" class="page share open">
        {opened.data ? (
          <Opened link={opened.data} token={token} />
        ) : opened.error !== undefined ? (
          <Failure what={t("share.failed")} error={opened.error} again={opened.again} />
        ) : (
          <>
            <Lines count={3} />
            <Tiles />
          </>
        )}
      </main>
      <Footer />
    </>
  );
}

function Opened({ link, token }: { link: OpenedLink; token: string }) {
  const source = useMemo(() => ofLink(token), [token]);
  const { share } = link;
  const files: ShareFile[] = shown(link.files);
  return (
    <>
      <div class="open-head">
        <div>
          <ShareHead share={share} />
        </div>
        {files.length > 0 && <DownloadAll files={files} source={source} title={share.title} name={share.id} />}
      </div>
      {files.length ? <Files files={link.files} source={source} title={share.title} name={share.id} isVisitor /> : <Empty title={t("share.empty")} />}
      {link.offer && <GetAccess offer={link.offer} email={link.email} token={token} />}
    </>
  );
}

function Over({ error }: { error: unknown }) {
  const expired = isRefused(error, "share_expired", "link_expired");
  const replaced = isRefused(error, "link_replaced");
  const title = expired ? t("share.expired") : t("link.dead");
  const intro = expired ? t("share.expired_why") : replaced ? t("link.replaced") : t("open.dead_intro", { operator: portal.operator });
  return (
    <Narrow title={title} intro={intro}>
      <p class="after">
        {t("already_account")} <a href="/signin">{t("signin")}</a>
        {portal.support_email && (
          <>
            <br />
            <a href={`mailto:${portal.support_email}`}>{t("open.ask", { operator: portal.operator })}</a>
          </>
        )}
      </p>
    </Narrow>
  );
}
