// `/assets`: the machines, containers and the like that one's company has, and the sites where they stand.

import { Button } from "../components/Button";
import { Empty } from "../components/Empty";
import { More } from "../components/More";
import { Failure } from "../components/Notice";
import { Segment } from "../components/Segment";
import { Rows } from "../components/Skeleton";
import type { Asset, Site } from "../api/types";
import { portal } from "../lib/boot";
import { step } from "../lib/focus";
import type { List } from "../lib/list";
import { given, useAssets, useSites } from "../lib/records";
import { go, place } from "../lib/router";
import { useShared } from "../lib/state";
import { t } from "../lib/text";
import { useTitle } from "../lib/title";

export function Assets() {
  const { search } = useShared(place);
  const of = new URLSearchParams(search).get("of") === "sites" ? "sites" : "assets";
  useTitle(t("nav.assets"));
  return (
    <main id="main" class="page">
      <div class="page-head">
        <h1 tabIndex={-1}>{t("nav.assets")}</h1>
      </div>
      <div class="filters">
        <Segment label={t("view")} value={of}
          options={[
            { value: "assets", label: t("nav.assets") },
            { value: "sites", label: t("sites") },
          ]}
          onValue={(of) => go(of === "sites" ? "/assets?of=sites" : "/assets", { replace: true })} />
      </div>
      {of === "sites" ? <SiteList search={search} /> : <AssetList search={search} />}
    </main>
  );
}

function AssetList({ search }: { search: string }) {
  const query = given(search, ["q", "site_id", "status"]);
  return <Listed list={useAssets(query)} query={query} line={(asset) => <AssetLine asset={asset} />} none={t("asset.none")} />;
}

function SiteList({ search }: { search: string }) {
  const query = given(search, ["q"]);
  return <Listed list={useSites(query)} query={query} line={(site) => <SiteLine site={site} />} none={t("site.none")} />;
}

function Listed<T extends Asset | Site>({ list, query, line, none }: {
  list: List<T>;
  query: Record<string, string>;
  line: (row: T) => preact.ComponentChild;
  none: string;
}) {
  const rows = list.found?.pages.flat();
  const isNarrowed = Object.keys(query).length > 0;
  return (
    <>
      {list.error !== undefined && <Failure what={t("asset.list_failed")} error={list.error} again={list.again} />}
      {!rows && list.error === undefined && <Rows pictures={false} />}
      {rows?.length === 0 &&
        (isNarrowed ? (
          <Empty title={query.q ? t("inbox.no_match", { q: query.q }) : t("inbox.no_filtered")}
            actions={<Button onClick={() => go("/assets", { replace: true })}>{t("filter.clear")}</Button>} />
        ) : (
          <Empty sign="inbox" title={none}>
            {t("asset.none_why", { operator: portal.operator })}
          </Empty>
        ))}
      {rows && rows.length > 0 && (
        // Arrow keys go from row to row; each row is a link all the same.
        // eslint-disable-next-line jsx-a11y/no-static-element-interactions
        <div class={list.isStale ? "list stale" : "list"} onKeyDown={step}>
          <ul class="rows side">
            {rows.map((row) => (
              <li key={row.id} class="row">
                {line(row)}
              </li>
            ))}
          </ul>
          <More list={list} />
        </div>
      )}
    </>
  );
}

function AssetLine({ asset }: { asset: Asset }) {
  const about = [asset.kind, asset.serial, asset.site_reference].filter((text) => text !== null);
  return (
    <>
      <div class="text">
        <a class="title" href={`/assets/${asset.id}`}>
          {asset.name}
        </a>
        <p class="meta">
          <span>{asset.reference}</span>
          {about.map((text) => (
            <span key={text}>{text}</span>
          ))}
        </p>
      </div>
      {asset.status && <span class="pill">{asset.status}</span>}
    </>
  );
}

function SiteLine({ site }: { site: Site }) {
  return (
    <div class="text">
      <a class="title" href={`/sites/${site.id}`}>
        {site.name}
      </a>
      <p class="meta">
        <span>{site.reference}</span>
        {site.address && <span>{site.address.split("\n").join(", ")}</span>}
      </p>
    </div>
  );
}
