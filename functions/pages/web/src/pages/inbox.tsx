// `/`: every share that came to this person, and what it sent. The staff see all shares.

import { useMemo } from "preact/hooks";
import { Button, ButtonLink } from "../components/Button";
import { Empty } from "../components/Empty";
import { InboxFilters } from "../components/InboxFilters";
import { More } from "../components/More";
import { Failure } from "../components/Notice";
import { ShareRow } from "../components/ShareRow";
import { Rows } from "../components/Skeleton";
import type { Me, ShareRow as Row } from "../api/types";
import { portal } from "../lib/boot";
import { moment } from "../lib/format";
import { opened, useInbox } from "../lib/inbox";
import { step } from "../lib/focus";
import { asAsked, isNarrowed, looking } from "../lib/query";
import { go, place } from "../lib/router";
import { useMe } from "../lib/me";
import { useShared } from "../lib/state";
import { language, t } from "../lib/text";
import { useTitle } from "../lib/title";

export function Inbox() {
  const me = useMe();
  const { search } = useShared(place);
  const inbox = useInbox(asAsked(search));
  useTitle(t("nav.files"));
  const { found } = inbox;
  const rows = found?.pages.flat() ?? [];
  const look = (change: Record<string, string>) => go(looking(search, change), { replace: true });
  const isEmpty = found !== undefined && rows.length === 0 && !inbox.isStale;
  const maySend = me.areas?.includes("upload") ?? false;
  const isPlain = !isNarrowed(search) && !new URLSearchParams(search).get("direction");
  return (
    <main id="main" class="page inbox">
      <div class="page-head">
        <h1 tabIndex={-1}>{t("nav.files")}</h1>
        {isPlain && found?.total ? <p class="about">{t("inbox.total", { count: found.total, operator: portal.operator })}</p> : null}
        {maySend && !(isEmpty && isPlain) && (
          <ButtonLink sign="upload" href="/shares/new">
            {t("send.files")}
          </ButtonLink>
        )}
      </div>
      {!(isEmpty && isPlain) && (
        <InboxFilters search={search} unread={me.unread} onLook={look} />
      )}
      {inbox.error !== undefined && <Failure what={found ? t("inbox.failed_new") : t("inbox.failed")} error={inbox.error} again={inbox.again} />}
      <p class="unseen" role="status">
        {inbox.arrived ? t("inbox.arrived", { count: inbox.arrived }) : isNarrowed(search) && found && !inbox.isStale ? t("inbox.found", { count: rows.length }) : ""}
      </p>
      {!found && inbox.error === undefined && <Rows />}
      {isEmpty && (isPlain ? <Nothing me={me} maySend={maySend} /> : <NoMatch search={search} onLook={look} />)}
      {found && rows.length > 0 && (
        <div class={inbox.isStale ? "stale" : undefined} aria-busy={inbox.isStale}>
          <Pages pages={found.pages} since={isPlain && !new URLSearchParams(search).get("sort") ? (me.previous_visit_at ?? undefined) : undefined} />
          <More list={inbox} />
        </div>
      )}
    </main>
  );
}

/** What came since one was here, and what was there before. */
function Pages({ pages, since }: { pages: Row[][]; since: string | undefined }) {
  const lists = pages.map((rows, index) => {
    const parts = since ? [rows.filter((row) => row.received_at > since), rows.filter((row) => row.received_at <= since)] : [rows];
    return { index, parts };
  });
  const hasNew = since !== undefined && (pages[0]?.[0]?.received_at ?? "") > since;
  const firstOld = lists.find(({ parts }) => (parts[1]?.length ?? 0) > 0)?.index;
  return (
    // Arrow keys go from row to row; each row is a link all the same.
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions
    <div class="list" onKeyDown={step}>
      {hasNew && (
        <h2 class="divider">
          {t("inbox.new")} <span>{t("inbox.last_visit", { time: moment(since) })}</span>
        </h2>
      )}
      {lists.map(({ index, parts }) =>
        parts.map((rows, part) => (
          <div key={`${index}.${part}`}>
            {hasNew && part === 1 && index === firstOld && <h2 class="divider">{t("inbox.earlier")}</h2>}
            {rows.length > 0 && <Page rows={rows} />}
          </div>
        )),
      )}
    </div>
  );
}

/** A page is drawn anew only where its own rows are others. */
function Page({ rows }: { rows: Row[] }) {
  const read = useShared(opened);
  const key = rows.filter(({ id }) => read.has(id)).length;
  const spoken = language();
  return useMemo(
    () => (
      <ul class="rows" style={{ "--rows": String(rows.length) }} data-language={spoken}>
        {rows.map((share) => (
          <ShareRow key={share.id} share={share} isRead={read.has(share.id)} />
        ))}
      </ul>
    ),
    // Of all that was opened, what is on this page counts.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [rows, key, spoken],
  );
}

function Nothing({ me, maySend }: { me: Me; maySend: boolean }) {
  const actions = maySend && (
    <ButtonLink sign="upload" href="/shares/new">
      {t("send.files_to", { operator: portal.operator })}
    </ButtonLink>
  );
  if (me.kind === "staff") return <Empty sign="inbox" title={t("inbox.empty_staff")} />;
  return (
    <Empty sign="inbox" title={t("inbox.empty")} actions={actions}>
      {t("inbox.empty_why", { operator: portal.operator, email: me.email ?? "" })}
    </Empty>
  );
}

function NoMatch({ search, onLook }: { search: string; onLook: (change: Record<string, string>) => void }) {
  const query = new URLSearchParams(search);
  const q = query.get("q") ?? "";
  const others = ["type", "period"].some((name) => query.get(name));
  const title = query.get("unread") ? (q ? t("inbox.no_unread_match", { q }) : t("inbox.no_unread")) : q ? t("inbox.no_match", { q }) : t("inbox.no_filtered");
  const actions = (
    <>
      {query.get("unread") && <Button onClick={() => onLook({ unread: "" })}>{t("inbox.show_read")}</Button>}
      {others && <Button onClick={() => onLook({ type: "", period: "", from_id: "" })}>{t("filter.clear")}</Button>}
      {q && (
        <Button look="quiet" onClick={() => onLook({ q: "" })}>
          {t("search.clear")}
        </Button>
      )}
    </>
  );
  return (
    <Empty title={title} actions={actions}>
      {q ? t("inbox.search_hint") : undefined}
    </Empty>
  );
}
