// What a report is about: found by typing among the assets and sites of one's company.

import { useId, useState } from "preact/hooks";
import { ask } from "../api/client";
import type { Asset, Me, Site } from "../api/types";
import type { About } from "../lib/draft";
import { useLoad } from "../lib/load";
import { t } from "../lib/text";
import { Icon } from "./Icon";
import { Failure } from "./Notice";

export function ofAsset(asset: Asset): About {
  const more = [asset.kind, asset.site_reference].filter(Boolean).join(", ");
  return { kind: "asset", id: asset.id, name: asset.name, reference: asset.reference, more };
}

export function ofSite(site: Site): About {
  return { kind: "site", id: site.id, name: site.name, reference: site.reference, more: site.address?.split("\n").join(", ") ?? "" };
}

/** How many of each are offered. */
const OFFERED = "8";

async function find(q: string, me: Me, signal: AbortSignal): Promise<About[]> {
  const query = { limit: OFFERED, ...(q.trim() ? { q: q.trim() } : {}) };
  const may = me.areas ?? [];
  const [assets, sites] = await Promise.all([
    may.includes("assets") ? ask("GET /v1/assets", { query, signal }) : { items: [] },
    ask("GET /v1/sites", { query, signal }),
  ]);
  return [...assets.items.map(ofAsset), ...sites.items.map(ofSite)];
}

export function PickThing({ me, value, onValue, error }: { me: Me; value: About | undefined; onValue: (about: About | undefined) => void; error?: string | undefined }) {
  const id = useId();
  const [q, type] = useState("");
  const found = useLoad(value ? "" : `find ${q}`, (signal) => (value ? Promise.resolve([]) : find(q, me, signal)));
  if (value)
    return (
      <div class="field">
        <span class="label">{t("report.about")}</span>
        <div class="thing">
          <div>
            <strong>{value.name}</strong>
            <span>{[value.reference, value.more].filter(Boolean).join(" · ")}</span>
          </div>
          <button type="button" class="link" onClick={() => onValue(undefined)}>
            {t("change")}
          </button>
        </div>
      </div>
    );
  return (
    <div class={error ? "field wrong" : "field"}>
      <label class="label" for={id}>
        {t("report.about")}
      </label>
      <input id={id} type="search" autocomplete="off" value={q} placeholder={t("report.find")} aria-invalid={error ? true : undefined} onInput={(event) => type(event.currentTarget.value)} />
      {error && (
        <p class="error">
          <Icon sign="alert" size={16} /> {error}
        </p>
      )}
      {found.error !== undefined && <Failure error={found.error} again={found.again} />}
      <ul class="things" aria-label={t("report.found")}>
        {found.data?.map((about) => (
          <li key={about.id}>
            <button type="button" onClick={() => onValue(about)}>
              <strong>{about.name}</strong>
              <span>{[about.reference, about.more].filter(Boolean).join(" · ")}</span>
            </button>
          </li>
        ))}
      </ul>
      {found.data?.length === 0 && <p class="hint">{t("report.nothing")}</p>}
    </div>
  );
}
